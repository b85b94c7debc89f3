"""What every answer carries, and what errors say."""

from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.eventlog import LogState, MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.web.assets import Assets
from tests.support.web import LOCAL_TOKEN, PAGE, World, browse, log_in, open_world

Browser = AsyncTestClient[Litestar]
OWNER = {"authorization": f"Bearer {LOCAL_TOKEN}"}


@pytest.mark.parametrize(
    "path", ["/login", "/health", "/api/docs", "/nothing", "/api/v1/apps", "/"]
)
async def test_every_answer_carries_the_strict_headers(browser: Browser, path: str) -> None:
    """Nothing inline, no framing, no sniffing, no plug-ins, on pages, data and errors alike."""
    headers = (await browser.get(path, headers=PAGE)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert all(f"{name} 'none'" in policy for name in ("object-src", "base-uri", "frame-ancestors"))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


async def test_pages_have_nothing_inline(world: World, browser: Browser) -> None:
    """The policy would break such a page, so none is written."""
    await log_in(browser)
    for path in ("/login", "/api/docs", "/health", "/nothing"):
        html = (await browser.get(path, headers=PAGE)).text
        assert " style=" not in html
        assert " onclick=" not in html
        assert "<script>" not in html


async def test_an_unknown_error_says_nothing_of_itself(
    tmp_path: Path, store: EventStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """The outside learns that something went wrong; the log learns what."""

    class Broken(MemoryLog):
        async def state(self, stream: Stream) -> LogState:
            raise ValueError(f"a secret of {stream}")

    async with open_world(tmp_path, store, log=Broken()) as world, browse(world) as browser:
        answer = await browser.get("/api/v1/status", headers=OWNER)
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "secret" not in answer.text
    assert "a secret of calls" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"not json", "invalid_input", ""),
        (b"[]", "invalid_input", "data"),
        (b'{"nam": "x"}', "invalid_input", "data"),
        (b'{"name": "x", "timezone": "Nowhere"}', "invalid_input", "timezone"),
        (b'{"name": " "}', "invalid_input", "name"),
    ],
)
async def test_a_bad_body_is_answered_in_our_own_form(
    browser: Browser, body: bytes, code: str, field: str
) -> None:
    """Code, message, field and hint, whoever noticed."""
    headers = {**OWNER, "content-type": "application/json"}
    answer = await browser.post("/api/v1/apps", headers=headers, content=body)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"code", "message", "field", "hint"}
    assert (answer.json()["code"], answer.json()["field"]) == (code, field)


async def test_apps_are_made_and_listed_in_pages(world: World, browser: Browser) -> None:
    """The answer of a new app is the same as the command line's; a taken name is a conflict."""
    names = ["One", "Two", "Three"]
    made = [
        (await browser.post("/api/v1/apps", headers=OWNER, json={"name": name})).json()
        for name in names
    ]
    assert set(made[0]) == {"app_id", "name", "timezone", "collector_application_id"}
    again = await browser.post("/api/v1/apps", headers=OWNER, json={"name": "One"})
    assert again.status_code == 409
    first = (await browser.get("/api/v1/apps?limit=2", headers=OWNER)).json()
    rest = await browser.get(f"/api/v1/apps?cursor={first['next_cursor']}", headers=OWNER)
    listed = [*first["items"], *rest.json()["items"]]
    assert sorted(item["app_id"] for item in listed) == sorted(item["app_id"] for item in made)
    assert rest.json()["next_cursor"] is None


async def test_status_tells_how_far_the_readers_have_come(world: World, browser: Browser) -> None:
    """A reader beyond the last offset has read everything."""
    await world.store([])
    answer = (await browser.get("/api/v1/status", headers=OWNER)).json()
    assert set(answer) == {"version", "streams", "readers", "unreadable_records", "warehouses"}
    assert set(answer["streams"]) == {"calls", "messages"}
    last = answer["streams"]["calls"]["last_offset"]
    assert answer["readers"]["ingest"] == {"stream": "calls", "next_offset": last + 1}


async def test_the_description_is_openapi_and_the_page_tells_the_same(browser: Browser) -> None:
    """Every path is on the readable page; errors have our form; no file is from outside."""
    described = (await browser.get("/api/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert "/api/v1/apps" in described["paths"]
    page = (await browser.get("/api/docs", headers=PAGE)).text
    for path, operations in described["paths"].items():
        assert path in page
        for operation in operations.values():
            assert operation["responses"]["4XX"]["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/Error"
            }
    assert "//cdn" not in page


async def test_metrics_are_prometheus_text(browser: Browser) -> None:
    """The counters of every room, in the form that Prometheus reads."""
    answer = await browser.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "headwater_ingest_calls_stored_total" in answer.text


async def test_files_are_kept_for_a_year_and_packed(browser: Browser) -> None:
    """Under the present address; under an older one the file comes, but is not kept."""
    address = Assets().url("app.css")
    answer = await browser.get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    plain = await browser.get(address, headers={"accept-encoding": "identity"})
    assert plain.text == answer.text
    old = await browser.get("/static/0000/app.css")
    assert old.headers["cache-control"] == "no-cache"
    assert (await browser.get("/static/0000/..%2Fserver.py")).status_code == 404
