"""Secrets: opened only with the same key and context."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.base.errors import MisconfiguredError
from headwater.base.vault import Vault, show_masked

KEY = bytes(range(32))


@given(st.text(), st.text())
def test_what_was_sealed_can_be_opened(text: str, context: str) -> None:
    """Any text comes back, and the cipher text does not show it."""
    sealed = Vault(KEY).encrypt(text, context)

    assert text == Vault(KEY).decrypt(sealed, context)
    assert len(text) < 4 or text not in sealed


@pytest.mark.parametrize(
    ("key", "context"), [(bytes(32), "row 1"), (KEY, "row 2")], ids=["other key", "other row"]
)
def test_a_seal_opens_nowhere_else(key: bytes, context: str) -> None:
    """A value copied to another row or another directory is useless."""
    sealed = Vault(KEY).encrypt("secret", "row 1")

    with pytest.raises(MisconfiguredError):
        Vault(key).decrypt(sealed, context)


def test_only_the_owner_reads_the_key_file(tmp_path: Path) -> None:
    """The key is made once, mode 0600, and found again."""
    path = tmp_path / "master.key"

    first = Vault.open(path).fingerprint("x")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first == Vault.open(path).fingerprint("x")


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    """A damaged key file is named as such, before anything is sealed with it."""
    (tmp_path / "master.key").write_bytes(b"short")

    with pytest.raises(MisconfiguredError, match="32 bytes"):
        Vault.open(tmp_path / "master.key")


def test_masks_show_four_characters_at_most() -> None:
    """People recognise a key by its end; short ones hide whole."""
    assert (show_masked("0123456789"), show_masked("12345678")) == ("••••6789", "••••")
