"""Settings: the order of their origins, and what is refused."""

from pathlib import Path

import pytest

from headwater.base.errors import MisconfiguredError
from headwater.base.settings import load_settings


def test_defaults_need_no_set_up(tmp_path: Path) -> None:
    """An empty directory is enough."""
    settings = load_settings(tmp_path, environ={})

    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8000)


def test_flags_beat_variables_beat_the_file_beats_defaults(tmp_path: Path) -> None:
    """The nearer to the person who types, the stronger."""
    (tmp_path / "headwater.toml").write_text(
        "[server]\nport = 1\nhost = 'a'\npublic_url = 'file'\n[ingest]\nbatch_events = 7\n"
    )
    env = {"HEADWATER_SERVER__PORT": "2", "HEADWATER_SERVER__HOST": "b"}

    settings = load_settings(tmp_path, {"server": {"port": 3}}, env)

    assert (
        settings.server.port,
        settings.server.host,
        settings.server.public_url,
    ) == (3, "b", "file")
    assert settings.ingest.batch_events == 7


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"HEADWATER_SERVER__PROT": "1"}, "prot"),
        ({"HEADWATER_SERVICE__PORT": "1"}, "service"),
        ({"HEADWATER_SERVER_PORT": "1"}, "HEADWATER_SERVER_PORT"),
        ({"HEADWATER_SERVER__PORT": "many"}, r"\$\.server\.port"),
    ],
    ids=["a misspelt field", "a misspelt room", "one underscore", "not a number"],
)
def test_a_wrong_setting_is_named(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    """A typo never passes as a default."""
    with pytest.raises(MisconfiguredError, match=named):
        load_settings(tmp_path, environ=environ)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    """The message says which file is not TOML."""
    (tmp_path / "headwater.toml").write_text("port = = 1")

    with pytest.raises(MisconfiguredError, match=r"headwater\.toml"):
        load_settings(tmp_path, environ={})
