"""Trouble is counted always, logged rarely, and never with what may be secret."""

import logging

import pytest

from headwater.middleware.trouble import Trouble


def _raised() -> ValueError:
    try:
        raise ValueError("Bearer planted")
    except ValueError as error:
        return error


def test_the_log_says_kind_and_place_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that fails at each call fills no disk, and its message stays out."""
    trouble = Trouble()
    with caplog.at_level(logging.WARNING, "headwater.middleware"):
        for _ in range(50):
            trouble.hook_failed("identify_user", _raised())
        trouble.hook_failed("skip", _raised())
    assert trouble.counts.hooks_failed == 51
    assert len(caplog.records) == 2
    assert "ValueError in" in caplog.text
    assert "test_trouble.py:" in caplog.text
    assert "planted" not in caplog.text
