"""Match patterns that an operator wrote against text that anybody may have sent.

In: a regular expression. Out: whether it is found in a text, in time linear in the text: no pattern
and no text together can hold the process up.
"""

import re
import warnings

import re2

from headwater.base.errors import InvalidInputError

LONGEST_PATTERN = 1_000
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class Pattern:
    """A regular expression that Python and RE2 read alike."""

    def __init__(self, text: str, field: str = "") -> None:
        """Compile; raise `InvalidInputError` at `field` when it is no such pattern."""
        if len(text) > LONGEST_PATTERN:
            raise InvalidInputError(
                f"A pattern has at most {LONGEST_PATTERN} characters.", field=field
            )
        try:
            with warnings.catch_warnings():
                # What Python will soon read in another way, others read so already.
                warnings.simplefilter("error", FutureWarning)
                re.compile(text)
            self._found = re2.compile(text, _OPTIONS).search
        except (re.error, re2.error, FutureWarning, OverflowError, RecursionError) as err:
            raise InvalidInputError(
                f"{text!r} is not a pattern: {_reason(err)}.",
                field=field,
                hint="Regular expressions without look-around and back references.",
            ) from err

    def is_in(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in the text."""
        return self._found(text) is not None


def _reason(err: Exception) -> str:
    first = err.args[0] if err.args else err
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
