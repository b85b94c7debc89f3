"""Let a real client library talk to a real server, and read back what was stored.

In: a folder, and a play: what the client's program does. Out: every stored call, action, profile
and reject, and every exchange on the wire. The clients are never changed: they get an address, a
key, and as long as they need.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from headwater.base.settings import EventStoreSettings
from headwater.base.vault import Vault
from headwater.eventstore import EventStore
from tests.support.eventually import eventually
from tests.support.server import Server, serving
from tests.support.wiretap import Exchange, Wiretap, tapping

PROGRAMS = Path(__file__).parents[1] / "wire" / "programs"
_PROFILES = (
    "SELECT kind, id, doc, company_id, anonymous_ids, modified_at"
    " FROM profiles FINAL ORDER BY kind, id"
)
_LONG_AGO = "2020-01-01T00:00:00Z"
_CLIENT_WITHIN_S = 60


@dataclass
class Stage:
    """A running server with one app, and a wiretap before it."""

    server: Server
    tap: Wiretap
    app_id: str
    key: str

    def calls(self) -> list[dict[str, Any]]:
        """Return all stored calls, oldest first."""
        return self._answered("events")[::-1]

    def actions(self) -> list[dict[str, Any]]:
        """Return all stored actions, oldest first."""
        return self._answered("actions")[::-1]

    def subscriptions(self) -> list[dict[str, Any]]:
        """Return what is known of subscriptions."""
        return sorted(self._answered("subscriptions"), key=lambda s: str(s["subscription_id"]))

    def _answered(self, kind: str) -> list[dict[str, Any]]:
        answer = self.server.query(self.app_id, kind, from_=_LONG_AGO, limit=500)
        found: list[dict[str, Any]] = answer[kind]
        return found

    def wait_for_calls(self, count: int) -> None:
        """Return when so many calls are stored."""
        eventually(lambda: len(self.calls()) >= count, within_s=_CLIENT_WITHIN_S)

    def run(
        self, *command: str, calls: int, more: str = "", env: dict[str, str] | None = None
    ) -> str:
        """Run a program until its calls are stored, then let it end; return what it printed.

        Most clients send from the background and lose what waits when their host ends, so a
        program stays until its standard input is closed, as a host stays until it is stopped.
        """
        with subprocess.Popen(
            [*command, self.tap.url, self.key, *filter(None, [more])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=env,
        ) as process:  # fmt: skip
            try:
                eventually(
                    lambda: process.poll() is not None or len(self.calls()) >= calls,
                    within_s=_CLIENT_WITHIN_S,
                )
                printed, _ = process.communicate(timeout=_CLIENT_WITHIN_S)
            finally:
                process.kill()
        assert process.returncode == 0, printed
        return printed

    def run_python(self, name: str, *, calls: int, more: str = "") -> str:
        """Run one of our Python programs; `more` is a further argument."""
        return self.run(sys.executable, str(PROGRAMS / name), calls=calls, more=more)

    def ask_for(self, rate: int) -> None:
        """Have clients report that many per cent of all calls."""
        policy = {"sample_rate": rate}
        self.server.api("PUT", f"/api/v1/apps/{self.app_id}/sampling", policy)


@dataclass(frozen=True)
class Recording:
    """What was stored, and what passed on the wire."""

    app_id: str
    calls: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    subscriptions: list[dict[str, Any]]
    profiles: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    exchanges: list[Exchange]
    vault: Vault
    data: Path

    def call(self, path: str, verb: str = "") -> dict[str, Any]:
        """Return the one call whose URI has this path."""
        (found,) = [
            call
            for call in self.calls
            if call["request"]["uri"].partition("?")[0].endswith(path)
            and call["request"]["verb"].startswith(verb)
        ]
        return found

    def profile(self, kind: str, id_: str) -> dict[str, Any]:
        """Return what is known of one user, company or subscription."""
        (found,) = [p for p in self.profiles if (p["kind"], p["id"]) == (kind, id_)]
        return found

    def documents(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return kind, id and document of each profile, in the order of kind and id."""
        return [(p["kind"], p["id"], p["doc"]) for p in self.profiles]

    def posts(self, path: str) -> list[Exchange]:
        """Return what was posted to one path."""
        return [e for e in self.exchanges if e.line == f"POST {path}"]

    def lines(self, *methods: str) -> list[str]:
        """Return the requests' first lines, in order."""
        return [e.line for e in self.exchanges if not methods or e.method in methods]

    def sent(self, path: str) -> list[Any]:
        """Return the JSON that was posted to one path."""
        return [msgspec.json.decode(exchange.unpacked) for exchange in self.posts(path)]

    def tags(self) -> set[tuple[str, str]]:
        """Return the tags of all answers to requests with the key."""
        return {e.tags for e in self.exchanges if "x-moesif-application-id" in e.headers}

    def files_with(self, secret: bytes) -> list[str]:
        """Return the files on disk that hold `secret` as it is."""
        return [
            str(path.relative_to(self.data))
            for path in self.data.rglob("*")
            if path.is_file() and secret in path.read_bytes()
        ]

    def text(self) -> str:
        """Return all that was stored as one text, to look for what must not be in it."""
        everything = (self.calls, self.actions, self.subscriptions, self.profiles, self.rejects)
        return msgspec.json.encode(everything).decode()


def record(folder: Path, play: Callable[[Stage], object]) -> Recording:
    """Run a server, let the play happen, end the server, and return what is stored."""
    data = folder / "data"
    with serving(data) as server, tapping(server.url) as tap:
        app = server.api("POST", "/api/v1/apps", {"name": "Parcels"})
        stage = Stage(server, tap, app["app_id"], app["collector_application_id"])
        play(stage)
        server.settle()
        calls, actions, subscriptions = stage.calls(), stage.actions(), stage.subscriptions()
        rejects = server.api("GET", f"/api/v1/apps/{stage.app_id}/rejects")["items"]
    return Recording(
        stage.app_id, calls, actions, subscriptions, _read_profiles(data), rejects, tap.exchanges,
        Vault.open(data / "master.key"), data,
    )  # fmt: skip


def _read_profiles(data: Path) -> list[dict[str, Any]]:
    store = EventStore.open(EventStoreSettings(), data)
    try:
        rows = asyncio.run(store.select(_PROFILES, {}))
    finally:
        store.close()
    return [row | {"doc": msgspec.json.decode(row["doc"])} for row in rows]
