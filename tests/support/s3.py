"""A store that speaks as much of S3 as is needed to put objects and read them back.

In: requests. Out: objects; 403 for a request whose signature is not what `authorization` says. The
same check accepts what Amazon's own SDK signs (`read_by_sdk`), so that it proves something.
"""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, unquote

from aiohttp import web

from headwater.destinations.filesystem.s3 import authorization

KEYS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"}
REGION = "eu-central-1"
_READ = """
import json, sys
from pyarrow.fs import S3FileSystem
endpoint, region, key, secret, *paths = sys.argv[1:]
store = S3FileSystem(access_key=key, secret_key=secret, region=region, scheme="http",
                     endpoint_override=endpoint, allow_bucket_creation=False)
print(json.dumps([store.open_input_file(path).read().hex() for path in paths]))
"""


class Store:
    """What was put, by bucket and key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts = 0
        self.refused = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = unquote(request.rel_url.raw_path)
        if not _is_signed(request, path):
            self.refused += 1
            return web.Response(status=403, text="<Code>SignatureDoesNotMatch</Code>")
        if request.method == "PUT":
            self.puts += 1
            self.objects[path[1:]] = await request.read()
            return web.Response()
        if path[1:] not in self.objects:
            return web.Response(status=404)
        return _part(request, self.objects[path[1:]])

    def read_by_sdk(self, *paths: str) -> list[bytes]:
        """Read objects with Amazon's SDK, as Arrow carries it, in a process of its own."""
        given = [self.url.removeprefix("http://"), REGION, *KEYS.values(), *paths]
        done = subprocess.run(
            [sys.executable, "-c", _READ, *given], capture_output=True, check=True, timeout=60
        )
        return [bytes.fromhex(text) for text in json.loads(done.stdout)]


def _is_signed(request: web.Request, path: str) -> bool:
    given = request.headers.get("authorization", "")
    if "SignedHeaders=" not in given:
        return False
    names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: request.headers[name] for name in names}
    url = f"http://{request.host}{quote(path, safe='/-_.~')}"
    if request.rel_url.raw_query_string:
        url += f"?{request.rel_url.raw_query_string}"
    right = authorization({**KEYS, "region": REGION}, request.method, url, headers)
    return given.replace(" ", "") == right.replace(" ", "")


def _part(request: web.Request, data: bytes) -> web.Response:
    first, last = 0, len(data) - 1
    asked = request.headers.get("range", "").removeprefix("bytes=")
    if asked:
        first, last = int(asked.split("-")[0]), min(int(asked.split("-")[1]), last)
    return web.Response(status=206 if asked else 200, body=data[first : last + 1])


@asynccontextmanager
async def run_store() -> AsyncIterator[Store]:
    """Serve on the loopback."""
    store = Store()
    app = web.Application(client_max_size=64_000_000)
    app.router.add_route("*", "/{tail:.*}", store.handle)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    store.url = f"http://{host}:{port}"
    try:
        yield store
    finally:
        await runner.cleanup()
