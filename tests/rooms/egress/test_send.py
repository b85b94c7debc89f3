"""The guarded client over real sockets."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from headwater.base.egress import (
    MAX_REPLY_BYTES,
    Egress,
    EgressRefusedError,
    Reply,
    UnreachableError,
)
from tests.support.webhook import ENDLESS, HANG, RESET, Answer, Receiver, run_receiver


class ScriptedResolver(AbstractResolver):
    """Answers each question with the next list of addresses, as a rebinding name server does."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the port of a resolver
    ) -> list[ResolveResult]:
        self.questions.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not addresses:
            raise OSError(socket.EAI_NONAME, "no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


async def post(egress: Egress, url: str, timeout_s: float = 5.0) -> Reply:
    try:
        return await egress.send("POST", url, body=b"{}", headers={}, timeout_s=timeout_s)
    finally:
        await egress.close()


async def test_an_allowed_target_is_reached(receiver: Receiver) -> None:
    """Status, headers and body come back; the body arrives as it was sent."""
    receiver.plan(Answer(status=418, headers={"X-Why": "tea"}, body=b"short"))
    reply = await post(Egress("127.0.0.0/8"), f"{receiver.url}/hook?a=%26")
    assert (reply.status, reply.headers["x-why"], reply.body) == (418, "tea", b"short")
    assert receiver.received[0].path == "/hook?a=%26"
    assert receiver.received[0].body == b"{}"


async def test_a_private_target_is_refused_before_any_byte(receiver: Receiver) -> None:
    """Without the setting the receiver on the loopback hears nothing."""
    with pytest.raises(EgressRefusedError, match="HEADWATER_EGRESS__ALLOW"):
        await post(Egress(), receiver.url)
    assert receiver.received == []


async def test_a_name_with_one_bad_address_is_refused(receiver: Receiver) -> None:
    """One private address among public ones is enough to refuse the name."""
    resolver = ScriptedResolver(["93.184.216.34", "127.0.0.1"])
    port = receiver.url.rpartition(":")[2]
    with pytest.raises(EgressRefusedError, match=r"rebind\.example"):
        await post(Egress(resolver=resolver), f"http://rebind.example:{port}/")
    assert receiver.received == []


async def test_a_rebinding_name_finds_no_gap(receiver: Receiver) -> None:
    """The address that was checked is the one connected to: no second question is asked."""
    resolver = ScriptedResolver(["127.0.0.1"], ["10.0.0.1"])
    port = receiver.url.rpartition(":")[2]
    egress = Egress("127.0.0.0/8", resolver=resolver)
    reply = await post(egress, f"http://rebind.example:{port}/")
    assert reply.status == 200
    assert resolver.questions == ["rebind.example"]
    assert receiver.received[0].headers["host"] == f"rebind.example:{port}"


async def test_each_new_connection_is_checked_again(receiver: Receiver) -> None:
    """A name that was good once is refused when it turns to a private address."""
    resolver = ScriptedResolver(["127.0.0.1"], ["10.0.0.1"])
    receiver.plan(Answer(headers={"Connection": "close"}))
    port = receiver.url.rpartition(":")[2]
    egress = Egress("127.0.0.0/8", resolver=resolver)
    await egress.send("POST", f"http://rebind.example:{port}/", body=b"", headers={}, timeout_s=5)
    with pytest.raises(EgressRefusedError):
        await post(egress, f"http://rebind.example:{port}/")


async def test_the_built_in_source_needs_no_network_setting(receiver: Receiver) -> None:
    """An allowed origin is reached by name and by address while its neighbours stay closed."""
    port = receiver.url.rpartition(":")[2]
    egress = Egress(resolver=ScriptedResolver(["127.0.0.1"]))
    egress.allow_own(f"http://source.example:{port}")
    assert (await post(egress, f"http://source.example:{port}/v1/batch")).status == 200
    with pytest.raises(EgressRefusedError):
        await post(Egress(resolver=ScriptedResolver(["127.0.0.1"])), receiver.url)


async def test_a_redirect_is_an_answer_and_not_an_order(receiver: Receiver) -> None:
    """A 302 comes back as 302; its target is never visited."""
    receiver.plan(Answer(status=302, headers={"Location": f"{receiver.url}/inside"}))
    assert (await post(Egress("127.0.0.0/8"), receiver.url)).status == 302
    assert len(receiver.received) == 1


async def test_proxy_variables_are_not_obeyed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment cannot send our requests through somebody else."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert (await post(Egress("127.0.0.0/8"), receiver.url)).status == 200


async def test_an_endless_answer_is_cut(receiver: Receiver) -> None:
    """A body without an end costs 64 KB and no more."""
    receiver.plan(ENDLESS)
    reply = await post(Egress("127.0.0.0/8"), receiver.url)
    assert len(reply.body) == MAX_REPLY_BYTES


@pytest.mark.parametrize(("trouble", "kind"), [(HANG, "ETIMEDOUT"), (RESET, "ECONNRESET")])
async def test_no_answer_is_unreachable(receiver: Receiver, trouble: Answer, kind: str) -> None:
    """A peer that hangs or cuts the line is a passing trouble, and each has its name."""
    receiver.plan(trouble)
    with pytest.raises(UnreachableError) as caught:
        await post(Egress("127.0.0.0/8"), receiver.url, timeout_s=0.3)
    assert caught.value.kind == kind


async def test_a_certificate_of_nobody_we_know_is_refused(tmp_path: Path) -> None:
    """Nothing is sent to whoever signed for himself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_signed_by_itself(tmp_path))
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnreachableError) as caught:
            await post(Egress("127.0.0.0/8"), f"https://127.0.0.1:{port}/")
    assert caught.value.kind == "CERTIFICATE"
    assert not any(heard)


def _signed_by_itself(folder: Path) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


async def test_a_name_that_nobody_has_is_unreachable() -> None:
    """It may come to be known."""
    with pytest.raises(UnreachableError) as caught:
        await post(Egress(resolver=ScriptedResolver([])), "http://nobody.example/")
    assert caught.value.kind == "ENOTFOUND"


async def test_a_closed_port_is_unreachable() -> None:
    """Nobody listening is a passing trouble, too, and the message holds no path or query."""
    with pytest.raises(UnreachableError) as caught:
        await post(Egress("127.0.0.0/8"), "http://127.0.0.1:1/hook?token=secret-in-url")
    assert "secret-in-url" not in caught.value.message
    assert caught.value.kind == "ECONNREFUSED"
