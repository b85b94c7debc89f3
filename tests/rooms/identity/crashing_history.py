"""A program that stores ranges, gives history to its users, and dies where it is told to.

It is run again until it ends well. A link that comes in the second range names calls of the first;
one that comes in the fourth takes some of them from one user to another, and the fifth undoes it:
what the visitor said goes along each time. The ranges are always the
same, as those of a real log would be after the crash.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from msgspec import Raw

from headwater.configdb import Position, read_position
from headwater.model import LinkRuling
from tests.rooms.identity.world import Record, World, an_update
from tests.support.calls import NOON, make_call

HOUR = timedelta(hours=1)


def _calls(name: str, count: int, **facts: object) -> list[Record]:
    return [
        make_call(
            f"{name}_{n}", time=NOON.replace(month=1 + n % 3) + n * HOUR,
            **{"user_id": "", "company_id": "", **facts},
        )
        for n in range(count)
    ]  # fmt: skip


RANGES: list[list[Record]] = [
    [
        *_calls("browser", 12, anonymous_id="b1"),
        *_calls("session", 12, session_key="s1", weight=10),
        *_calls("named", 6, user_id="bob"),
        an_update(anonymous_id="b1", fields=Raw(b'{"locale":"de"}')),
    ],
    [
        an_update(
            id="ann",
            anonymous_id="b1",
            company_id="acme",
            time=NOON + HOUR,
            received_at=NOON + HOUR,
        ),
        *_calls("labelled", 1, user_id="bob", session_key="s1"),
    ],
    [an_update(id="bob", company_id="parcel"), *_calls("later", 4, anonymous_id="b1")],
    [
        an_update(id="cy", anonymous_id="b1", time=NOON - 20 * 24 * HOUR),
        an_update(id="dot", session_key="s1", time=NOON.replace(month=2)),
    ],
    [
        LinkRuling(
            app_id="app_1",
            ruling_id="r1",
            kind="anonymous",
            key="b1",
            user_id="cy",
            verdict="apart",
            said_at=NOON,
            said_by="ops",
        ),
    ],
]


async def main(data: Path, ranges: int) -> None:
    world = World(data)
    position = await world.configdb.run(read_position, "ingest") or Position(1)
    for offset, records in enumerate(RANGES[:ranges], start=1):
        if offset >= position.next_offset:
            await world.put_range(offset, records)
            await world.relinking.step()
    for _ in ("what was begun", "what came since"):
        await world.relinking.step()
    world.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
