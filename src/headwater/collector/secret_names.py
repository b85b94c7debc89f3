"""Know by its name what is secret: headers, parameters, keys of JSON.

In: a name, and what the app decided about names. Out: keep, mask, or fingerprint the value. Case
and separators do not matter: `apiKey`, `API-Key` and `api_key` are one name. Pure.
"""

from collections.abc import Iterable
from typing import Literal

from headwater.base.spelling import flatten, spellings
from headwater.workspace import PROTECTED_PARTS, MaskingPolicy, is_protected

Verdict = Literal["keep", "mask", "fingerprint"]

SECRET_PARTS = (
    *PROTECTED_PARTS,
    "access-key", "api-key", "auth-key", "credential", "csrf", "cvc", "cvv", "jwt", "private-key",
    "secret", "session", "signature", "token", "xsrf",
)  # fmt: skip
"""A name is secret when it holds one of these, unless the app keeps it."""

SECRET_NAMES = ("auth", "x-auth")
"""Names that are secret as a whole, but not inside others, such as `author`."""

_COUNTS = "tokens"
"""`max_tokens: 100` counts; it does not open anything."""

_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 100


class SecretNames:
    """What one app's policy says of each name."""

    def __init__(self, policy: MaskingPolicy) -> None:
        self.whole = _all_spellings((*SECRET_NAMES, *policy.mask, *policy.fingerprint))
        """Spellings that are secret as a whole."""
        self._keep = frozenset(_all_spellings(policy.keep))
        self._fingerprint = frozenset(_all_spellings(policy.fingerprint))
        self._known: dict[str, Verdict] = {}

    def verdict(self, name: str) -> Verdict:
        """Tell what becomes of the value of a header, parameter or key of this name."""
        known = self._known.get(name)
        if known is not None:
            return known
        verdict = self._judge(flatten(name))
        if len(name) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[name] = verdict
        return verdict

    def verdict_on(self, name: str, value: object) -> Verdict:
        """Tell the same of a JSON key: nothing, yes or no, and counts tell nothing."""
        if value is None or value == "" or isinstance(value, bool):
            return "keep"
        if isinstance(value, int | float) and name.lower().endswith(_COUNTS):
            return "keep"
        return self.verdict(name)

    def _judge(self, flat: str) -> Verdict:
        if flat in self._fingerprint:
            return "fingerprint"
        if flat in self._keep and not is_protected(flat):
            return "keep"
        return "mask" if flat in self.whole or any(part in flat for part in _PARTS) else "keep"


def _all_spellings(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spelling for name in names for spelling in spellings(name)))


_PARTS = _all_spellings(SECRET_PARTS)
