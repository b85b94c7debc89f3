"""Relinking finds the next keys by the index: a backlog of millions is not read for every page."""

from collections.abc import Sequence
from pathlib import Path

from headwater.eventstore import EventStore
from headwater.profiles.identity import relink
from headwater.profiles.identity.links import Key
from tests.rooms.identity.world import World

_LINKS = 500_000
_MANY_LINKS = f"""
INSERT INTO links (app_id, kind, key, value, day, at, log_offset)
SELECT concat('app_', toString(number % 3)),
    ['anonymous', 'session', 'user'][1 + intDiv(number, 3) % 3],
    leftPad(toString(number), 9, '0'), 'u', '1970-01-01', now64(6), number % 100
FROM numbers({_LINKS})
"""
_THEIR_KEYS = """
INSERT INTO keys_seen (app_id, kind, key, first_seen_at, last_seen_at)
SELECT app_id, kind, key, at, at FROM links WHERE kind != 'user' AND cityHash64(key) % 2 = 0
"""


async def _paged(world: World, first: int, last: int) -> Sequence[Key]:
    return [key async for page in world.relinking._pages(first, last) for key in page]


async def _expected(store: EventStore, first: int, last: int) -> Sequence[Key]:
    rows = await store.select(
        "SELECT DISTINCT app_id, kind, key FROM links"
        " WHERE log_offset BETWEEN {first:UInt64} AND {last:UInt64} AND (kind = 'user'"
        " OR (app_id, kind, key) IN (SELECT app_id, kind, key FROM keys_seen))"
        " ORDER BY app_id, kind, key",
        {"first": first, "last": last},
    )
    return [(row["app_id"], row["kind"], row["key"]) for row in rows]


async def test_each_key_comes_once_and_few_rows_are_read(tmp_path: Path) -> None:
    """In the order of the index; keys that nothing came with are left out."""
    world = World(tmp_path)
    try:
        await world.store.change(_MANY_LINKS)
        await world.store.change(_THEIR_KEYS)
        for first, last in ((0, 99), (7, 7), (100, 200)):
            expected = await _expected(world.store, first, last)
            assert await _paged(world, first, last) == expected
            assert bool(expected) == (first < 100)
        after = {"app_id": "app_1", "kind": "session", "key": "000400000"}
        page = await world.store.select_counted(relink._PAGE, {"first": 0, "last": 99, **after})
        assert len(page.rows) == relink._KEYS_PER_PAGE
        assert page.rows_scanned < _LINKS / 3
        explained = await world.store.select(
            f"EXPLAIN indexes = 1 {relink._PAGE}", {"first": 0, "last": 99, **after}
        )
        used = "\n".join(str(line) for row in explained for line in row.values())
        assert "key in ('000400000', +Inf)" in used
    finally:
        world.close()
