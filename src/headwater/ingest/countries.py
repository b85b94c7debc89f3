"""Find the country of an address, from a database file that the operator keeps up to date.

In: an IP address. Out: its ISO code, "" when unknown or when no file is configured. Reads files in
MMDB format with a country in any of the usual places (MaxMind, DB-IP, IPinfo). Looks once a minute
whether the file was replaced; a new one that is broken is reported, and the old one stays in use.
"""

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

import maxminddb

from headwater.base.clock import Clock
from headwater.base.errors import MisconfiguredError
from headwater.base.telemetry import get_logger

_LOOK_EVERY_S = 60.0
_MOST_REMEMBERED = 65_536
_MAPPED_IPV4 = "::ffff:"
_CODE_LETTERS = 2
_logger = get_logger("ingest")


class Countries:
    """The countries of addresses, by the newest file."""

    def __init__(self, path: str, clock: Clock) -> None:
        """Open the file; an empty path means that no country is ever known."""
        self._path = path
        self._clock = clock
        self._look_at_s = clock.monotonic_s() + _LOOK_EVERY_S
        self._reader: maxminddb.Reader | None = None
        self._remember = lru_cache(_MOST_REMEMBERED)(self._find)
        self._stamp = (0, 0)
        if path:
            self._open()

    def country_of(self, ip_address: str) -> str:
        """Return the ISO code, such as `DE`."""
        if not self._path or not ip_address:
            return ""
        if self._clock.monotonic_s() >= self._look_at_s:
            self._look()
        return self._remember(ip_address)

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()

    def _look(self) -> None:
        """Change over to a new file, once it can be read."""
        self._look_at_s = self._clock.monotonic_s() + _LOOK_EVERY_S
        try:
            if _stamp_of(self._path) != self._stamp:
                self._open()
        except MisconfiguredError as err:
            _logger.warning("country_database_kept", reason=err.message)

    def _open(self) -> None:
        stamp = _stamp_of(self._path)
        reader = _open_copy(self._path)
        self.close()
        self._reader, self._stamp = reader, stamp
        self._remember.cache_clear()
        _logger.info("country_database_opened", built=reader.metadata().build_epoch)

    def _find(self, ip_address: str) -> str:
        if self._reader is None:
            return ""
        try:
            return _code_in(self._reader.get(ip_address.removeprefix(_MAPPED_IPV4)))
        except ValueError:
            # No address at all, or IPv6 where the file knows IPv4 only.
            return ""
        except maxminddb.InvalidDatabaseError as err:
            _logger.warning("country_database_damaged", reason=str(err))
            return ""


def _stamp_of(path: str) -> tuple[int, int]:
    """Return what changes whenever the file is written or replaced."""
    try:
        found = Path(path).stat()
    except OSError as err:
        raise _unusable(path, err.strerror or "not readable") from err
    return found.st_mtime_ns, found.st_ino


def _open_copy(path: str) -> maxminddb.Reader:
    """Open a copy of our own: pages of a file that others overwrite would vanish below us."""
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as copy:
        try:
            shutil.copyfile(path, copy.name)
            return maxminddb.open_database(copy.name)
        except OSError as err:
            raise _unusable(path, err.strerror or "not readable") from err
        except maxminddb.InvalidDatabaseError as err:
            raise _unusable(path, "not an MMDB file") from err


def _unusable(path: str, reason: str) -> MisconfiguredError:
    return MisconfiguredError(
        f"The country database {path} cannot be used: {reason}.",
        field="ingest.country_database",
        hint="Give the path of an MMDB file, or leave the setting empty.",
    )


def _code_in(found: object) -> str:
    """Return the code, wherever this publisher puts it."""
    if not isinstance(found, dict):
        return ""
    for name in ("country", "registered_country"):
        country = found.get(name)
        if isinstance(country, dict) and "iso_code" in country:
            return _checked(country["iso_code"])
    return _checked(found.get("country_code") or found.get("country"))


def _checked(code: object) -> str:
    if isinstance(code, str) and len(code) == _CODE_LETTERS and code.isalpha():
        return code.upper()
    return ""
