"""Know who asks, when a proxy stands in front of this server.

In: networks as an operator writes them, and requests. Out: the address of the client itself, as the
proxies of these networks tell it. Believes nobody else: whoever asks can send any header.
"""

import ipaddress

from headwater.base.asgi import App, Receive, Scope, Send
from headwater.base.errors import MisconfiguredError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

TRUSTED_SETTING = "HEADWATER_SERVER__TRUSTED_PROXIES"
_MOST_HOPS = 20
_FORWARDED_FOR = b"x-forwarded-for"


def read_networks(text: str, setting: str) -> tuple[Network, ...]:
    """Read networks separated by commas; `setting` is named when one is wrong."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        return tuple(ipaddress.ip_network(name, strict=False) for name in names)
    except ValueError as err:
        raise MisconfiguredError(
            f"{setting} is wrong: {err}",
            hint="List networks separated by commas, such as 127.0.0.0/8,10.1.0.0/16.",
        ) from err


def behind_proxies(app: App, trusted: str) -> App:
    """Return `app`, told of clients instead of the `trusted` proxies that pass requests on."""
    networks = read_networks(trusted, TRUSTED_SETTING)
    if not networks:
        return app

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.get("client")
        if peer:
            forwarded = [value for name, value in scope["headers"] if name == _FORWARDED_FOR]
            address = find_client(peer[0], b",".join(forwarded).decode("latin-1"), networks)
            if address != peer[0]:  # its port is nowhere told
                scope = {**scope, "client": (address, 0)}
        await app(scope, receive, send)

    return told


def find_client(peer: str, forwarded: str, trusted: tuple[Network, ...]) -> str:
    """Return the nearest address that no trusted proxy has.

    Each proxy adds on the right whom it heard: left of a stranger is only the stranger's word.
    """
    client = peer
    for text in reversed(forwarded.rsplit(",", _MOST_HOPS)):
        here, before = _read_address(client), _read_address(text)
        if here is None or before is None or not any(here in network for network in trusted):
            break
        client = str(before)
    return client


def _read_address(text: str) -> Address | None:
    """Some proxies add the port; a socket for both versions writes IPv4 as IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
