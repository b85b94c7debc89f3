"""Know the names that HTTP facts have in OpenTelemetry, new ones first.

In: attributes by the stable semantic conventions for HTTP, by those before 1.21, or by both at
once. Out: the facts of a call, and what else the attributes say. Raises `InvalidInputError` with
the place of what cannot be read. Pure.
"""

from collections.abc import Iterator
from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.collector.otlp.records import Kind, Record
from headwater.collector.tolerance import as_text, as_whole

VERB = ("http.request.method", "http.method")
ORIGINAL_VERB = ("http.request.method_original",)
STATUS = ("http.response.status_code", "http.status_code")
URL = ("url.full", "http.url")
SCHEME = ("url.scheme", "http.scheme")
PATH = ("url.path",)
QUERY = ("url.query",)
TARGET = ("http.target",)
ROUTE = ("http.route",)
HOST_AND_PORT = ("http.host",)
HOST = ("server.address", "net.host.name", "http.server_name")
PORT = ("server.port", "net.host.port")
PEER_HOST = ("server.address", "net.peer.name")
PEER_PORT = ("server.port", "net.peer.port")
USER_AGENT = ("user_agent.original", "http.user_agent")
CLIENT = ("client.address", "http.client_ip")
CLIENT_PEER = ("network.peer.address", "net.sock.peer.addr", "net.peer.ip")
ADDRESSES = (*CLIENT, *CLIENT_PEER, "source.address", "client.socket.address")
"""Where addresses of callers and peers can be, whether or not a field takes them."""
REQUEST_BYTES = ("http.request.body.size", "http.request_content_length")
RESPONSE_BYTES = ("http.response.body.size", "http.response_content_length")
USER = ("user_id", "enduser.id", "user.id")
COMPANY = ("company_id",)
SUBSCRIPTION = ("subscription_id",)
ANONYMOUS = ("anonymous_id", "enduser.pseudo.id")
REQUEST_HEADER = "http.request.header."
RESPONSE_HEADER = "http.response.header."

_OTHER_VERB = "_OTHER"
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_MAPPED = frozenset(
    name
    for names in (
        VERB, ORIGINAL_VERB, STATUS, URL, SCHEME, PATH, QUERY, TARGET, ROUTE, HOST_AND_PORT, HOST,
        PORT, USER_AGENT, CLIENT, REQUEST_BYTES, RESPONSE_BYTES, USER, COMPANY, SUBSCRIPTION,
        ANONYMOUS,
    )
    for name in names
)  # fmt: skip
"""What has a field of its own. Addresses of peers stay with the rest: they may be proxies."""


class Facts:
    """The attributes of one record."""

    def __init__(self, record: Record) -> None:
        self._attributes = record.attributes
        self._place = f"{record.place}.attributes"
        self._is_client = record.kind == Kind.CLIENT
        self._host = PEER_HOST if self._is_client else HOST
        self._port = PEER_PORT if self._is_client else PORT

    def has(self, names: tuple[str, ...]) -> bool:
        """Tell whether any of the names is there."""
        return self._first(names)[0] != ""

    def text(self, names: tuple[str, ...]) -> str:
        """Return the first that is there, else ""."""
        name, value = self._first(names)
        return as_text(value, f"{self._place}.{name}") if name else ""

    def whole(self, names: tuple[str, ...]) -> int | None:
        """Return the first that is there as a whole number."""
        name, value = self._first(names)
        return as_whole(value, f"{self._place}.{name}") if name else None

    def verb(self) -> str:
        """Return the verb; an unusual one is given beside the known ones."""
        verb = self.text(VERB)
        return self.text(ORIGINAL_VERB) or verb if verb == _OTHER_VERB else verb

    def uri(self) -> str:
        """Return the URI as a whole, or put together from its parts."""
        whole = self.text(URL) or self.text(TARGET)
        if "://" in whole.partition("?")[0]:
            return whole
        path = self._path() or whole or self.text(ROUTE)
        if not path:
            raise InvalidInputError(
                "This is required.", field=self.place_of(URL if self._is_client else PATH)
            )
        authority = self._authority()
        path = path if path.startswith("/") or not authority else f"/{path}"
        return f"{self._scheme()}://{authority}{path}" if authority else path

    def ip_address(self) -> str:
        """Return the address of the caller; the peer of an outgoing call is no caller."""
        return "" if self._is_client else self.text(CLIENT) or self.text(CLIENT_PEER)

    def headers(self, prefix: str) -> dict[str, str]:
        """Return captured headers: several instrumentations write `_` for `-`."""
        return {
            name.removeprefix(prefix).replace("_", "-"): _joined(value, f"{self._place}.{name}")
            for name, value in self._attributes.items()
            if name.startswith(prefix)
        }

    def rest(self) -> Iterator[tuple[str, Any]]:
        """Return what has no field of its own."""
        for name, value in self._attributes.items():
            if name not in _MAPPED and not name.startswith((REQUEST_HEADER, RESPONSE_HEADER)):
                yield name, value

    def place_of(self, names: tuple[str, ...]) -> str:
        """Return where the fact stands, or where it should."""
        return f"{self._place}.{self._first(names)[0] or names[0]}"

    def _first(self, names: tuple[str, ...]) -> tuple[str, Any]:
        for name in names:
            value = self._attributes.get(name)
            if value not in (None, ""):
                return name, value
        return "", None

    def _path(self) -> str:
        path, query = self.text(PATH), self.text(QUERY)
        return f"{path}?{query}" if path and query else path

    def _scheme(self) -> str:
        secure = self.text(self._port) == _DEFAULT_PORTS["https"]
        return self.text(SCHEME) or ("https" if secure else "http")

    def _authority(self) -> str:
        given = self.text(HOST_AND_PORT)
        host, port = self.text(self._host), self.text(self._port)
        if given or not host:
            return given
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return host if port in {"", _DEFAULT_PORTS.get(self._scheme())} else f"{host}:{port}"


def _joined(value: Any, place: str) -> str:
    if isinstance(value, list):
        return ", ".join(as_text(one, place) for one in value)
    return as_text(value, place)
