"""Destinations that give no answer, or none that can be read: all of it passes, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from headwater.configdb import ConfigDb
from headwater.federation import delivery_view
from tests.support.federation import Federation
from tests.support.webhook import HANG, Receiver, run_receiver

HOUR = timedelta(hours=1)


@asynccontextmanager
async def answering(words: bytes, then: bytes = b"") -> AsyncIterator[int]:
    """Serve whatever bytes as an answer, and drop by drop the same for ever; yield the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)
        with suppress(ConnectionError):
            while then:
                await asyncio.sleep(0.05)
                writer.write(then)
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_whoever_cannot_be_reached_is_tried_again_and_slows_nobody(
    federation: Federation, receiver: Receiver, configdb: ConfigDb
) -> None:
    """No server, TLS or HTTP, no answer or none that ends: waiting, each in its own class."""
    async with (
        answering(b"SSH-2.0-OpenSSH_9.2\r\n") as strange,
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ntorn") as torn,
        answering(b"") as mute,
        answering(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n") as wordy,
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", b".") as dripping,
        run_receiver() as well,
    ):
        receiver.always = HANG
        bad = {
            "http://127.0.0.1:9/": "ECONNREFUSED",
            well.url.replace("http:", "https:"): "TLS",
            f"http://127.0.0.1:{strange}/": "NOT_HTTP",
            f"http://127.0.0.1:{wordy}/": "NOT_HTTP",
            f"http://127.0.0.1:{torn}/": "ECONNABORTED",
            f"http://127.0.0.1:{mute}/": "ECONNRESET",
            f"http://127.0.0.1:{dripping}/": "ETIMEDOUT",
            receiver.url: "ETIMEDOUT",
        }
        instances = [(federation.connect(url), kind) for url, kind in bad.items()]
        healthy = federation.connect(well.url)
        async with federation.at_work():
            await federation.receive("a")
            await federation.until(healthy, lambda s: s.delivered == 1)
            for instance, _ in instances:
                status = await federation.until(instance, lambda s: bool(s.last_error))
                assert (status.waiting, status.dead, status.delivered) == (1, 0, 0), instance
    now = federation.clock.now()
    for instance, kind in instances:
        view = await configdb.look(delivery_view, instance.id, now - HOUR, now + HOUR)
        (trouble,) = view.errors
        assert trouble.error_class == f"awaiting-retry.{kind}", trouble.samples[0].error
        assert trouble.meaning.endswith(".")
        assert trouble.samples[0].answered.startswith("no answer")
