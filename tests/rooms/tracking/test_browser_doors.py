"""What pages and e-mails load from the Tracking API, and the check of a key."""

import base64
import json
from urllib.parse import urlencode

import pytest

from headwater.base.settings import TrackingSettings
from headwater.base.telemetry import REGISTRY
from headwater.configdb import ConfigDb
from headwater.sources import set_source_enabled
from tests.support.tracking_door import Answer, Door

OPENED = {"event": "Email Opened", "userId": "u1", "properties": {"subject": "Hi & bye"}}


async def load(door: Door, path: str) -> Answer:
    """Load as an image or a script is loaded."""
    return await door.call(path, b"", headers={"Host": "calls.example.com:8000"}, method="GET")


def is_image(answer: Answer) -> bool:
    return answer.status == 200 and answer.raw.startswith(b"GIF89a") and answer.raw.endswith(b";")


def encoded(message: object) -> str:
    return base64.b64encode(json.dumps(message).encode()).decode()


@pytest.mark.parametrize("variant", ["standard", "url-safe", "no padding", "fields", "mixed"])
async def test_a_pixel_is_a_message(door: Door, variant: str) -> None:
    """However the address was made; the reader's address is known, the answer never kept."""
    key = door.add_source().write_key
    data = encoded({**OPENED, "writeKey": key})
    fields = {
        "event": "Email Opened", "userId": "u1", "properties.subject": "Hi & bye", "writeKey": key,
    }  # fmt: skip
    queries = {
        "standard": {"data": data},
        "url-safe": {"data": data.replace("+", "-").replace("/", "_")},
        "no padding": {"data": data.rstrip("=")},
        "fields": fields,
        "mixed": {"data": encoded({"event": "Other"}), **fields},
    }
    answer = await load(door, f"/v1/pixel/track?{urlencode(queries[variant])}")
    assert is_image(answer)
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["cache-control"] == "no-store"
    (kept,) = await door.messages()
    assert (kept.type, kept.user_id, kept.body["event"]) == ("track", "u1", "Email Opened")
    assert kept.body["properties"] == {"subject": "Hi & bye"}
    assert kept.body["context"]["ip"] == "198.51.100.9"
    assert "writeKey" not in kept.body


@pytest.mark.parametrize(
    "query",
    [
        "", "data=%%%", "data=bm90IGpzb24", f"data={encoded([1])}", "writeKey=nobody&userId=u",
        "a.b=1&a=2&a.b.c=3", "&".join(f"f{n}=1" for n in range(2_000)), ".".join("a" * 99) + "=1",
    ],
)  # fmt: skip
async def test_whoever_reads_an_email_sees_no_error(door: Door, query: str) -> None:
    """The image comes; nothing is kept, and it is counted."""
    before = refused_pixels()
    assert is_image(await load(door, f"/v1/pixel/track?{query}"))
    assert await door.messages() == []
    assert refused_pixels() == before + 1


def refused_pixels() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "headwater_tracking_messages_total"
        and sample.labels["outcome"].startswith("pixel_")
    )


@pytest.mark.parametrize(
    "path",
    [
        "/v1/projects/{}/settings", "/projects/{}/settings", "/v1/projects/projects/{}/settings",
        "/v1/projects/{}/settings/",
    ],
)  # fmt: skip
async def test_the_browser_library_learns_where_to_send(door: Door, path: str) -> None:
    """To where it asked; it may keep that for minutes, and loads nothing from anywhere else."""
    key = door.add_source().write_key
    answer = await load(door, path.format(key))
    assert answer.status == 200
    assert list(answer.json["integrations"]) == ["Segment.io"]
    ours = answer.json["integrations"]["Segment.io"]
    assert (ours["apiKey"], ours["apiHost"], ours["protocol"]) == (
        key,
        "calls.example.com:8000/v1",
        "http",
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=300"


async def test_behind_a_proxy_the_public_address_is_told(configdb: ConfigDb) -> None:
    """Browsers cannot reach what the proxy reaches."""
    door = Door(configdb, public_url="https://events.example.com")
    answer = await load(door, f"/v1/projects/{door.add_source().write_key}/settings")
    ours = answer.json["integrations"]["Segment.io"]
    assert (ours["apiHost"], ours["protocol"]) == ("events.example.com/v1", "https")
    await door.close()


@pytest.mark.parametrize("mode", ["strict", "segment"])
async def test_a_key_can_be_checked(configdb: ConfigDb, mode: str) -> None:
    """Honestly, in every mode; nothing is stored by it, and the browser library is told, too."""
    door = Door(configdb, settings=TrackingSettings(mode=mode))
    source = door.add_source()
    good = await door.call("/v1/key-check", b"", source.write_key, method="GET")
    assert (good.status, good.json) == (200, {"success": True, "source": source.slug})
    for key in ("", "nobody"):
        bad = await door.call("/v1/key-check", b"", key)
        assert (bad.status, bad.json["code"]) == (401, "invalid_write_key")
    assert (await load(door, "/v1/projects/nobody/settings")).status == 404
    with configdb.transaction() as connection:
        set_source_enabled(connection, source.slug, enabled=False)
    off = Door(configdb, settings=TrackingSettings(mode=mode))
    refused = await off.call("/v1/key-check", b"", source.write_key, method="GET")
    assert (refused.status, refused.json["code"]) == (403, "source_disabled")
    assert (await load(off, f"/v1/projects/{source.write_key}/settings")).status == 404
    assert await door.messages() == []
    await door.close()
    await off.close()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/track", "POST, OPTIONS"),
        ("POST", "/v1/pixel/track", "GET, OPTIONS"),
        ("POST", "/v1/projects/k/settings", "GET, OPTIONS"),
        ("DELETE", "/v1/key-check", "GET, POST, OPTIONS"),
        ("GET", "/v1/m", "POST, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_told_the_right_one(
    door: Door, method: str, path: str, allowed: str
) -> None:
    """And preflights are answered on every path, never with a redirect."""
    answer = await door.call(path, b"", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    preflight = await door.call(path, b"", method="OPTIONS")
    assert preflight.status == 204
    assert "authorization" in preflight.headers["access-control-allow-headers"]


async def test_the_librarys_reports_about_itself_are_taken_and_forgotten(door: Door) -> None:
    """An error would only make it try again."""
    assert (await door.call("/v1/m", {"series": []})).status == 200
    assert await door.messages() == []
