"""Serve the style sheet, the ES modules and the vendored htmx, from memory.

In: the files of `static/` and `vendor/`. Out: each at `/static/{digest}/{name}`, kept by browsers
for a year, since any change of any file changes the digest. Never opens a path that a request
names.
"""

import gzip
import hashlib
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from headwater.base.errors import MisconfiguredError, NotFoundError

_HERE = Path(__file__).parent
FOLDERS = (_HERE / "static", _HERE / "vendor")
HTMX = "htmx-2.min.js"
# Our own list: a machine's MIME table may call .js text/plain, and `nosniff` would then refuse it.
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_FOR_EVER = "public, max-age=31536000, immutable"


class Asset(msgspec.Struct, frozen=True):
    """One file, ready to send."""

    media_type: str
    plain: bytes
    packed: bytes


class Assets:
    """All files, read once."""

    def __init__(self, folders: tuple[Path, ...] = FOLDERS) -> None:
        paths = sorted(
            path for folder in folders for path in folder.glob("*") if path.suffix in _TYPES
        )
        self.files = {path.name: _read(path) for path in paths}
        if HTMX not in self.files:
            raise MisconfiguredError(
                f"The file {HTMX} is missing from this installation.",
                hint="Install the package again (`pip install .`): its build copies the file.",
            )
        parts = (name.encode() + asset.plain for name, asset in self.files.items())
        self.digest = hashlib.blake2b(b"\0".join(parts), digest_size=8).hexdigest()

    def url(self, name: str) -> str:
        """Return the address of a file; a name that does not exist is a bug of ours."""
        return f"/static/{self.digest}/{name}" if name in self.files else self._missing(name)

    def _missing(self, name: str) -> str:
        raise LookupError(f"There is no asset {name!r}.")


def _read(path: Path) -> Asset:
    plain = path.read_bytes()
    return Asset(_TYPES[path.suffix], plain, gzip.compress(plain, mtime=0))


@get("/static/{digest:str}/{name:str}", include_in_schema=False, sync_to_thread=False)
def send_asset(
    request: Request[Any, Any, Any],
    assets: NamedDependency[Assets],
    digest: FromPath[str],
    name: FromPath[str],
) -> Response[bytes]:
    """Send one file; with an older digest the present file, not to be kept."""
    asset = assets.files.get(name)
    if asset is None:
        raise NotFoundError("There is no such file.")
    headers = {
        "cache-control": _FOR_EVER if digest == assets.digest else "no-cache",
        "vary": "accept-encoding",
    }
    packed = "gzip" in request.headers.get("accept-encoding", "")
    if packed:
        headers["content-encoding"] = "gzip"
    body = asset.packed if packed else asset.plain
    return Response(body, headers=headers, media_type=asset.media_type)
