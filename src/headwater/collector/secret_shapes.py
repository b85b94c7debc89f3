"""Find what looks like a secret by itself, whatever its name: JWTs, bearer tokens, cards.

In: text. Out: the same with each of them replaced by `MARK`. Also cuts addresses of clients to
their network. Every pattern is bounded, so that no text can make it slow. Pure.
"""

import ipaddress
import re

MARK = "*masked*"
"""Plain ASCII that is legal in a URI, a header and JSON alike."""

SHAPES = re.compile(
    r"(?a)(?<![\w-])eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*){0,3}"
    r"|(?i:(?<=\bbearer\s))[\w.~+/-]{16,}=*"
)
"""JWTs, and what follows `Bearer`."""

CARD = re.compile(
    r"(?a)(?<![\d.%])(?<!%[\da-fA-F])(?:\d{13,19}"
    r"|\d{4}(?P<by4>[ +-])\d{4}(?P=by4)\d{4}(?P=by4)\d{1,4}(?:(?P=by4)\d{1,3})?"
    r"|\d{4}(?P<by6>[ +-])\d{6}(?P=by6)\d{3,5})(?!\d)"
)
"""13 to 19 digits: in one run, or in groups as they stand on cards."""

EMAIL = re.compile(
    r"(?a)(?<![\w.+-])[\w.+-]{1,64}@(?:[a-zA-Z0-9-]{1,63}\.){1,8}[a-zA-Z]{2,24}(?![\w-])"
)
CARD_DIGITS = range(13, 20)
_DIGITS = re.compile(rb"[0-9]*+")
_TIMESTAMP = re.compile(rb"1[4-9](?:\d{11}|\d{14}|\d{17})")
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_PLAIN = bytes.maketrans(b"0123456789", bytes(range(10)))
_NOT_DIGITS = b" +-"
_IPV4 = re.compile(r"(?a)(?<![\w.])(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}(?![\w.])")
_IPV6 = re.compile(r"(?ai)(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:.])")


def mask_shapes(text: str) -> str:
    """Return text with JWTs, bearer tokens and card numbers masked."""
    return CARD.sub(_mask_card, SHAPES.sub(MARK, text))


def is_card(text: str) -> bool:
    """Luhn's check on 13 to 19 digits; moments in milli-, micro- and nanoseconds are no cards."""
    return CARD.fullmatch(text) is not None and passes_luhn(text.encode())


def passes_luhn(text: bytes) -> bool:
    """Luhn's check alone, on what has the form of a card."""
    if _TIMESTAMP.fullmatch(text):
        return False
    digits = text.translate(None, _NOT_DIGITS)
    odd, even = digits[-1::-2].translate(_PLAIN), digits[-2::-2].translate(_DOUBLED)
    return (sum(odd) + sum(even)) % 10 == 0


def digits_at(text: bytes, at: int) -> bytes:
    """Return the run of digits that begins at a place."""
    found = _DIGITS.match(text, at)
    return found[0] if found else b""


def cut_addresses(text: str) -> str:
    """Return text with each IP address in it cut to its network: /24 or /48."""
    return _IPV6.sub(_cut_ipv6, _IPV4.sub(r"\1.0", text))


def _cut_ipv6(address: re.Match[str]) -> str:
    try:
        whole = ipaddress.IPv6Address(address[0])
    except ValueError:
        return address[0]
    return str(ipaddress.IPv6Network((whole, 48), strict=False).network_address)


def _mask_card(digits: re.Match[str]) -> str:
    return MARK if passes_luhn(digits[0].encode()) else digits[0]
