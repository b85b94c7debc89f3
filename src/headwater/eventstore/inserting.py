"""Hand rows to the engine as they are: Arrow tables, or lines of JSON that it reads itself.

In: a handle, a table, rows, settings. Out: nothing; the rows are durable. The client library would
pass them to chDB by way of a file in the system's temporary folder, where a process that is killed
leaves its customers' data behind: so chDB gets the bytes directly, and only a server gets them
through the client.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import IO

import chdb
import msgspec
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

InsertSettings = Mapping[str, int | str]


class Rows(msgspec.Struct, frozen=True):
    """Rows in a form that the engine reads."""

    data: bytes | pa.Buffer
    form: str
    """The engine's name for it."""
    columns: tuple[str, ...] = ()
    """Empty: each row says what it has."""
    settings: InsertSettings = {}
    """How to read this form."""


Insert = Callable[[Client, str, Rows, InsertSettings], None]

_CODE = re.compile(r"Code: (\d+)")
_READ_LINES: InsertSettings = {
    "input_format_skip_unknown_fields": 1,
    "input_format_json_read_objects_as_strings": 1,
    "input_format_json_read_arrays_as_strings": 1,
    "input_format_json_read_numbers_as_strings": 1,
    "input_format_json_read_bools_as_strings": 1,
    "date_time_input_format": "best_effort",
    # One block, so that a retry is cut as the first attempt was.
    "input_format_parallel_parsing": 0,
}


def arrow_rows(table: pa.Table) -> Rows:
    """Return the rows of an Arrow table."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return Rows(sink.getvalue(), "Arrow", tuple(table.column_names))


def json_rows(lines: bytes) -> Rows:
    """Return rows of JSON, one object a line; what is no text goes into text columns as it is."""
    return Rows(lines, "JSONEachRow", settings=_READ_LINES)


def insert_by_client(client: Client, table: str, rows: Rows, settings: InsertSettings) -> None:
    """Send rows to a server."""
    client.raw_insert(
        table,
        list(rows.columns) or None,
        bytes(rows.data),
        settings={**settings, **rows.settings},
        fmt=rows.form,
    )


def insert_embedded(
    address: str, client: Client, table: str, rows: Rows, settings: InsertSettings
) -> None:
    """Send rows to the engine at `address`, into the client's database."""
    columns = f" ({', '.join(f'`{name}`' for name in rows.columns)})" if rows.columns else ""
    clauses = ", ".join(
        f"{name} = {_quote(str(value))}" for name, value in {**settings, **rows.settings}.items()
    )
    try:
        with closing(chdb.connect(address)) as handle, _in_memory(rows.data) as path:
            handle.query(
                f"INSERT INTO `{client.database}`.`{table}`{columns}"
                f" FROM INFILE '{path}' COMPRESSION 'none'"
                f" SETTINGS {clauses} FORMAT {rows.form}"
            )
    except RuntimeError as err:
        found = _CODE.search(str(err))
        raise DatabaseError(str(err), code=int(found.group(1)) if found else None) from err


@contextmanager
def _in_memory(data: bytes | pa.Buffer) -> Iterator[str]:
    """Give the engine bytes as a file that has no name, so that nothing stays behind.

    chDB's own way for bytes, `send_insert`, is of no use: it says nothing when the last write
    fails, and on a full disk the rows would be gone.
    """
    with _nameless_file() as file:
        file.write(data)
        file.flush()
        file.seek(0)
        yield f"/dev/fd/{file.fileno()}"


def _nameless_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("rows"), "w+b")
    return tempfile.TemporaryFile()


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
