"""Destinations that give no answer, or none that can be read: all of it passes, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headwater.configdb import ConfigDb
from headwater.federation import list_samples
from tests.support.federation import Federation
from tests.support.webhook import Receiver


@asynccontextmanager
async def answering(words: bytes) -> AsyncIterator[int]:
    """Serve whatever bytes as an answer; yield the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_whoever_cannot_be_reached_is_tried_again_and_slows_nobody(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """No name, no server, no TLS, no HTTP, a torn answer: waiting, not dead, with a reason."""
    async with (
        answering(b"SSH-2.0-OpenSSH_9.2\r\n") as strange,
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ntorn") as torn,
    ):
        bad = [
            federation.connect(url)
            for url in (
                "http://nobody.invalid/",
                "http://127.0.0.1:9/",
                receiver.url.replace("http:", "https:"),
                f"http://127.0.0.1:{strange}/",
                f"http://127.0.0.1:{torn}/",
            )
        ]
        healthy = federation.connect(receiver.url)
        async with federation.at_work():
            await federation.receive("a")
            await federation.until(healthy, lambda s: s.delivered == 1)
            for instance in bad:
                status = await federation.until(instance, lambda s: bool(s.last_error))
                assert (status.waiting, status.dead, status.delivered) == (1, 0, 0), instance
    for instance in bad:
        samples = await configdb.look(list_samples, instance.id)
        assert samples[0].error_class.startswith("awaiting-retry."), instance
