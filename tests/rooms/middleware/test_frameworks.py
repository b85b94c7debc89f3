"""Every framework of the guide is captured by the line that the guide shows."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rooms.middleware.collector import Recorder, collecting

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "guides" / "capture-api-calls.md"
PROGRAMS = Path(__file__).parent / "programs"
NAMES = ["django_asgi", "django_wsgi", "fastapi", "flask", "litestar", "starlette"]


@contextmanager
def _serving(name: str, recorder: Recorder) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rooms.middleware.programs.serve", f"{name}_app"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
        env={**os.environ, "COLLECTOR_URL": recorder.url, "PYTHONPATH": f"{ROOT / 'src'}"},
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def _ask(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    asked = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as err:
        with err:
            return err.code, err.read()


@pytest.mark.parametrize("name", NAMES)
def test_a_framework_is_captured(name: str) -> None:
    """Its bodies, its users, its errors; and it answers as ever."""
    with collecting() as recorder, _serving(name, recorder) as url:
        status, answered = _ask(f"{url}/items/7?dry=1", b'{"weight_g": 420}')
        assert (status, json.loads(answered)) == (201, {"number": 7, "item": {"weight_g": 420}})
        assert _ask(f"{url}/boom")[0] == 500
        event, failed = sorted(recorder.wait_for(2), key=lambda e: int(e["response"]["status"]))
    assert event["request"]["uri"] == f"{url}/items/7?dry=1"
    assert (event["request"]["verb"], event["request"]["body"]) == ("POST", {"weight_g": 420})
    assert event["response"]["body"] == json.loads(answered)
    assert event["response"]["headers"]["content-type"].startswith("application/json")
    assert event["user_id"] == "u-1"
    assert failed["response"]["status"] == 500
    assert "user_id" not in failed


@pytest.mark.parametrize("name", NAMES)
def test_the_guide_shows_the_line_that_works(name: str) -> None:
    """Word for word."""
    program = (PROGRAMS / f"{name}_app.py").read_text("utf-8")
    (line,) = [line for line in program.splitlines() if "**capture" in line]
    assert f"`{line}`" in GUIDE.read_text("utf-8")
