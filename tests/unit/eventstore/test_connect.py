"""The URL chooses the engine, and a wrong one is refused with advice."""

from pathlib import Path

import pytest

from headwater.base.errors import MisconfiguredError, UnavailableError
from headwater.base.settings import EventStoreSettings
from headwater.eventstore import EventStore


def test_an_unknown_scheme_is_refused(tmp_path: Path) -> None:
    """The error names the setting."""
    with pytest.raises(MisconfiguredError) as caught:
        EventStore.open(EventStoreSettings(url="mysql://host/db"), tmp_path)
    assert caught.value.field == "eventstore.url"


def test_a_server_that_is_away_is_temporary_trouble_without_its_password(tmp_path: Path) -> None:
    """Nothing listens there: the error can be retried, and shows no secret."""
    settings = EventStoreSettings(url="http://someone:hush-hush@127.0.0.1:9/db")
    with pytest.raises(UnavailableError) as caught:
        EventStore.open(settings, tmp_path)
    assert "hush-hush" not in str(caught.value)
