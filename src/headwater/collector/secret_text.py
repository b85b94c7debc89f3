"""Find secrets in text that is not JSON: words, forms, query strings, multipart, broken JSON.

In: text, and which names are secret. Out: the same with each secret value replaced by `MARK`. Every
pattern is bounded or possessive, so that no text can make it slow. Pure.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote_plus

from headwater.collector.secret_names import SECRET_PARTS, SecretNames
from headwater.collector.secret_shapes import EMAIL, MARK, mask_shapes

_SEPARATOR = "[-_. +]?"
_QUOTED_INSIDE_QUOTES = r'\\++"[^"\\]*+(?:\\++[^"\\][^"\\]*+)*+'
_QUOTED = r'"[^"\\]*+(?:\\.[^"\\]*+)*+'
_SINGLE_QUOTED = r"'[^']*+"
_NESTED = r"[\[{][^\]}]*+"
_BARE = r"""[^\s&;,"'<>}\])\\]+"""
VALUE = f"{_QUOTED_INSIDE_QUOTES}|{_QUOTED}|{_SINGLE_QUOTED}|{_NESTED}|{_BARE}"

_QUOTE = r"""\\*+["']?+"""
"""Perhaps escaped, once for each document around it."""

_LINE = re.compile(
    rf"""(?ai)((?:authorization|cookie){_QUOTE}\s{{0,8}}[=:]\s{{0,8}}{_QUOTE})[^\r\n"'\\]+"""
)
"""`Cookie: a=b; c=d` in a text: all of the line."""
_OPENING = re.compile(_QUOTE)
_BEFORE = re.compile(r"[\w.-]{0,64}\Z")
_PART = re.compile(
    r"""(?is)(name="([^"\r\n]{0,200})"[^\r\n]{0,500}(?:\r?\n[^\r\n]{1,500}){0,5}\r?\n\r?\n)"""
    r"""(.*?)(?=\r?\n--|\Z)"""
)
"""One part of a multipart form."""
_PARAMETER = re.compile(r"([?&#;])([^=&#;?\s]{1,400})=([^&#;\s]*)")
_PARAMETER_IN_WORDS = re.compile(r"""([?&#;])([^=&#;?\s"'<>]{1,400})=([^&#;\s"'<>]*)""")
_FORM = re.compile(r"[\w.%+\[\]$:~*-]{1,400}=\S*")
_USERINFO = re.compile(r"(//[^/?#@:\s]{0,400}:)[^/?#@\s]{1,400}@")

Cover = Callable[[str, str], str]
"""Return what stands in place of the value of a secret name."""


class SecretText:
    """Masks text by the names of one app."""

    def __init__(self, names: SecretNames, cover: Cover, *, emails: bool) -> None:
        self._names = names
        self._cover = cover
        self._emails = emails
        self._pair = _pair_pattern(names)

    def words(self, text: str) -> str:
        """Return text of any kind masked, without reading it as JSON or as one form."""
        text = _PART.sub(self._part, text)
        text = _USERINFO.sub(rf"\1{MARK}@", text)
        text = _PARAMETER_IN_WORDS.sub(self._parameter, text)
        text = _LINE.sub(rf"\1{MARK}", text)
        return self.shapes(self._pair.sub(self._mask_pair, text))

    def form(self, text: str) -> str | None:
        """Return a form (`a=1&b=2`) masked, or None when the text is none."""
        if not _FORM.fullmatch(text):
            return None
        return self.shapes(_PARAMETER.sub(self._parameter, f"&{text}")[1:])

    def query(self, uri: str) -> str:
        """Return a URI masked: its password, secret parameters in path, query and fragment."""
        return self.shapes(_PARAMETER.sub(self._parameter, _USERINFO.sub(rf"\1{MARK}@", uri)))

    def shapes(self, text: str) -> str:
        """Return text with what looks like a secret by itself masked."""
        text = mask_shapes(text)
        return EMAIL.sub(MARK, text) if self._emails else text

    def _part(self, part: re.Match[str]) -> str:
        return part[0] if self._names.verdict(part[2]) == "keep" else part[1] + MARK

    def _mask_pair(self, pair: re.Match[str]) -> str:
        before = _BEFORE.search(pair.string, max(0, pair.start() - 64), pair.start())
        if self._names.verdict((before[0] if before else "") + pair["name"]) == "keep":
            return pair[0]
        opening = _OPENING.match(pair["value"])
        return pair["opening"] + (opening[0] if opening else "") + MARK

    def _parameter(self, parameter: re.Match[str]) -> str:
        mark, name, value = parameter.groups()
        if not value:
            return parameter[0]
        plain_name, plain_value = unquote_plus(name), unquote_plus(value)
        if self._names.verdict(plain_name) != "keep":
            return f"{mark}{name}={self._cover(plain_name, plain_value)}"
        return f"{mark}{name}={MARK}" if self._holds_secret(plain_value) else parameter[0]

    def _holds_secret(self, text: str) -> bool:
        """Look into a value that may be a URI itself."""
        named = (self._names.verdict(name) for _, name, value in _PARAMETER.findall(text) if value)
        return (
            self.shapes(text) != text
            or _USERINFO.search(text) is not None
            or any(verdict != "keep" for verdict in named)
        )


def _pair_pattern(names: SecretNames) -> re.Pattern[str]:
    parts = (re.escape(part).replace(r"\-", _SEPARATOR) for part in SECRET_PARTS)
    whole = (re.escape(name).replace(r"\-", _SEPARATOR) for name in names.whole)
    name = rf"(?:{'|'.join(parts)})[\w.%\[\]-]{{0,64}}|\b(?:{'|'.join(whole)})(?=[\"'\\=:])"
    return re.compile(
        rf"(?ais)(?P<opening>(?P<name>{name}){_QUOTE}\s{{0,8}}[=:]\s{{0,8}})(?P<value>{VALUE})"
    )
