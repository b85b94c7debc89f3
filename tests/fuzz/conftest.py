"""Let long bodies be printed: Hypothesis warns of examples that it finds too large to show."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings are errors, and this one would hide what was found."""
    mark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
    for item in items:
        item.add_marker(mark)
