"""Mask a document by reading all of it: the slow way, and the truth that quicker ways are held to.

In: one JSON document, text of any kind, or bytes; and which names are secret. Out: the same with
each secret value covered, wherever it stands. Looks at nothing in advance and skips nothing. Pure.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.collector.json_text import check_depth, read_json, write_json
from headwater.collector.secret_names import SecretNames
from headwater.collector.secret_shapes import MARK, is_card
from headwater.collector.secret_text import SecretText

TOO_BIG_NUMBER = re.compile(rb"\d{20,}|\d[eE]\+?\d{3,}")
"""Perhaps beyond 64 bits or a double: other readers could not hold it."""
_SHORTEST_SHAPE = 12
"""Characters of the shortest JWT; cards and bearer tokens are longer."""


class CarefulMask:
    """Masks whole documents by the names of one app."""

    def __init__(
        self,
        names: SecretNames,
        fingerprint: Callable[[str], str],
        *,
        emails: bool = False,
    ) -> None:
        self._names = names
        self._fingerprint = fingerprint
        self.text_rules = SecretText(names, self.cover, emails=emails)

    def cover(self, name: str, value: object) -> str:
        """Return what stands in place of the value of a secret name."""
        if self._names.verdict(name) == "fingerprint" and not isinstance(value, dict | list):
            return self._fingerprint(str(value))
        return MARK

    def document(self, raw: bytes) -> bytes:
        """Return a JSON document masked; one that cannot be read is masked whole."""
        try:
            value = read_json(raw)
            masked = self._value(value)
        except (InvalidInputError, RecursionError):
            return write_json(MARK)
        return write_json(masked) if masked != value or TOO_BIG_NUMBER.search(raw) else raw

    def text(self, text: str) -> str:
        """Return plain text of any kind masked: JSON, a form, multipart, or words."""
        if text.lstrip()[:1] in {"{", "["}:
            return self._json_text(text)
        form = self.text_rules.form(text)
        return self.text_rules.words(text) if form is None else form

    def key(self, name: str) -> str:
        """Return the key of a member: it may be a secret by its shape."""
        is_too_short = len(name) < _SHORTEST_SHAPE and "@" not in name
        return name if is_too_short else self.text_rules.shapes(name)

    def encoded(self, raw: bytes) -> bytes:
        """Return a JSON string masked that holds base64 of anything."""
        try:
            data = base64.b64decode(read_json(raw), validate=True)
        except (binascii.Error, TypeError, ValueError):
            return self.document(raw)
        masked = self.data(data)
        return raw if masked == data else write_json(base64.b64encode(masked).decode())

    def _json_text(self, text: str) -> str:
        try:
            check_depth(text.encode(), "$")
            value = read_json(text)
        except InvalidInputError:
            return self.text_rules.words(text)
        masked = self._value(value)
        return text if masked == value else write_json(masked).decode()

    def _value(self, value: Any) -> Any:
        match value:
            case dict():
                return {self.key(name): self._member(name, inner) for name, inner in value.items()}
            case list():
                return [self._value(inner) for inner in value]
            case str():
                return self.text(value)
            case int() if not isinstance(value, bool) and is_card(str(value)):
                return MARK
            case _:
                return value

    def _member(self, name: str, value: Any) -> Any:
        if self._names.verdict_on(name, value) == "keep":
            return self._value(value)
        return self.cover(name, value)

    def data(self, data: bytes) -> bytes:
        """Return bytes of any kind masked."""
        try:
            return self.text(data.decode()).encode()
        except UnicodeDecodeError:
            # A form with a file in it: Latin-1 gives each byte back as it was.
            return self.text_rules.words(data.decode("latin-1")).encode("latin-1")
