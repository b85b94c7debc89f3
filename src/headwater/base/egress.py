"""Send every outbound HTTP request of the system through one guarded client.

In: a method, a URL that a person typed, a body. Out: the answer, its body capped. Addresses inside
our own network are refused (server-side request forgery): a name is resolved once, every address it
has must be public, and the connection goes to those very addresses. No redirects, no proxies, no
cookies, no decompression, so that nothing decides after the check. Knows no product words.
"""

import errno
import ipaddress
import re
import socket
from collections.abc import Mapping
from http import HTTPStatus

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from headwater.base.errors import HeadwaterError, Terminal, Transient
from headwater.base.networks import Network, read_networks

ALLOW_SETTING = "HEADWATER_EGRESS__ALLOW"
MAX_REPLY_BYTES = 64 * 1024
_HINT = f"To reach private targets on purpose, put their networks in {ALLOW_SETTING}."
_ODD_CHARACTERS = re.compile(r"[\x00-\x20\x7f\\]")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST_V6 = ipaddress.ip_network("2000::/3")
# `is_global` calls these public, or did in some Python version: they lead elsewhere or nowhere.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments, NAT64 among them
        "192.88.99.0/24",  # 6to4 relays
        "2001::/32",  # Teredo: an IPv4 address inside
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)
_LOOPBACK_V4 = ipaddress.ip_address("127.0.0.1")
_LOOPBACK_V6 = ipaddress.ip_address("::1")


class EgressRefusedError(HeadwaterError, Terminal):
    """The target is not one that this server may reach."""

    code = "egress_refused"
    status = HTTPStatus.BAD_REQUEST


class UnreachableError(HeadwaterError, Transient):
    """No answer: name, network, TLS or time; `kind` says which, as systems call it."""

    code = "unreachable"

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class Reply(msgspec.Struct, frozen=True):
    """What the other side answered."""

    status: int
    headers: dict[str, str]
    """Lower-case names."""
    body: bytes
    """At most `MAX_REPLY_BYTES`, as sent."""


class Egress:
    """The one client; make one for each event loop, and close it."""

    def __init__(self, allow: str = "", *, resolver: AbstractResolver | None = None) -> None:
        self._guard = _Guard(read_networks(allow, ALLOW_SETTING))
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self.own_url = ""
        """The base URL of this very server; empty in a process that serves nothing."""

    def allow_own(self, url: str) -> None:
        """Let exactly this scheme, host and port through: this very server."""
        self.own_url = url
        target = _parse(url)
        self._guard.origins.add((target.scheme, target.raw_host or "", target.port or 0))

    def check_url(self, url: str) -> None:
        """Raise `EgressRefusedError` for what can be refused without asking a name server."""
        self._guard.check_target(_parse(url))

    async def send(
        self, method: str, url: str, *, body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> Reply:
        """Return the answer whatever its status, a redirect included.

        Raises `EgressRefusedError` for a forbidden target, `UnreachableError` without an answer.
        """
        target = _parse(url)
        self._guard.check_target(target)
        try:
            async with self._open_session().request(
                method,
                target,
                data=body,
                headers={"accept-encoding": "identity", "user-agent": "Headwater", **headers},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as response:
                return await _read_reply(response)
        except TimeoutError as err:
            raise UnreachableError(
                f"{target.host} did not answer within {timeout_s:g} seconds.", kind="ETIMEDOUT"
            ) from err
        except aiohttp.InvalidURL as err:
            raise _refuse(target.host or "the address") from err
        except aiohttp.ClientError as err:
            word, kind = _reason(err)
            raise UnreachableError(f"{target.host} cannot be reached: {word}.", kind=kind) from err

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No shared limit of connections: a slow target must not keep a fast one waiting.
            connector = aiohttp.TCPConnector(
                resolver=_GuardedResolver(
                    self._guard, self._resolver or aiohttp.ThreadedResolver()
                ),
                use_dns_cache=False,
                limit=0,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def is_public(address: Address) -> bool:
    """Tell whether an address is an ordinary public one, that hides no other inside."""
    if not address.is_global or address.is_multicast:
        return False
    if address.version == 6 and address not in _GLOBAL_UNICAST_V6:  # noqa: PLR2004 - IPv6
        return False
    return not any(address in network for network in _NEVER)


class _Guard:
    """Decides about targets by their address; one for each client."""

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self.networks = networks
        self.origins: set[tuple[str, str, int]] = set()

    def check_target(self, target: URL) -> None:
        host, port = target.raw_host or "", target.port or 0
        if (target.scheme, host, port) in self.origins:
            return
        if self.knows(host, port):
            raise _refuse(str(target.origin()))  # the right place by the wrong scheme
        address = _read_literal(host)
        if address is not None:
            self.check_address(host, address)

    def check_address(self, host: str, address: Address) -> None:
        if not (is_public(address) or self._is_allowed(address)):
            raise _refuse(host)

    def knows(self, host: str, port: int) -> bool:
        return any((host, port) == (name, number) for _, name, number in self.origins)

    def _is_allowed(self, address: Address) -> bool:
        # `localhost` often has both loopback addresses: opening one opens the other.
        same = {address, _LOOPBACK_V4} if address == _LOOPBACK_V6 else {address}
        return any(one in network for one in same for network in self.networks)


class _GuardedResolver(AbstractResolver):
    """Resolves once for each connection, and lets nothing through if any address is bad."""

    def __init__(self, guard: _Guard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not self._guard.knows(host, port):
            for result in found:
                self._guard.check_address(host, ipaddress.ip_address(result["host"]))
        return found

    async def close(self) -> None:
        await self._inner.close()


def _parse(url: str) -> URL:
    """Read a URL with the parser that also connects, strictly."""
    if _ODD_CHARACTERS.search(url):
        raise EgressRefusedError("The URL holds a space, a backslash or a control character.")
    try:
        target = URL(url)
        well_formed = target.scheme in {"http", "https"} and bool(target.raw_host)
        port = target.port
    except ValueError as err:
        raise EgressRefusedError("The URL cannot be read.") from err
    if not well_formed or not port:
        raise EgressRefusedError("The URL must be absolute and begin with http:// or https://.")
    if target.raw_user is not None or target.raw_password is not None:
        raise EgressRefusedError("The URL must hold no user name or password.")
    return target


def _read_literal(host: str) -> Address | None:
    """Return the address that `host` spells, None for a name; refuse every unusual spelling."""
    if "%" in host:
        raise _refuse(host)
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        last_label = host.removesuffix(".").rpartition(".")[2]
        if ":" in host or not last_label or _NUMERIC_LABEL.fullmatch(last_label):
            raise _refuse(host) from None
        return None


def _refuse(host: str) -> EgressRefusedError:
    return EgressRefusedError(f"{host} is not a public address. {_HINT}", hint=_HINT)


_REASONS: tuple[tuple[type[aiohttp.ClientError], str, str], ...] = (
    (aiohttp.ClientConnectorDNSError, "its name is not known (DNS)", "ENOTFOUND"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not valid (TLS)", "CERTIFICATE"),
    (aiohttp.ClientSSLError, "no secure connection came about (TLS)", "TLS"),
    (aiohttp.ClientConnectorError, "no connection came about", "ENOTCONN"),
    (aiohttp.ServerConnectionError, "it hung up without an answer", "ECONNRESET"),
    (aiohttp.ClientOSError, "the connection broke", "ECONNRESET"),
    (aiohttp.ClientPayloadError, "its answer broke off", "ECONNABORTED"),
    (aiohttp.ClientResponseError, "it does not speak HTTP", "NOT_HTTP"),
)
_BY_NUMBER = {
    errno.ECONNREFUSED: "nobody listens there",
    errno.EHOSTUNREACH: "no way leads there",
    errno.ENETUNREACH: "no way leads there",
}


def _reason(err: aiohttp.ClientError) -> tuple[str, str]:
    """Return what happened, in words and as systems call it."""
    number = err.os_error.errno if isinstance(err, aiohttp.ClientConnectorError) else None
    if number in _BY_NUMBER:
        return _BY_NUMBER[number], errno.errorcode[number]
    found = ((word, kind) for of, word, kind in _REASONS if isinstance(err, of))
    return next(found, (type(err).__name__, "NO_ANSWER"))


async def _read_reply(response: aiohttp.ClientResponse) -> Reply:
    body = b""
    while len(body) < MAX_REPLY_BYTES:
        chunk = await response.content.read(MAX_REPLY_BYTES - len(body))
        if not chunk:
            break
        body += chunk
    else:
        response.close()  # whatever follows is not wanted, nor is this connection
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(status=response.status, headers=headers, body=body)
