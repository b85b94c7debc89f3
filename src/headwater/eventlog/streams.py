"""Lay out the log's streams on a NATS server.

In: a session and the settings. Out: streams that never forget by themselves: at their size limit
they refuse new entries, and only `trim` removes old ones.
"""

from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from headwater.base.settings import EventLogSettings
from headwater.eventlog.port import Stream

PROBE = "probe"
_DUPLICATE_WINDOW_S = 120.0
_PROBE_BYTES = 1024 * 1024


def stream_name(stream: str) -> str:
    """Return the name on the server, where other systems may have theirs."""
    return f"headwater-{stream}"


def subject(stream: str) -> str:
    """Return where entries of `stream` are published."""
    return f"headwater.{stream}"


async def lay_out_streams(jetstream: JetStreamContext, settings: EventLogSettings) -> None:
    """Create what is missing, and bring what is there to the present settings."""
    for stream in Stream:
        await _put_stream(
            jetstream,
            _config(
                stream,
                settings.replicas,
                discard=DiscardPolicy.NEW,
                max_bytes=settings.max_disk_bytes // len(Stream),
                compression=StoreCompression.NONE,  # entries come packed
                allow_direct=True,
            ),
        )
    await _put_stream(
        jetstream,
        _config(
            PROBE,
            settings.replicas,
            discard=DiscardPolicy.OLD,
            max_bytes=_PROBE_BYTES,
            max_msgs=1,
        ),
    )


def _config(stream: str, replicas: int, **more: object) -> StreamConfig:
    return StreamConfig(
        name=stream_name(stream),
        subjects=[subject(stream)],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=replicas,
        duplicate_window=_DUPLICATE_WINDOW_S,
    ).evolve(**more)


async def _put_stream(jetstream: JetStreamContext, config: StreamConfig) -> None:
    try:
        await jetstream.stream_info(str(config.name))
    except NotFoundError:
        await jetstream.add_stream(config)
    else:
        await jetstream.update_stream(config)
