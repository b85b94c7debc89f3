"""Options are checked when the application is wrapped."""

import subprocess
import sys

import pytest

from headwater.middleware.options import Options


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x", "http://"])
def test_a_url_must_be_one(url: str) -> None:
    """At start, not at the first call."""
    with pytest.raises(ValueError, match="url must be"):
        Options(application_id="a", url=url)


def test_an_application_id_is_needed() -> None:
    """Empty is not one."""
    with pytest.raises(ValueError, match="application_id"):
        Options(application_id="")


def test_the_library_stands_alone() -> None:
    """Importing it brings in msgspec and the standard library, and nothing else of ours."""
    check = (
        "import sys; before = set(sys.modules); import headwater.middleware;"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "ours = {name for name in sys.modules if name.startswith('headwater.')"
        " and not name.startswith('headwater.middleware')};"
        "foreign = names - sys.stdlib_module_names - {'headwater', 'msgspec', 'typing_extensions'};"
        "assert not ours | foreign, ours | foreign"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
