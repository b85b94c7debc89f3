"""Find secrets in text that is not JSON: words, forms, query strings, multipart, broken JSON.

In: text. Out: the same with each secret value replaced by `MARK`. Every pattern is bounded or
possessive, so that no text can make it slow. Pure.
"""

import re
from urllib.parse import unquote_plus

from headwater.collector.secret_names import SECRET_NAMES, SECRET_PARTS, is_secret_name

MARK = "*masked*"
"""Plain ASCII that is legal in a URI, a header and JSON alike."""

_NAME = "|".join(
    (
        *(part.replace("-", "[-_ .]?") for part in SECRET_PARTS),
        *(rf"\b{name.replace('-', '[-_ .]?')}\b" for name in SECRET_NAMES),
    )
)
_QUOTED_INSIDE_QUOTES = r'\\++"[^"\\]*+(?:\\++[^"\\][^"\\]*+)*+'
_QUOTED = r'"[^"\\]*+(?:\\.[^"\\]*+)*+'
_SINGLE_QUOTED = r"'[^']*+"
_NESTED = r"[\[{][^\]}]*+"
_BARE = r"""[^\s&;,"'<>}\])\\]+"""
_VALUE = f"{_QUOTED_INSIDE_QUOTES}|{_QUOTED}|{_SINGLE_QUOTED}|{_NESTED}|{_BARE}"

_QUOTE = r"""\\*+["']?+"""
"""Perhaps escaped, once for each document around it."""

_LINE = re.compile(
    rf"""(?i)((?:authorization|cookie){_QUOTE}\s{{0,8}}[=:]\s{{0,8}}{_QUOTE})[^\r\n"'\\]+"""
)
"""`Cookie: a=b; c=d` in a text: all of the line."""
_PAIR = re.compile(
    rf"(?is)((?:{_NAME})[\w.%\[\]-]{{0,64}}{_QUOTE}\s{{0,8}}[=:]\s{{0,8}})({_VALUE})"
)
_OPENING = re.compile(_QUOTE)
_PART = re.compile(
    r"""(?is)(name="([^"\r\n]{0,200})"[^\r\n]{0,500}(?:\r?\n[^\r\n]{1,500}){0,5}\r?\n\r?\n)"""
    r"""(.*?)(?=\r?\n--|\Z)"""
)
"""One part of a multipart form."""
_PARAMETER = re.compile(r"([?&#;])([^=&#;?\s]{1,400})=([^&#;\s]*)")
_FORM = re.compile(r"[\w.%+\[\]$:~*-]{1,400}=\S*")
_USERINFO = re.compile(r"(//[^/?#@:\s]{0,400}:)[^/?#@\s]{1,400}@")
_SHAPES = re.compile(
    r"(?<![\w-])eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*){0,3}"
    r"|(?i:(?<=\bbearer\s))[\w.~+/-]{16,}=*"
)
_CARD = re.compile(
    r"(?<![\d.])\d{4}[ +-]?"
    r"(?:\d{4}[ +-]?\d{4}[ +-]?(?:\d{4}[ +-]\d{1,3}|\d{1,7})|\d{6}[ +-]?\d{3,5})(?!\d)"
)
_TIMESTAMP = re.compile(r"1[4-9](?:\d{11}|\d{14}|\d{17})")
_CARD_DIGITS = range(13, 20)


def mask_words(text: str) -> str:
    """Return text of any kind masked, without reading it as JSON or as one form."""
    text = _PART.sub(_mask_part, text)
    text = _USERINFO.sub(rf"\1{MARK}@", text)
    text = _LINE.sub(rf"\1{MARK}", text)
    return mask_shapes(_PAIR.sub(_mask_pair, text))


def mask_form(text: str) -> str | None:
    """Return a form (`a=1&b=2`) masked, or None when the text is none."""
    if not _FORM.fullmatch(text):
        return None
    return mask_shapes(_PARAMETER.sub(_mask_parameter, f"&{text}")[1:])


def mask_query(uri: str) -> str:
    """Return a URI with its password and secret parameters masked, in path, query and fragment."""
    return mask_shapes(_PARAMETER.sub(_mask_parameter, _USERINFO.sub(rf"\1{MARK}@", uri)))


def mask_shapes(text: str) -> str:
    """Return text with what looks like a secret by itself masked: JWTs, bearer tokens, cards."""
    return _CARD.sub(_mask_card, _SHAPES.sub(MARK, text))


def is_card(text: str) -> bool:
    """Luhn's check on 13 to 19 digits; moments in milli-, micro- and nanoseconds are no cards."""
    if not _CARD.fullmatch(text) or _TIMESTAMP.fullmatch(text):
        return False
    digits = [int(digit) for digit in text if digit.isdecimal()]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return len(digits) in _CARD_DIGITS and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _mask_part(part: re.Match[str]) -> str:
    return part[1] + MARK if is_secret_name(part[2]) else part[0]


def _mask_pair(pair: re.Match[str]) -> str:
    opening = _OPENING.match(pair[2])
    return pair[1] + (opening[0] if opening else "") + MARK


def _mask_parameter(parameter: re.Match[str]) -> str:
    mark, name, value = parameter.groups()
    if value and (is_secret_name(unquote_plus(name)) or _holds_shape(unquote_plus(value))):
        return f"{mark}{name}={MARK}"
    return parameter[0]


def _holds_shape(text: str) -> bool:
    return mask_shapes(text) != text


def _mask_card(digits: re.Match[str]) -> str:
    return MARK if is_card(digits[0]) else digits[0]
