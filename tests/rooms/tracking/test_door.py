"""The Tracking API as clients meet it."""

import gzip
import json

import pytest

from headwater.base.errors import MisconfiguredError
from headwater.base.settings import TrackingSettings
from headwater.configdb import ConfigDb
from headwater.eventlog import MemoryLog
from headwater.sources import rotate_write_key, set_source_enabled
from tests.support.tracking_door import Door

IDENTIFY = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/identify", "identify"),
        ("/v1/track", "track"),
        ("/v1/page", "page"),
        ("/v1/screen", "screen"),
        ("/v1/group", "group"),
        ("/v1/alias", "alias"),
        ("/v1/i", "identify"),
        ("/v1/t", "track"),
        ("/v1/p", "page"),
        ("/v1/s", "screen"),
        ("/v1/g", "group"),
        ("/v1/a", "alias"),
        ("/v1/track/", "track"),
        ("//v1/track", "track"),
        ("/track", "track"),
        ("/t", "track"),
    ],
)
async def test_every_path_says_its_type(door: Door, path: str, kind: str) -> None:
    """Long and short paths, with odd slashes, store a message of their type."""
    key = door.add_source().write_key
    body = {"userId": "u", "event": "E", "groupId": "g", "previousId": "p"}
    assert door.app.handles(path)
    answer = await door.call(path, body, key)
    assert (answer.status, answer.json) == (200, {"success": True})
    assert [message.type for message in await door.messages()] == [kind]


@pytest.mark.parametrize(
    "path", ["/v1/batch", "/v1/b", "/v1/import", "/v1/track", "/batch", "/v1/batch/b"]
)
async def test_a_batch_is_a_batch_on_every_path(door: Door, path: str) -> None:
    """`batch` in the body decides; Node with a `path` option posts batches to `/v1/track`."""
    key = door.add_source().write_key
    batch = [IDENTIFY, {"type": "track", "event": "E", "userId": "u1"}]
    assert (await door.call(path, {"batch": batch}, key)).status == 200
    assert [message.type for message in await door.messages()] == ["identify", "track"]


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/events", "/v1/users", "/v1/v1/t", "/v1/batch/x", "/v2/t"]
)
def test_other_paths_belong_to_others(configdb: ConfigDb, path: str) -> None:
    """Neither the collector's nor the pages' paths are taken."""
    assert not Door(configdb).app.handles(path)


@pytest.mark.parametrize("media", ["application/json", "text/plain", "", "image/png"])
async def test_json_is_json_whatever_it_is_called(door: Door, media: str) -> None:
    """Browsers send text/plain."""
    key = door.add_source().write_key
    answer = await door.call("/v1/i", IDENTIFY, key, {"Content-Type": media} if media else {})
    assert answer.status == 200


async def test_a_write_key_is_found_wherever_clients_put_it(door: Door) -> None:
    """In the header, in the body, in the envelope, in each item; the header wins."""
    shop, site = door.add_source("Shop"), door.add_source("Site")
    await door.call("/v1/identify", IDENTIFY, shop.write_key)
    await door.call("/v1/identify", {**IDENTIFY, "writeKey": site.write_key})
    await door.call("/v1/batch", {"batch": [IDENTIFY], "writeKey": site.write_key})
    await door.call("/v1/identify", {**IDENTIFY, "writeKey": site.write_key}, shop.write_key)
    both = [{**IDENTIFY, "writeKey": shop.write_key}, {**IDENTIFY, "writeKey": site.write_key}]
    await door.call("/v1/b", {"batch": both})
    stored = [message.source_id for message in await door.messages()]
    assert stored == [shop.id, site.id, site.id, shop.id, shop.id, site.id]
    assert b"writeKey" not in b"".join(json.dumps(m.body).encode() for m in await door.messages())


async def test_an_item_with_a_wrong_key_is_refused_alone(door: Door) -> None:
    """Keys inside items are judged one by one."""
    key = door.add_source().write_key
    batch = [{**IDENTIFY, "writeKey": "nobody"}, {**IDENTIFY, "writeKey": key}, IDENTIFY]
    answer = await door.call("/v1/b", {"batch": batch})
    assert answer.status == 200
    assert [(r["index"], r["code"]) for r in answer.json["rejected"]] == [
        (0, "invalid_write_key"),
        (2, "invalid_write_key"),
    ]


@pytest.mark.parametrize("key", ["", "nobody", "x" * 5000])
async def test_an_unknown_key_is_told_so(door: Door, key: str) -> None:
    """401, and nothing is stored: the original's silent 200 loses data."""
    answer = await door.call("/v1/identify", IDENTIFY, key)
    assert answer.status == 401
    assert answer.json["code"] == "invalid_write_key"
    assert answer.json["success"] is False
    assert await door.messages() == []


async def test_a_disabled_source_and_a_revoked_key_are_refused(
    configdb: ConfigDb, door: Door
) -> None:
    """403 while the source is off, 401 for a key two rotations old."""
    source = door.add_source()
    with configdb.transaction() as connection:
        set_source_enabled(connection, source.slug, enabled=False)
    answer = await door.call("/v1/identify", IDENTIFY, source.write_key)
    assert (answer.status, answer.json["code"]) == (403, "source_disabled")
    with configdb.transaction() as connection:
        set_source_enabled(connection, source.slug, enabled=True)
        rotate_write_key(connection, door.clock, source.slug)
        rotate_write_key(connection, door.clock, source.slug)
    fresh = Door(configdb, door.log)
    assert (await fresh.call("/v1/identify", IDENTIFY, source.write_key)).status == 401
    await fresh.close()


async def test_a_bad_item_never_costs_its_batch(door: Door) -> None:
    """The good ones are kept, the bad ones are named with their place and reason."""
    key = door.add_source().write_key
    good = json.dumps(IDENTIFY)
    bad = ['{"type": "track", "userId": "u"}', "[1]", '{"type": "identify"', '{"a": tru}']
    body = '{"batch": [' + ",".join([good, bad[0], bad[1], good, bad[3]]) + "]}"
    answer = await door.call("/v1/batch", body.encode(), key)
    assert answer.status == 200
    assert [(r["index"], r["code"]) for r in answer.json["rejected"]] == [
        (1, "event_not_defined"),
        (2, "not_object"),
        (4, "invalid_json"),
    ]
    assert all(r["message"] for r in answer.json["rejected"])
    assert len(await door.messages()) == 2


async def test_odd_values_are_kept_mended(door: Door) -> None:
    """Lone surrogates, NaN, null bytes and endless digits reach the log in a form all can hold."""
    key = door.add_source().write_key
    body = (
        b'{"batch": [{"type": "identify", "userId": "u\\ud800", "traits": {"nan": NaN, "nul":'
        b' "\\u0000", "big": '
        + b"9" * 40
        + b', "raw": "\xff"}}, {"type": "identify", "userId": 5}]}'
    )
    answer = await door.call("/v1/batch", body, key)
    assert (answer.status, answer.json) == (200, {"success": True})
    first, second = await door.messages()
    assert first.user_id == "u\ufffd"
    assert first.body["traits"] == {"nan": "NaN", "nul": "\0", "big": "9" * 40, "raw": "\ufffd"}
    assert second.user_id == "5"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "invalid_json"),
        (b"", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'{"batch": 5}', "invalid_json"),
        (b'{"batch": []}', "empty_batch"),
        (b'{"batch": [{"type": "track"}]}', "empty_batch_result"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid_json"),
        (json.dumps({**IDENTIFY, "x": "y" * 40_000}).encode(), "too_large"),
        (json.dumps({"batch": [{**IDENTIFY, "x": "y" * 40_000}]}).encode(), "empty_batch_result"),
        (json.dumps({"batch": [1] * 2_501}).encode(), "too_large"),
        (json.dumps({"batch": [{**IDENTIFY, "x": "y" * 30_000}] * 20}).encode(), "too_large"),
        (json.dumps({**IDENTIFY, "traits": []}).encode(), "traits_not_object"),
    ],
)
async def test_what_cannot_be_kept_is_400(door: Door, body: bytes, code: str) -> None:
    """With Segment's own code, and with 400 for what is too large, as its clients know it."""
    answer = await door.call("/v1/identify", body, door.add_source().write_key)
    assert (answer.status, answer.json["code"]) == (400, code)
    assert await door.messages() == []


async def test_gzip_is_opened_up_to_the_limit(door: Door) -> None:
    """Limits count the opened body; a bomb and a broken stream are 400."""
    key = door.add_source().write_key
    packed = {"Content-Encoding": "gzip"}
    good = gzip.compress(json.dumps({"batch": [IDENTIFY]}).encode())
    assert (await door.call("/v1/batch", good, key, packed)).status == 200
    bomb = gzip.compress(b" " * 50_000_000)
    assert (await door.call("/v1/batch", bomb, key, packed)).json["code"] == "too_large"
    assert (await door.call("/v1/batch", good[:-9], key, packed)).status == 400
    assert (await door.call("/v1/batch", good, key, {"Content-Encoding": "br"})).status == 400


async def test_browsers_may_send_from_everywhere(door: Door) -> None:
    """The preflight allows what the library sends, and every answer can be read, errors too."""
    preflight = await door.call("/v1/t", b"", method="OPTIONS")
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-headers"] == (
        "authorization, content-type, x-retry-count"
    )
    refused = await door.call("/v1/t", IDENTIFY)
    for answer in (preflight, refused, await door.call("/v1/t", b"", method="GET")):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "retry-after, x-ratelimit-reset"


async def test_a_full_log_is_503_and_never_4xx(configdb: ConfigDb) -> None:
    """Clients drop on 4xx: what may pass again is 503 with whole seconds to wait."""
    door = Door(configdb, MemoryLog(max_bytes=10))
    answer = await door.call("/v1/identify", IDENTIFY, door.add_source().write_key)
    assert answer.status == 503
    assert answer.headers["retry-after"].isdigit()
    assert "x-ratelimit-reset" not in answer.headers
    await door.close()


@pytest.mark.parametrize("mode", ["strict", "segment"])
async def test_a_slow_body_may_come_again(configdb: ConfigDb, mode: str) -> None:
    """503 in every mode, and no refused message: clients keep what they sent and try again."""
    door = Door(configdb, settings=TrackingSettings(mode=mode, body_timeout_s=0.01))
    answer = await door.call("/v1/identify", None, door.add_source().write_key)
    assert (answer.status, answer.json["code"]) == (503, "slow_body")
    assert answer.headers["retry-after"].isdigit()
    await door.close()


async def test_too_many_at_once_are_429(configdb: ConfigDb) -> None:
    """Beyond the limit a request is asked to wait instead of filling the memory."""
    door = Door(configdb, settings=TrackingSettings(max_in_flight=0))
    answer = await door.call("/v1/identify", IDENTIFY, door.add_source().write_key)
    assert (answer.status, answer.headers["retry-after"].isdigit()) == (429, True)
    assert answer.headers["x-ratelimit-reset"] == answer.headers["retry-after"]


async def test_segment_mode_answers_like_the_original(configdb: ConfigDb) -> None:
    """200 for wrong keys and faulty messages; 400 for broken bodies; 503 when nothing is safe."""
    door = Door(configdb, settings=TrackingSettings(mode="segment"))
    key = door.add_source().write_key
    assert (await door.call("/v1/identify", IDENTIFY, "nobody")).json == {"success": True}
    assert (await door.call("/v1/identify", {"userId": []}, key)).status == 200
    assert (await door.call("/v1/identify", b"{", key)).status == 400
    cut = gzip.compress(json.dumps(IDENTIFY).encode())[:-9]
    assert (await door.call("/v1/identify", cut, key, {"Content-Encoding": "gzip"})).status == 400
    assert await door.messages() == []
    await door.log.close()
    assert (await door.call("/v1/identify", IDENTIFY, key)).status == 503


@pytest.mark.parametrize(
    ("sizes", "with_key", "status"),
    [
        ([40_000, 40_000], True, 400),
        ([40_000, 0], True, 200),
        ([0], True, 200),
        ([40_000], False, 400),
        ([0], False, 400),
    ],
)
async def test_segment_mode_tells_of_sizes_and_missing_keys(
    configdb: ConfigDb, sizes: list[int], with_key: bool, status: int
) -> None:
    """400 when all of a batch is too large or no key is named; other faults stay untold."""
    door = Door(configdb, settings=TrackingSettings(mode="segment"))
    key = door.add_source().write_key if with_key else ""
    batch = [{"type": "track", "userId": "u", "x": "y" * size} for size in sizes]
    assert (await door.call("/v1/batch", {"batch": batch}, key)).status == status
    assert await door.messages() == []
    await door.close()


def test_an_unknown_mode_is_refused_at_the_start(configdb: ConfigDb) -> None:
    """A typo must not silently change what clients are told."""
    with pytest.raises(MisconfiguredError, match="HEADWATER_TRACKING__MODE"):
        Door(configdb, settings=TrackingSettings(mode="Strict"))
