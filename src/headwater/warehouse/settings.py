"""Describe each type of warehouse: what it wants to be told, and what of it is secret.

Out: one checked structure for each type, and the fields that forms and commands ask for. Knows
nothing of loading: `engines` opens what is described here.
"""

from typing import Literal

import msgspec


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to fill in."""

    name: str
    title: str
    help: str
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    default: str = ""


class DuckDbSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="duckdb"
):
    """A DuckDB file on this machine."""

    path: str = ""
    """Empty: `warehouse.duckdb` in the data directory."""


class FilesystemSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="filesystem"
):
    """A directory of Parquet files on this machine, or on a disk mounted there."""

    path: str = ""
    """Empty: `lake` in the data directory."""


class PostgresSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="postgres"
):
    """One database of a PostgreSQL server."""

    host: str
    database: str
    user: str
    password: str = ""
    port: int = 5432
    ssl: Literal["disable", "prefer", "require", "verify-full"] = "prefer"


class ClickHouseSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="clickhouse"
):
    """A ClickHouse server, by its HTTP interface; each source becomes a database of it."""

    host: str
    user: str = "default"
    password: str = ""
    port: int = 8123
    tls: Literal["no", "yes"] = "no"


class BigQuerySettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="bigquery"
):
    """One project of Google BigQuery."""

    project_id: str
    client_email: str
    private_key: str
    location: str = "US"


class SnowflakeSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="snowflake"
):
    """One database of Snowflake."""

    account: str
    database: str
    user: str
    password: str
    warehouse: str = ""
    role: str = ""


class RedshiftSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="redshift"
):
    """One database of Amazon Redshift."""

    host: str
    database: str
    user: str
    password: str
    port: int = 5439


class DatabricksSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="databricks"
):
    """One catalog of Databricks, by a SQL warehouse."""

    server_hostname: str
    http_path: str
    access_token: str
    catalog: str


CloudSettings = BigQuerySettings | SnowflakeSettings | RedshiftSettings | DatabricksSettings
WarehouseSettings = (
    DuckDbSettings | FilesystemSettings | PostgresSettings | ClickHouseSettings | CloudSettings
)

HOST = Field(name="host", title="Host", help="Name or address of the server.", required=True)
DATABASE = Field(
    name="database", title="Database", help="It must exist; schemas are made in it.", required=True
)
USER = Field(name="user", title="User", help="One that may create schemas.", required=True)
PASSWORD = Field(
    name="password", title="Password", help="Stored encrypted, never shown again.", secret=True
)


def identifier_bytes_of(settings: WarehouseSettings) -> int:
    """Return how long a name may be; every database but PostgreSQL takes 127 bytes."""
    return 63 if isinstance(settings, PostgresSettings) else 127
