"""Whose word counts about who asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.asgi import App, Receive, Scope, Send
from headwater.base.errors import MisconfiguredError
from headwater.base.networks import TRUSTED_SETTING, behind_proxies, find_client, read_networks

OURS = read_networks("10.0.0.0/8, ::1", TRUSTED_SETTING)
WORDS = st.lists(
    st.ip_addresses().map(str) | st.sampled_from(["10.2.2.2", "::1"]) | st.text(max_size=9)
).map(",".join)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.2.2.2", "203.0.113.7"),
        ("10.0.0.1", "10.3.3.3 ,10.2.2.2", "10.3.3.3"),
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "unknown, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("::1", "[2001:db8::5]:4711", "2001:db8::5"),
        ("::1", "2001:db8::5", "2001:db8::5"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("192.0.2.1", "203.0.113.7", "192.0.2.1"),
        ("", "203.0.113.7", ""),
    ],
)
def test_the_nearest_stranger_is_the_client(peer: str, forwarded: str, client: str) -> None:
    """Trusted proxies are passed from right to left; what they did not write is not believed."""
    assert find_client(peer, forwarded, OURS) == client


@given(WORDS)
def test_a_stranger_is_who_connects(forwarded: str) -> None:
    """Whatever header somebody sends who is no trusted proxy."""
    assert find_client("192.0.2.1", forwarded, OURS) == "192.0.2.1"


@given(WORDS)
def test_a_client_cannot_name_itself(said: str) -> None:
    """What stands left of the address that our proxy added changes nothing."""
    assert find_client("10.0.0.1", f"{said},203.0.113.7", OURS) == "203.0.113.7"


async def _client_seen(trusted: str, *forwarded: bytes) -> tuple[str, int]:
    seen: list[tuple[str, int]] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["client"])

    await _ask(behind_proxies(app, trusted), forwarded)
    return seen[0]


async def _ask(app: App, forwarded: tuple[bytes, ...]) -> None:
    async def nothing(*_: object) -> dict[str, object]:
        return {}

    headers = [(b"x-forwarded-for", value) for value in forwarded]
    scope: Scope = {"type": "http", "client": ("10.0.0.1", 5), "headers": headers}
    await app(scope, nothing, nothing)  # type: ignore[arg-type]  # nobody receives or sends


async def test_nobody_is_believed_by_default() -> None:
    """Without the setting the client is whoever connects."""
    assert await _client_seen("", b"203.0.113.7") == ("10.0.0.1", 5)


async def test_repeated_headers_are_one_list() -> None:
    """A proxy may add a line of its own instead of going on with the client's."""
    assert await _client_seen("10.0.0.0/8", b"6.6.6.6", b"203.0.113.7") == ("203.0.113.7", 0)
    assert await _client_seen("10.0.0.0/8") == ("10.0.0.1", 5)


def test_a_misspelt_network_is_refused_at_the_start() -> None:
    """And the setting is named."""
    with pytest.raises(MisconfiguredError, match=TRUSTED_SETTING):
        read_networks("10.0.0.0/99", TRUSTED_SETTING)
