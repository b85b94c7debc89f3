"""Mask an item that was rejected, so that it can be shown: more widely than what is kept.

In: bytes that a client sent, perhaps no JSON at all, perhaps cut. Out: text. Nobody can tell what a
field is of an item that is no good, so names count behind their last dot as well
(`http.request.header.auth`), members `name` and `value`, or `key` and `value`, are a name and its
value, base64 is looked into, and addresses are cut wherever they stand if the app wants that. Pure.
"""

import base64
import re
from collections.abc import Callable
from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.collector.careful_mask import CarefulMask
from headwater.collector.json_text import check_depth, read_json, write_json
from headwater.collector.secret_names import SecretNames, Verdict
from headwater.collector.secret_shapes import MARK, cut_addresses
from headwater.collector.secret_text import VALUE
from headwater.workspace import MaskingPolicy

_NAMES = ("name", "key")
_VALUE = "value"
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")
_PACKED = re.compile(r"(?:[A-Za-z0-9+]|\\?/){16,}+")
_COLON = r"\s{0,8}:\s{0,8}"
_PAIR = re.compile(
    rf'("(?:{"|".join(_NAMES)})"{_COLON}"([^"\\]{{0,200}})"\s{{0,8}},\s{{0,8}}"{_VALUE}"{_COLON}'
    rf'(?:\{{\s{{0,8}}"\w{{1,20}}"{_COLON})?+)({VALUE})'
)
"""In the order in which HTTP archives and OpenTelemetry write them, the value perhaps typed."""


class Samples:
    """Masks samples by the policy of one app."""

    def __init__(self, policy: MaskingPolicy, fingerprint: Callable[[str], str]) -> None:
        self._names = _LooseNames(policy)
        self._careful = CarefulMask(self._names, fingerprint, emails=policy.emails)
        self._cuts_addresses = policy.ip_addresses

    def masked(self, item: bytes) -> str:
        """Return an item masked: as JSON if it is that, else as words."""
        try:
            check_depth(item, "$")
            document = read_json(item)
        except InvalidInputError:
            text = item.decode("utf-8", "replace")
            masked = self._words(_ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text))
        else:
            covered = self._cover_pairs(document)
            raw = item if covered == document else write_json(covered)
            masked = self._careful.document(raw).decode()
        masked = _PACKED.sub(self._hide_packed, masked)
        return cut_addresses(masked) if self._cuts_addresses else masked

    def _cover_pairs(self, value: Any) -> Any:
        """Cover what stands beside a secret name instead of under it."""
        if isinstance(value, list):
            return [self._cover_pairs(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        covered = {name: self._cover_pairs(inner) for name, inner in value.items()}
        told = [name for key in _NAMES if isinstance(name := value.get(key), str)]
        if any(self._names.verdict_on(name, value.get(_VALUE)) != "keep" for name in told):
            covered[_VALUE] = MARK
        return covered

    def _words(self, text: str) -> str:
        return self._careful.text_rules.words(_PAIR.sub(self._cover_pair, text))

    def _cover_pair(self, pair: re.Match[str]) -> str:
        if self._names.verdict(pair[2]) == "keep":
            return pair[0]
        return f'{pair[1]}"{MARK}' if pair[3].startswith('"') else f"{pair[1]}{MARK}"

    def _hide_packed(self, packed: re.Match[str]) -> str:
        """Mask what may be a body in base64, or the beginning of one."""
        text = packed[0].replace("\\", "")
        data = base64.b64decode(text[: len(text) // 4 * 4])
        return packed[0] if self._careful.data(data) == data else MARK


class _LooseNames(SecretNames):
    """Looks at the last part of a dotted name, too."""

    def verdict(self, name: str) -> Verdict:
        found = super().verdict(name)
        return super().verdict(name.rpartition(".")[2]) if found == "keep" else found
