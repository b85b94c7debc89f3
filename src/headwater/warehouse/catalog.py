"""List the types of warehouse, and check what people fill in.

In: settings as text pairs, as people type them. Out: checked settings, or an error that names the
field; settings as everybody may see them. A type that nobody could try here says so.
"""

import ipaddress
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.vault import show_masked
from headwater.warehouse.settings import (
    DATABASE,
    HOST,
    PASSWORD,
    USER,
    BigQuerySettings,
    ClickHouseSettings,
    DatabricksSettings,
    DuckDbSettings,
    Field,
    FilesystemSettings,
    PostgresSettings,
    RedshiftSettings,
    SnowflakeSettings,
    WarehouseSettings,
)

_DEFAULT_PATHS = {"duckdb": "warehouse.duckdb", "filesystem": "lake"}


class WarehouseType(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the list."""

    type: str
    title: str
    description: str
    fields: tuple[Field, ...]
    shape: Any
    """The structure of its settings."""
    extra: str = ""
    """What to install beside Headwater, as `pip install headwater[…]`."""
    tested: bool = True
    """False: no such service can be had where Headwater is tested."""


def _field(name: str, title: str, help_: str, **more: Any) -> Field:
    return Field(name=name, title=title, help=help_, **more)


def _required(field: Field) -> Field:
    return msgspec.structs.replace(field, required=True)


CATALOG = (
    WarehouseType(
        type="duckdb",
        title="DuckDB",
        description="One file on this machine; nothing to run or to pay.",
        shape=DuckDbSettings,
        fields=(
            _field(
                "path", "File", "In a directory that exists. Empty: warehouse.duckdb in our data."
            ),
        ),
    ),
    WarehouseType(
        type="postgres",
        title="PostgreSQL",
        description="A database of a PostgreSQL server, version 13 or newer.",
        shape=PostgresSettings,
        extra="postgres",
        fields=(
            HOST,
            _field("port", "Port", "", default="5432"),
            DATABASE,
            USER,
            PASSWORD,
            _field(
                "ssl",
                "Encryption",
                "verify-full checks the server's certificate too.",
                choices=("prefer", "require", "verify-full", "disable"),
                default="prefer",
            ),
        ),
    ),
    WarehouseType(
        type="clickhouse",
        title="ClickHouse",
        description="A ClickHouse server, by HTTP; each source becomes a database of it.",
        shape=ClickHouseSettings,
        fields=(
            HOST,
            _field("port", "HTTP port", "8443 is usual with TLS.", default="8123"),
            _field("user", "User", "One that may create databases.", default="default"),
            PASSWORD,
            _field("tls", "TLS", "", choices=("no", "yes"), default="no"),
        ),
    ),
    WarehouseType(
        type="filesystem",
        title="Parquet files",
        description="A directory of Parquet files that DuckDB, Spark, Trino and pandas read.",
        shape=FilesystemSettings,
        fields=(_field("path", "Directory", "Empty: lake in our data directory."),),
    ),
    WarehouseType(
        type="bigquery",
        title="BigQuery",
        description="A project of Google BigQuery.",
        shape=BigQuerySettings,
        extra="bigquery",
        tested=False,
        fields=(
            _field("project_id", "Project", "", required=True),
            _field(
                "client_email",
                "Service account",
                "Its e-mail address; it needs the roles Data Editor and Job User.",
                required=True,
            ),
            _field(
                "private_key", "Private key", "Of its JSON key file.", required=True, secret=True
            ),
            _field("location", "Location", "Where datasets are made.", default="US"),
        ),
    ),
    WarehouseType(
        type="snowflake",
        title="Snowflake",
        description="A database of Snowflake.",
        shape=SnowflakeSettings,
        extra="snowflake",
        tested=False,
        fields=(
            _field(
                "account", "Account", "Such as `orgname-accountname`, without the domain.",
                required=True,
            ),
            DATABASE,
            USER,
            _required(PASSWORD),
            _field("warehouse", "Compute warehouse", "Empty: the user's default."),
            _field("role", "Role", "Empty: the user's default."),
        ),
    ),
    WarehouseType(
        type="redshift",
        title="Redshift",
        description="A database of Amazon Redshift.",
        shape=RedshiftSettings,
        extra="redshift",
        tested=False,
        fields=(
            HOST,
            _field("port", "Port", "", default="5439"),
            DATABASE,
            USER,
            _required(PASSWORD),
        ),
    ),
    WarehouseType(
        type="databricks",
        title="Databricks",
        description="A catalog of Databricks, by one of its SQL warehouses.",
        shape=DatabricksSettings,
        extra="databricks",
        tested=False,
        fields=(
            _field("server_hostname", "Server hostname", "", required=True),
            _field("http_path", "HTTP path", "Of the SQL warehouse.", required=True),
            _field("access_token", "Access token", "", required=True, secret=True),
            _field("catalog", "Catalog", "", required=True),
        ),
    ),
)  # fmt: skip
TYPES = tuple(entry.type for entry in CATALOG)


def find_type(type_: str) -> WarehouseType:
    """Return one entry, or raise `InvalidInputError` with the known names."""
    for entry in CATALOG:
        if entry.type == type_:
            return entry
    raise InvalidInputError(
        f"There is no warehouse type {type_!r}.",
        field="type",
        hint=f"Known types: {', '.join(TYPES)}.",
    )


def check_settings(
    type_: str, given: Mapping[str, str], data: Path, kept: WarehouseSettings | None = None
) -> WarehouseSettings:
    """Return settings that can work; raise `InvalidInputError`, naming the field, if not.

    A secret that is left out stays what it was in `kept`.
    """
    entry = find_type(type_)
    values = {name: value.strip() for name, value in given.items() if value.strip()}
    if kept is not None:
        secrets = {field.name for field in entry.fields if field.secret}
        values = {name: getattr(kept, name) for name in secrets if getattr(kept, name)} | values
    _check_names(entry, given, values)
    if type_ in _DEFAULT_PATHS:
        values = {"path": str(_check_path(entry, values.get("path", ""), data))}
    for name in {"host", "server_hostname"} & set(values):
        _check_host(name, values[name])
    return _convert(entry, values)


def _check_names(entry: WarehouseType, given: Mapping[str, str], values: Mapping[str, str]) -> None:
    known = [field.name for field in entry.fields]
    for name in given:
        if name not in known:
            raise InvalidInputError(
                f"{entry.title} has no setting {name!r}.",
                field=f"settings.{name}",
                hint=f"Settings are {', '.join(known)}.",
            )
    for field in entry.fields:
        if field.required and field.name not in values:
            raise InvalidInputError(
                f"{field.title} is needed.", field=f"settings.{field.name}", hint=field.help
            )


def _convert(entry: WarehouseType, values: Mapping[str, str]) -> WarehouseSettings:
    for field in entry.fields:  # one by one, so that the error can name it without its value
        if field.name not in values:
            continue
        kind = entry.shape.__annotations__[field.name]
        try:
            msgspec.convert(values[field.name], kind, strict=False)
        except msgspec.ValidationError as err:
            of = get_args(kind)
            raise InvalidInputError(
                f"{field.title} is wrong.",
                field=f"settings.{field.name}",
                hint=f"One of {', '.join(of)}." if of else "A whole number is needed.",
            ) from err
    settings: WarehouseSettings = msgspec.convert(values, entry.shape, strict=False)
    return settings


def show_settings(settings: WarehouseSettings) -> dict[str, str]:
    """Return the settings that everybody may see: secrets are masked."""
    entry = next(entry for entry in CATALOG if isinstance(settings, entry.shape))
    shown = {}
    for field in entry.fields:
        value = str(getattr(settings, field.name))
        shown[field.name] = show_masked(value) if field.secret and value else value
    return shown


def _check_path(entry: WarehouseType, path: str, data: Path) -> Path:
    chosen = Path(path or data / _DEFAULT_PATHS[entry.type]).expanduser().resolve()
    wrong_kind = chosen.is_dir() if entry.type == "duckdb" else chosen.is_file()
    if not chosen.parent.is_dir() or wrong_kind:
        raise InvalidInputError(
            f"{chosen} cannot be a place for {entry.title}.",
            field="settings.path",
            hint="Name something in a directory that exists.",
        )
    return chosen


def _check_host(field: str, host: str) -> None:
    """Refuse addresses that no database has: those of clouds that hand out credentials."""
    if host.startswith("/"):  # the directory of a Unix socket
        return
    try:
        found = {str(answer[4][0]) for answer in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError) as err:
        raise InvalidInputError(
            f"There is no host {host!r}.", field=f"settings.{field}", hint="Is the name right?"
        ) from err
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            raise InvalidInputError(
                f"{host} is not the address of a database.", field=f"settings.{field}"
            )
