"""Files that browsers load, and the one that the build copies in."""

from pathlib import Path

import hatch_build
import pytest

from headwater.base.errors import MisconfiguredError
from headwater.web.assets import FOLDERS, HTMX, Assets


def test_the_build_refuses_any_other_htmx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One changed byte in the build requirement fails the build and writes nothing."""
    hatch_build.put_htmx(tmp_path / "good")
    assert (tmp_path / "good" / HTMX).stat().st_size > 50_000
    assert "0BSD" in (tmp_path / "good" / hatch_build.LICENCE).read_text()
    monkeypatch.setattr(hatch_build, "HTMX_SHA256", "0" * 64)
    with pytest.raises(RuntimeError, match="sha256"):
        hatch_build.put_htmx(tmp_path / "bad")
    assert not (tmp_path / "bad" / HTMX).exists()


def test_an_installation_without_htmx_says_how_to_mend_it(tmp_path: Path) -> None:
    """A copy of the sources alone is no installation."""
    with pytest.raises(MisconfiguredError) as caught:
        Assets((FOLDERS[0], tmp_path))
    assert "pip install" in caught.value.hint


def test_a_changed_file_changes_every_address(tmp_path: Path) -> None:
    """Browsers keep files for a year, so a new content needs a new address."""
    hatch_build.put_htmx(tmp_path)
    (tmp_path / "app.css").write_text("a {}")
    first = Assets((tmp_path,)).url("app.css")
    (tmp_path / "app.css").write_text("b {}")
    assert Assets((tmp_path,)).url("app.css") != first


def test_a_module_is_a_script_whatever_the_machine_thinks(tmp_path: Path) -> None:
    """The types are our own: some machines call .js plain text, and browsers would refuse it."""
    hatch_build.put_htmx(tmp_path)
    assert Assets((tmp_path,)).files[HTMX].media_type == "text/javascript"
