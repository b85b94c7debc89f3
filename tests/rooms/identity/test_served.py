"""A running server gives calls to their user once it learns who is behind a session."""

from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from headwater.cli import headwater
from tests.support.eventually import eventually
from tests.support.server import Server, serving


def _event(call_id: str) -> dict[str, object]:
    now = datetime.now(UTC).isoformat()
    return {
        "request": {"time": now, "uri": "https://api.example.com/items/1", "verb": "GET"},
        "response": {"time": now, "status": 200},
        "session_token": "token of ana",
        "transaction_id": call_id,
    }


def _owners(server: Server, app_id: str) -> dict[str, tuple[str, str]]:
    events = server.query(app_id, "events")["events"]
    return {e["transaction_id"]: (e["user_id"], e["company_id"]) for e in events}


def _counted(server: Server, app_id: str) -> list[tuple[str, int]]:
    users = server.query(app_id, "users")["users"]
    return [(user["user_id"], user["calls"]) for user in users]


def test_history_goes_to_the_user_whom_a_late_link_names(tmp_path: Path) -> None:
    """Two calls of a stranger, then a profile with the same token; and back, when ruled wrong."""
    with serving(tmp_path) as server:
        [app] = server.cli("apps", "list")
        key = {"X-Moesif-Application-Id": app["collector_application_id"]}
        server.ask("POST", "/v1/events/batch", [_event("a"), _event("b")], key)
        server.settle()
        assert _owners(server, app["app_id"]) == {"a": ("", ""), "b": ("", "")}
        ana = {"user_id": "ana", "company_id": "parcel", "session_token": "token of ana"}
        server.ask("POST", "/v1/users", ana, key)
        server.settle()
        server.ask("POST", "/v1/events", _event("c"), key)
        server.settle()
        hers = dict.fromkeys("abc", ("ana", "parcel"))
        eventually(lambda: _owners(server, app["app_id"]) == hers, within_s=60)
        status = CliRunner().invoke(headwater, ["status", "--data", str(server.data)])
        assert status.exit_code == 0
        assert {"ingest", "identity"} <= {line.split()[0] for line in status.output.splitlines()}
        counted = [("ana", 3)]
        eventually(lambda: _counted(server, app["app_id"]) == counted, within_s=60)
        assert _link(server, app["app_id"])["counts"]
        in_app = ("--app", app["app_id"])
        (parcel,) = server.cli("companies", "list", *in_app)["companies"]
        assert (parcel["company_id"], parcel["calls"]) == ("parcel", 3)
        session_key = str(_link(server, app["app_id"])["key"])
        server.cli("identity", "unlink", "ana", *in_app, "--session-key", session_key)
        server.settle()
        assert not _link(server, app["app_id"])["counts"]
        nobodys = dict.fromkeys("abc", ("", ""))
        eventually(lambda: _owners(server, app["app_id"]) == nobodys, within_s=60)
        shown = server.cli("users", "show", "ana", *in_app)
        assert (shown["user"]["company_id"], shown["user"]["session_keys"]) == ("parcel", [])
        timeline = server.cli("users", "timeline", "ana", *in_app)
        told = [(item["kind"], (item["link"] or {}).get("verdict")) for item in timeline["items"]]
        assert sorted(told, key=str) == [
            ("link", ""), ("link", ""), ("link", "apart"), ("profile", None),
        ]  # fmt: skip


def _link(server: Server, app_id: str) -> dict[str, object]:
    (link,) = server.cli("identity", "links", "ana", "--app", app_id)["items"]
    return dict(link)
