"""What passes by itself is told from what is a bug of ours."""

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from headwater.base.errors import HeadwaterError, TooLargeError, UnavailableError
from headwater.eventstore.engine_errors import engine_errors


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (DatabaseError("no space", code=243), UnavailableError),
        (DatabaseError("memory", code=241), UnavailableError),
        (DatabaseError("too slow", code=159), UnavailableError),
        (DatabaseError("too many rows", code=396), TooLargeError),
        (OperationalError("connection refused"), UnavailableError),
    ],
)
def test_engine_trouble_becomes_our_errors(error: Exception, becomes: type[HeadwaterError]) -> None:
    """Each of our errors carries its fate, so workers know whether to try again."""
    with pytest.raises(becomes) as caught, engine_errors():
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [DatabaseError("unknown column", code=47), ValueError("odd")])
def test_bugs_pass_unchanged(error: Exception) -> None:
    """A bug must not be retried for ever as if the disk were full."""
    with pytest.raises(type(error)) as caught, engine_errors():
        raise error
    assert caught.value is error
