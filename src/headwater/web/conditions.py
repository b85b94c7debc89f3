"""Write conditions as people type them, one a line, and read them back."""

from collections.abc import Iterable

from headwater.extensions import Condition, read_condition


def show_conditions(conditions: Iterable[Condition]) -> str:
    """Return the lines of a form's field."""
    return "\n".join(map(_show, conditions))


def read_conditions(text: str) -> list[Condition]:
    """Return what the lines mean; raise what is wrong with the first that means nothing."""
    return [read_condition(line) for line in text.splitlines() if line.strip()]


def _show(of: Condition) -> str:
    value = f"{of.value:g}" if isinstance(of.value, float) else str(of.value)
    return f"{of.field} {of.op} {value}".strip()
