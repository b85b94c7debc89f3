"""Keep secrets: encrypt what must be shown again, fingerprint what must only be recognised.

In: plain text and a context string. Out: AES-256-GCM cipher text bound to its context, or keyed
fingerprints. The master key is a file of 32 bytes that only its owner may read; a stolen backup
without that file is useless. Nothing here is ever logged.
"""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headwater.base.errors import MisconfiguredError

_NONCE_BYTES = 12
_KEY_BYTES = 32


class Vault:
    """Encrypts and fingerprints with one master key."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != _KEY_BYTES:
            raise MisconfiguredError(
                "The master key file must hold 32 bytes.",
                hint="Restore master.key from your backup; without it stored secrets are lost.",
            )
        self._aead = AESGCM(hashlib.blake2b(master_key, person=b"encrypt").digest()[:_KEY_BYTES])
        self._mac_key = hashlib.blake2b(master_key, person=b"fingerprint").digest()

    @classmethod
    def open(cls, path: Path) -> "Vault":
        """Read the master key at `path`, making it (mode 0600) the first time."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_bytes())
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        return cls(path.read_bytes())

    def encrypt(self, text: str, context: str) -> str:
        """Return base64 of nonce and cipher text; only the same `context` opens it."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, text.encode(), context.encode())
        return base64.b64encode(nonce + sealed).decode()

    def decrypt(self, sealed: str, context: str) -> str:
        """Return the plain text, or raise `MisconfiguredError` when key or context differ."""
        raw = base64.b64decode(sealed)
        try:
            return self._aead.decrypt(
                raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode()
            ).decode()
        except InvalidTag as err:
            raise MisconfiguredError(
                "A stored secret cannot be opened with this master key.",
                hint="The file master.key belongs to another data directory.",
            ) from err

    def fingerprint(self, text: str) -> str:
        """Return 32 hexadecimal digits that recognise `text` without revealing it."""
        return hmac.new(self._mac_key, text.encode(), hashlib.sha256).hexdigest()[:32]


def show_masked(secret: str) -> str:
    """Return a secret as people may see it: the last four characters."""
    return f"••••{secret[-4:]}" if len(secret) > 8 else "••••"  # noqa: PLR2004 - short ones hide whole
