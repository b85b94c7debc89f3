"""Stand in for a ClickHouse server: the HTTP interface, answered by chDB, the same engine.

In: a data directory. Out: the URL of a server that `clickhouse-connect` cannot tell from a real one
for our questions and inserts. One connection a request, so settings end with their request.
"""

import email
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb

_NOT_SETTINGS = re.compile(
    r"param_|query|database|default_format|client_protocol_version|role|compress|decompress|buffer_size"
    r"|wait_end_of_query|enable_http|session_|send_progress|http_headers|cancel_http|quota_key"
)
_INSERT = re.compile(rb"(?is)\s*INSERT INTO .+? FORMAT (\w+)\s*$")
_FORMAT = re.compile(r"(?i)\bFORMAT\s+(\w+)\s*;?\s*$")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    path_of_data = ""

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        if sign_of_absence(Path(self.path_of_data)).exists():
            self.close_connection = True
            return
        arguments = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._read_body()
        if self.headers.get_content_type() == "multipart/form-data":
            arguments |= _read_form(self.headers["Content-Type"], body)
            body = b""
        try:
            answer = self._run(arguments, body)
        except RuntimeError as err:
            found = re.search(r"Code: (\d+)", str(err))
            code = found.group(1) if found else "1000"
            self._answer(500, str(err).encode(), {"X-ClickHouse-Exception-Code": code})
        else:
            self._answer(200, answer, {})

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _run(self, arguments: dict[str, str], body: bytes) -> bytes:
        query = arguments.get("query", "").encode()
        if not query:
            head, _, tail = body.partition(b"\n")
            query, body = (head, tail) if _INSERT.match(head) else (body, b"")
        parameters = {
            k.removeprefix("param_"): v for k, v in arguments.items() if k[:6] == "param_"
        }
        with closing(chdb.connect(self.path_of_data)) as connection:
            connection.query(f"USE `{arguments.get('database', 'default')}`")
            settings = {k: v for k, v in arguments.items() if not _NOT_SETTINGS.match(k)}
            for name in sorted(settings, key=lambda name: name == "readonly"):
                connection.query(f"SET {name} = '{settings[name]}'")
            return _execute(connection, query.decode(), body, arguments, parameters)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _read_form(content_type: str, body: bytes) -> dict[str, str]:
    head = b"Content-Type: " + content_type.encode() + b"\n\n"
    parts: Any = email.message_from_bytes(head + body).get_payload()
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode()
        for part in parts
    }


def _execute(
    connection: Any, sql: str, data: bytes, arguments: dict[str, str], parameters: dict[str, str]
) -> bytes:
    wanted = _FORMAT.search(sql)
    if data and wanted:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            into = f"{sql[: wanted.start()]} FROM INFILE '{file.name}' FORMAT {wanted.group(1)}"
            connection.query(into)
        return b""
    form = wanted.group(1) if wanted else arguments.get("default_format", "TabSeparated")
    return bytes(connection.query(sql, form, params=parameters).bytes() or b"")


def sign_of_absence(data: Path) -> Path:
    """Return the file that, while it is there, lets the server of `data` answer nobody."""
    return data.with_suffix(".away")


@contextmanager
def clickhouse_server(data: Path) -> Iterator[str]:
    """Serve the engine at `data` on a free port; return `http://user:password@host:port`."""
    handler = type("Handler", (_Handler,), {"path_of_data": str(data)})
    with closing(chdb.connect(str(data))), ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://default:pass%40word@127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
