"""Fixtures for every test, and the rule about missing services."""

import os
import shutil
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

IN_CI = bool(os.environ.get("CI"))
# How long an example takes says how busy the machine is: benchmarks measure, tests do not.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def require(present: object, what: str) -> None:
    """Skip without `what` on a laptop; fail where CI is set, so that nothing is skipped unseen."""
    if present:
        return
    if IN_CI:
        pytest.fail(f"{what} is needed where CI is set")
    pytest.skip(f"{what} is not on this machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no worker is left alone with one at the end."""
    long = {
        item.path
        for item in items
        if item.get_closest_marker("slow") or item.get_closest_marker("browser")
    }
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Undo what a command set up for logs: it names the stream of its own test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the system's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    require(found, "Chromium")
    assert found is not None
    return found
