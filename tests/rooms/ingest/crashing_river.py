"""A program that ingests four known entries and dies where HEADWATER_CRASH_AT says.

It is run again until it ends well. The log is in memory and always the same, as a real log would be
after the crash; store and configuration are on disk.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from headwater.base.settings import ConfigDbSettings, EventStoreSettings
from headwater.configdb import ConfigDb, migrate
from headwater.eventlog import MemoryLog, Stream
from headwater.eventstore import EventStore
from headwater.model import ProfileUpdate, Record
from tests.rooms.ingest.river import drain, make_worker
from tests.support.actions import make_action
from tests.support.calls import NOON, encode_entry, make_call

ENTRIES = 4
CALLS_EACH = 25


async def _fill(log: MemoryLog) -> None:
    for entry in range(ENTRIES):
        calls = [
            make_call(f"call_{entry}_{n}", time=NOON.replace(month=1 + n % 10))
            for n in range(CALLS_EACH)
        ]
        repeat = make_call("call_0_0")
        update = ProfileUpdate(
            app_id="app_1",
            kind="user",
            id="user_1",
            update_id=f"update_{entry}",
            time=NOON,
            received_at=NOON,
            fields=msgspec.Raw(b'{"metadata":{"entry%d":true}}' % entry),
        )
        actions = [make_action(f"action_{entry}", user_id="user_2"), make_action("action_0")]
        records: list[Record] = [*calls, repeat, update, *actions]
        await log.append(Stream.CALLS, encode_entry(records) + b"\n{broken")


async def main(data: Path) -> None:
    configdb = ConfigDb.open(ConfigDbSettings(), data)
    migrate(configdb)
    store = EventStore.open(EventStoreSettings(), data)
    log = MemoryLog()
    await _fill(log)
    await drain(make_worker(log, store, configdb, batch_events=20))
    store.close()
    configdb.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
