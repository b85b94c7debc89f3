"""Serve a small website of a customer, for a real browser.

In: pages by path, each a content type and bytes. Out: an origin of its own. Every POST is answered
with a little JSON, as the site's own API.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

Pages = Mapping[str, tuple[str, bytes]]


class _Site(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, pages: Pages) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages = pages


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        pages = cast("_Site", self.server).pages
        self._answer(*pages.get(self.path.partition("?")[0], ("text/plain", b"")))

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        answer = {"id": "lb_1", "bytes": len(sent)}
        self._answer("application/json", json.dumps(answer).encode(), status=201)

    def _answer(self, content_type: str, content: bytes, status: int = 200) -> None:
        self.send_response_only(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving_site(pages: Pages) -> Iterator[str]:
    """Serve for the length of a block; yield the origin."""
    with _Site(pages) as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.05,), name="site")
        thread.start()
        try:
            yield f"http://127.0.0.1:{site.server_port}"
        finally:
            site.shutdown()
            thread.join()
