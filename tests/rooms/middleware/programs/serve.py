"""Serve a program of this folder: `python -m tests.rooms.middleware.programs.serve flask_app`.

In: the module; its name ends the choice of gateway. Out: the port, in one line, and then answers.
"""

import importlib
import logging
import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import uvicorn

WSGI = {"flask_app", "django_wsgi_app"}


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(uvicorn.Server):
    async def startup(self, *args: Any, **kwargs: Any) -> None:
        await super().startup(*args, **kwargs)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the test reads it


def main(name: str) -> None:
    logging.disable(logging.CRITICAL)
    app = importlib.import_module(f"tests.rooms.middleware.programs.{name}").app
    if name in WSGI:
        with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
            print(server.server_port, flush=True)  # noqa: T201 - the test reads it
            server.serve_forever()
    else:
        _Server(uvicorn.Config(app, port=0, log_level="critical")).run()


if __name__ == "__main__":
    main(sys.argv[1])
