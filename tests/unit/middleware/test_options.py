"""Options are checked when the application is wrapped."""

import subprocess
import sys

import pytest

from headwater.middleware import CaptureWSGI
from headwater.middleware.options import Options


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x", "http://", "http://u:planted@h"])
def test_a_url_must_be_one(url: str) -> None:
    """At start, not at the first call."""
    with pytest.raises(ValueError, match="url must") as refused:
        Options(application_id="a", url=url)
    assert "planted" not in str(refused.value)


def test_an_application_id_is_needed() -> None:
    """Empty is not one."""
    with pytest.raises(ValueError, match="application_id"):
        Options(application_id="")


def test_the_library_stands_alone() -> None:
    """Importing it brings in msgspec, isal and the standard library, and nothing else of ours."""
    check = (
        "import sys; before = set(sys.modules); import headwater.middleware;"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "ours = {name for name in sys.modules if name.startswith('headwater.')"
        " and not name.startswith('headwater.middleware')};"
        "known = {'headwater', 'msgspec', 'isal', 'typing_extensions'};"
        "foreign = names - sys.stdlib_module_names - known;"
        "assert not ours | foreign, ours | foreign"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


async def _later(*_: object) -> str:
    return "u-1"


def test_wsgi_has_nobody_to_wait_for_a_coroutine() -> None:
    """It says so when the application is wrapped."""
    with pytest.raises(ValueError, match="plain functions"):
        CaptureWSGI(lambda *_: [], application_id="a", identify_user=_later)
