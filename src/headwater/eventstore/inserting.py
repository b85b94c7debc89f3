"""Hand Arrow rows to the engine.

In: a handle, a table, rows, settings. Out: nothing; the rows are durable. The client library would
pass them to chDB by way of a file in the system's temporary folder, where a process that is killed
leaves its customers' data behind: so chDB gets the bytes directly, and only a server gets them
through the client.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import closing

import chdb
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

InsertSettings = Mapping[str, int | str]
Insert = Callable[[Client, str, pa.Table, InsertSettings], None]

_CODE = re.compile(r"Code: (\d+)")


def insert_by_client(client: Client, table: str, rows: pa.Table, settings: InsertSettings) -> None:
    """Send rows to a server."""
    client.insert_arrow(table, rows, settings=dict(settings))


def insert_embedded(
    address: str, client: Client, table: str, rows: pa.Table, settings: InsertSettings
) -> None:
    """Send rows to the engine at `address`, into the client's database."""
    columns = ", ".join(f"`{name}`" for name in rows.column_names)
    clauses = ", ".join(f"{name} = {_quote(str(value))}" for name, value in settings.items())
    sql = f"INSERT INTO `{client.database}`.`{table}` ({columns}) SETTINGS {clauses}"
    try:
        with closing(chdb.connect(address)) as handle, handle.send_insert(sql, "Arrow") as sending:
            sending.append(_to_arrow_file(rows))
            sending.finish()
    except RuntimeError as err:
        found = _CODE.search(str(err))
        raise DatabaseError(str(err), code=int(found.group(1)) if found else None) from err


def _to_arrow_file(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue().to_pybytes())


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
