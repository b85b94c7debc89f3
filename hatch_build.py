"""Copy htmx into the package at build time, so that nothing third-party is committed.

In: the django-htmx distribution, which is a build requirement and carries htmx. Out: the file and
its licence note in `src/headwater/web/vendor/`, git-ignored. The build fails when the bytes are not
the ones we know.
"""

import hashlib
from importlib.metadata import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HTMX = "htmx-2.min.js"
HTMX_SHA256 = "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de"
VENDOR = Path("src/headwater/web/vendor")
LICENCE = "htmx-LICENSE.txt"
LICENCE_TEXT = """\
The file htmx-2.min.js in this folder is htmx, https://htmx.org, by Big Sky Software and its
contributors, unchanged. It is under the Zero-Clause BSD licence (SPDX: 0BSD):

Permission to use, copy, modify, and/or distribute this software for any purpose with or without
fee is hereby granted.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS
SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE
AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT,
NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
"""


class VendorHook(BuildHookInterface[Any]):
    """Runs before wheels, editable installs and source distributions are made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - fixed
        put_htmx(Path(self.root) / VENDOR)


def put_htmx(vendor: Path) -> None:
    """Write htmx and its licence into the folder."""
    vendor.mkdir(parents=True, exist_ok=True)
    (vendor / HTMX).write_bytes(read_htmx())
    (vendor / LICENCE).write_text(LICENCE_TEXT, "utf-8")


def read_htmx() -> bytes:
    """Return htmx from the installed django-htmx, refusing any other bytes than we know."""
    found = [file for file in files("django-htmx") or [] if file.name == HTMX]
    data = found[0].read_binary()
    digest = hashlib.sha256(data).hexdigest()
    if digest != HTMX_SHA256:
        raise RuntimeError(f"{HTMX} has sha256 {digest}, expected {HTMX_SHA256}.")
    return data
