"""The guard on outbound requests, decided without a network."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.egress import Egress, EgressRefusedError, is_public
from headwater.base.errors import MisconfiguredError

LITERALS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",  # noqa: S104 - a target to refuse
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[ff0e::1]",
]


@pytest.mark.parametrize("host", LITERALS)
def test_every_spelling_of_an_inside_address_is_refused(host: str) -> None:
    """However an address of our own network is written, the guard says no and names the setting."""
    with pytest.raises(EgressRefusedError) as caught:
        Egress().check_url(f"http://{host}/hook")
    assert "HEADWATER_EGRESS__ALLOW" in caught.value.message or "read" in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "example.com",
        "http://",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://:secret@example.com/",
        "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\r\nx: y",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://[::1/",
    ],
)
def test_an_odd_url_is_refused(url: str) -> None:
    """Only absolute http and https URLs without user, spaces and tricks are read."""
    with pytest.raises(EgressRefusedError):
        Egress().check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "https://bücher.example/hook",
        "http://93.184.216.34:8080/",
        "http://[2606:4700::1111]/",
        "https://example.com./hook?a=1#b",
        "https://1.example.com2/",
    ],
)
def test_a_public_target_passes(url: str) -> None:
    """Names are judged when they are resolved; public literals pass at once."""
    Egress().check_url(url)


def test_an_allowed_network_opens_just_itself() -> None:
    """A setting of 127.0.0.0/8 opens the loopback, by both families, and nothing more."""
    egress = Egress("127.0.0.0/8, 10.9.0.0/16")
    egress.check_url("http://127.0.0.1:9000/")
    egress.check_url("http://[::1]:9000/")
    egress.check_url("http://10.9.1.1/")
    for closed in ("http://10.8.1.1/", "http://[::ffff:127.0.0.1]/", "http://192.168.0.1/"):
        with pytest.raises(EgressRefusedError):
            egress.check_url(closed)


def test_an_allowed_origin_is_exact() -> None:
    """The built-in source may be reached by its scheme, host and port, and by no other."""
    egress = Egress()
    egress.allow_own("http://127.0.0.1:8000")
    egress.check_url("http://127.0.0.1:8000/v1/batch")
    for other in ("http://127.0.0.1:8001/", "https://127.0.0.1:8000/", "http://127.0.0.2:8000/"):
        with pytest.raises(EgressRefusedError):
            egress.check_url(other)


def test_a_wrong_network_names_the_setting() -> None:
    """A typo in the list stops the start, not the first delivery."""
    with pytest.raises(MisconfiguredError, match="HEADWATER_EGRESS__ALLOW"):
        Egress("127.0.0.0/8,localhost")


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_never_public(address: ipaddress.IPv4Address) -> None:
    """IPv6 forms that carry an IPv4 address are refused, whichever address they carry."""
    number = int(address)
    for prefix in ("::", "::ffff:0:0", "64:ff9b::"):
        inside = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number)
        assert not is_public(inside)
    assert not is_public(ipaddress.IPv6Address((0x2002 << 112) | (number << 80)))
