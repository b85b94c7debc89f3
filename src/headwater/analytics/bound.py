"""Collect the values of a query, so that none is ever part of its text.

In: values with their engine types. Out: placeholders for the SQL, and the values apart.
"""

from collections.abc import Sequence
from datetime import datetime

Value = (
    str
    | int
    | float
    | datetime
    | Sequence[str]
    | Sequence[int]
    | Sequence[float]
    | Sequence[Sequence[str]]
    | Sequence[tuple[str, int, int, bool]]
)


class Bound:
    """The values of one query."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}

    def put(self, value: Value, type_: str) -> str:
        """Return the placeholder that stands for `value`."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{type_}}}"
