"""Append numbered entries for ever, and say of each when it is durable: a victim for kill -9.

In: a data directory. Out, on stdout: "ready", then each acknowledged number.
"""

import asyncio
import sys
from pathlib import Path

from headwater.base.settings import EventLogSettings
from headwater.base.telemetry import set_up_logging
from headwater.eventlog import Stream, open_event_log


async def main(data: Path) -> None:
    set_up_logging()
    log = await open_event_log(EventLogSettings(), data)
    print("ready", flush=True)  # noqa: T201 - its output

    async def write(number: int) -> None:
        while True:
            await log.append(Stream.CALLS, str(number).encode())
            print(number, flush=True)  # noqa: T201 - its output
            number += 4

    await asyncio.gather(*(write(number) for number in range(4)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
