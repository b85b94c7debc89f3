"""Measure `headwater import` of a combined access log, until every line can be queried.

In: nothing. Out: lines a second of the whole command, the start of its own server included.
"""

import random
import tempfile
import time
from pathlib import Path

from tests.support.server import run_cli

LINES = 50_000


def run() -> dict[str, object]:
    """Import a made log once, then once more."""
    with tempfile.TemporaryDirectory() as folder:
        log, data = Path(folder) / "access.log", Path(folder) / "data"
        _write(log)
        app_id = run_cli(data, "apps", "list")[0]["app_id"]
        first_s, first = _import(data, log, app_id)
        again_s, again = _import(data, log, app_id)
    return {
        "lines": LINES,
        "imported": first["imported"],
        "seconds": round(first_s, 1),
        "lines_per_s": round(LINES / first_s),
        "again_imported": again["imported"],
        "again_seconds": round(again_s, 1),
    }


def _import(data: Path, log: Path, app_id: str) -> tuple[float, dict[str, int]]:
    began_s = time.perf_counter()
    result: dict[str, int] = run_cli(data, "import", str(log), "--app", app_id)
    return time.perf_counter() - began_s, result


def _write(path: Path) -> None:
    draw = random.Random(7)
    with path.open("w") as file:
        for n in range(LINES):
            clock = f"{n // 60 % 24:02d}:{n % 60:02d}:{draw.randrange(60):02d}"
            at = f"{10 + n // 5000:02d}/Nov/2026:{clock}"
            file.write(
                f"192.0.2.{draw.randrange(250)} - - [{at} +0000]"
                f' "GET /items/{draw.randrange(9999)}?page=2 HTTP/1.1"'
                f" {draw.choice((200, 200, 304, 404))} {draw.randrange(9000)}"
                ' "-" "Mozilla/5.0 (X11; Linux x86_64)"\n'
            )
