"""Open the log that the settings ask for.

In: the room's settings and the data directory. Out: a log that takes writes.
"""

from pathlib import Path

from headwater.base.settings import EventLogSettings
from headwater.eventlog.port import EventLog


async def open_event_log(settings: EventLogSettings, data: Path) -> EventLog:
    """Return the log by URL, or else our own server's below `data`, started for this.

    Raises `ConflictError` at once when another process uses the same data directory.
    """
    # Only here: commands that send to a server have no use for the client of a log.
    from headwater.eventlog.link import RemoteServer
    from headwater.eventlog.mark import HighMark
    from headwater.eventlog.nats import NatsLog
    from headwater.eventlog.nats_server import NatsServer

    if settings.url:
        log = NatsLog(RemoteServer(settings.url))
    else:
        folder = data / "eventlog"
        server = NatsServer(folder, max_disk_bytes=settings.max_disk_bytes)
        await server.start()
        log = NatsLog(server, HighMark(folder / "acknowledged"))
    try:
        await log.prepare(settings)
    except BaseException:
        await log.close()
        raise
    return log
