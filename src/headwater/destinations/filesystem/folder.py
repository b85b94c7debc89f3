"""Write files into a folder, whole or not at all.

In: a folder, a path below it, bytes. Out: an outcome. A file is written beside its place, flushed
to the disk and moved there in one step; writing it again replaces it.
"""

import os
import secrets
from pathlib import Path

import msgspec

from headwater.destinations.wire import Exchange, Outcome


def write_file(folder: str, path: str, data: bytes) -> Outcome:
    """Return how it went; a disk that is full or away may come back."""
    place = Path(folder) / path
    shown = Exchange(method="WRITE", url=f"file://{place}", body=f"{len(data):,} bytes")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(place, data)
    except OSError as err:
        error = f"{place} cannot be written: {err.strerror or err}"
        return Outcome(fate="retry", code="DISK", error=error, exchanges=(shown,))
    written = msgspec.structs.replace(shown, answer="written, and flushed to the disk")
    return Outcome(fate="delivered", exchanges=(written,))


def _write_whole(place: Path, data: bytes) -> None:
    beside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
    handle = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
