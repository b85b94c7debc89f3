"""A process that syncs one DuckDB warehouse and may be killed while it does.

Usage: `python -m tests.rooms.warehouse.one_sync FOLDER MESSAGES`. The log is the same each time;
configuration, place and warehouse are what earlier processes left.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from tests.rooms.warehouse.support import LOADED_AT, an_identify, build_house

USERS = 7


async def _sync(folder: Path, messages: int) -> None:
    house = build_house(folder, batch_messages=20)
    known = await house.warehouses.list()
    chosen = known[0] if known else await house.warehouses.add(type_="duckdb", settings={})
    for number in range(messages):
        at = LOADED_AT + timedelta(seconds=number)
        score = number if number < messages // 2 else number + 0.5
        await house.send(an_identify(f"m{number}", f"u{number % USERS}", at, score=score))
    await house.warehouses.sync(chosen.id)
    house.configdb.close()


if __name__ == "__main__":
    asyncio.run(_sync(Path(sys.argv[1]), int(sys.argv[2])))
