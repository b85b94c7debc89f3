"""The middleware installs alone: a wheel with nothing else of Headwater, and two dependencies."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import headwater
from headwater.middleware.options import VERSION
from tests.support.server import serving

ROOT = Path(__file__).parents[3]
PACKAGING = ROOT / "packaging" / "middleware"
SOURCE = ROOT / "src" / "headwater" / "middleware"

PROGRAM = """
import asyncio, importlib.util, sys
from headwater.middleware import CaptureASGI, CaptureWSGI

assert importlib.util.find_spec("headwater.base") is None
assert importlib.util.find_spec("headwater").origin is None  # a namespace
capture = {"application_id": sys.argv[1], "url": sys.argv[2]}

async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"from": "asgi"}'})

async def nothing(*_):
    pass

def wsgi(environ, start_response):
    start_response("201 Created", [])
    return [b'{"from": "wsgi"}']

scope = {"type": "http", "method": "GET", "path": "/asgi", "headers": [(b"host", b"h")]}
wrapped = CaptureASGI(asgi, **capture)
asyncio.run(wrapped(scope, nothing, nothing))
wrapped.close(10)
other = CaptureWSGI(wsgi, **capture)
environ = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/wsgi", "HTTP_HOST": "h"}
other(environ, lambda *_: None).close()
other.close(10)
print(wrapped.counts.sent, other.counts.sent)
"""


def test_one_version_and_one_licence() -> None:
    """The two distributions carry the same files, so they must be one release."""
    project = tomllib.loads((PACKAGING / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION == headwater.__version__
    assert (PACKAGING / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert sorted(project["dependencies"]) == ["isal>=1.8", "msgspec>=0.20"]


def _build(kind: str, project: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_a_wheel_has_the_middleware_and_nothing_else(tmp_path: Path) -> None:
    """The same from the repository and from a source distribution."""
    wheel = _build("wheel", PACKAGING, tmp_path / "wheel")
    expected = {f"headwater/middleware/{path.name}" for path in SOURCE.glob("*.py")}
    expected.add("headwater/middleware/py.typed")
    assert {name for name in _names(wheel) if ".dist-info/" not in name} == expected
    source = _build("sdist", PACKAGING, tmp_path / "sdist")
    with tarfile.open(source) as opened:
        opened.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert _names(_build("wheel", unpacked, tmp_path / "again")) == _names(wheel)


@pytest.mark.slow
def test_it_works_where_nothing_else_of_headwater_is(tmp_path: Path) -> None:
    """In a fresh environment, against a running server."""
    wheel = _build("wheel", PACKAGING, tmp_path / "wheel")
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "uv", "venv", str(tmp_path / "env")], check=True)
    install = [sys.executable, "-m", "uv", "pip", "install", "--python", str(python), str(wheel)]
    subprocess.run(install, check=True)
    with serving(tmp_path / "data") as server:
        (app,) = server.cli("apps", "list")
        done = subprocess.run(
            [str(python), "-I", "-c", PROGRAM, app["collector_application_id"], server.url],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert (done.stdout.strip(), done.stderr) == ("1 1", "")
        server.settle()
        events = server.query(app["app_id"], "events", limit=10)["events"]
    stored = {(event["request"]["verb"], event["response"]["status"]) for event in events}
    assert stored == {("GET", 200), ("PUT", 201)}
