"""Servers that misbehave: below HTTP, or by taking only so much at once.

In: one of the ways to misbehave. Out: a URL on the loopback, and what came.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Way = Literal["hang-up", "reset", "half-answer", "nonsense", "no-tls", "own-certificate", "silence"]
_HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"
_ANSWERS = {
    "half-answer": _HALF,
    "nonsense": b"\x00\x01 hello\r\n\r\n",
    "no-tls": b"\x00\x01 hello\r\n\r\n",
    "own-certificate": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
}
_READ_BYTES = 65_536
_TAKES_S = 0.02


@dataclass
class Hostile:
    """Where it is, and how often somebody came."""

    url: str = ""
    visits: int = 0


@asynccontextmanager
async def run_hostile(way: Way, folder: Path) -> AsyncIterator[Hostile]:
    """Misbehave for a block."""
    hostile = Hostile()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hostile.visits += 1
        try:
            await reader.read(_READ_BYTES)
            if way == "silence":
                await asyncio.sleep(3600)
            if way == "reset":
                writer.transport.abort()
                return
            writer.write(_ANSWERS.get(way, b""))
        finally:
            writer.close()

    context = _own_certificate(folder) if way == "own-certificate" else None
    server = await asyncio.start_server(visit, "127.0.0.1", 0, ssl=context)
    scheme = "https" if way in {"no-tls", "own-certificate"} else "http"
    hostile.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield hostile
    finally:
        server.close()


@dataclass
class Narrow:
    """What takes only so many requests at once: what it was asked, and what it took."""

    most: int
    url: str = ""
    at_once: int = 0
    most_at_once: int = 0
    taken: list[str] = field(default_factory=list)
    """Message ids, as they came."""

    async def handle(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            body = await request.json()
            await asyncio.sleep(_TAKES_S)
            if self.at_once > self.most:
                return web.Response(status=429)
            self.taken += [message["messageId"] for message in body["batch"]]
            return web.Response(body=b"{}")
        finally:
            self.at_once -= 1


@asynccontextmanager
async def run_narrow(most: int) -> AsyncIterator[Narrow]:
    """Take at most so many requests at once for a block; who comes beside them gets 429."""
    narrow = Narrow(most)
    app = web.Application(client_max_size=64_000_000)
    app.router.add_post("/v1/batch", narrow.handle)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    narrow.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield narrow
    finally:
        await runner.cleanup()


def _own_certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "own.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
