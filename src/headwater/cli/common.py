"""Give every command the same two options, the same errors, and the same way to a server.

In: `--data DIR` and `--json`. Out: results as tables or as one JSON document on stdout; progress
and logs on stderr. Commands that only change configuration open the database; commands that need
the engines ask the management API of the running server, or of one started for the command.
"""

import asyncio
import functools
import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec
import sqlalchemy as sa
import urllib3
from rich.console import Console
from rich.table import Table

from headwater.base.clock import Clock, SystemClock
from headwater.base.errors import HeadwaterError, InvalidInputError, UnavailableError
from headwater.base.lock import is_locked
from headwater.base.settings import Settings, load_settings
from headwater.base.telemetry import set_up_logging
from headwater.base.vault import Vault

_TIMEOUT = urllib3.Timeout(connect=5.0, read=600.0)
_HTTP_ERRORS_FROM = 400
HEALTH = "/health"
"""Answers 503 with the same body when a check fails: not an error of the question."""


@dataclass(frozen=True)
class Cli:
    """What a command works with."""

    settings: Settings
    as_json: bool
    clock: Clock = field(default_factory=SystemClock)
    err: Console = field(default_factory=lambda: Console(stderr=True))

    @functools.cached_property
    def vault(self) -> Vault:
        return Vault.open(self.settings.data / "master.key")

    @contextmanager
    def configuration(self) -> Iterator[sa.Connection]:
        """Open the configuration database, migrated, in one transaction."""
        from headwater.configdb import ConfigDb, migrate
        from headwater.workspace import ensure_default_app

        db = ConfigDb.open(self.settings.configdb, self.settings.data)
        try:
            migrate(db)
            with db.transaction() as connection:
                ensure_default_app(connection, self.vault, self.clock)
                yield connection
        finally:
            db.close()

    def show(self, result: object, human: Callable[[], object]) -> None:
        """Print the result: JSON on stdout with `--json`, else what `human` returns or prints."""
        if self.as_json:
            click.echo(msgspec.json.encode(result).decode())
            return
        shown = human()
        if shown is not None:
            Console().print(shown, highlight=False)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--data` and `--json`, and hand the command a `Cli` as its first argument."""

    @click.option("--data", type=click.Path(path_type=Path), help="Data directory.")
    @click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")
    @functools.wraps(command)
    def run(*args: Any, data: Path | None, as_json: bool, **kwargs: Any) -> None:
        set_up_logging("warning")
        settings = load_settings(data)
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        command(Cli(settings=settings, as_json=as_json), *args, **kwargs)

    return run


class CleanErrors(click.Group):
    """Shows our errors as one line with a hint, not as a traceback; exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HeadwaterError as err:
            where = f" (at {err.field})" if err.field else ""
            click.echo(f"Error: {err.message}{where}", err=True)
            if err.hint:
                click.echo(f"Hint: {err.hint}", err=True)
            ctx.exit(1)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> Table | str:
    """Return rows as a table for people, or a sentence when there are none."""
    if not rows:
        return empty
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")  # ids are for copying: never cut them
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    return shown


def read_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Return the settings of repeated `--set key=value`."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInputError(
                f"{pair!r} is no setting.", field="set", hint="Write --set key=value."
            )
        values[name.strip()] = value
    return values


class Remote:
    """The management API of a server, as the owner of its data directory."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._http = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        return self.ask("POST", path, body)

    def put(self, path: str, body: object = None) -> Any:
        return self.ask("PUT", path, body)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send one request; return the decoded answer or raise the error it carries."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            reply = self._http.request(
                method, self.url + path, body=None if body is None else data, headers=self._headers
            )
        except urllib3.exceptions.HTTPError as err:
            raise UnavailableError(
                f"The server at {self.url} does not answer.", hint="See `headwater doctor`."
            ) from err
        answer = json.loads(reply.data) if reply.data else None
        if reply.status >= _HTTP_ERRORS_FROM and path != HEALTH:
            raise RemoteError.from_answer(answer)
        return answer


class RemoteError(HeadwaterError):
    """An error that the server answered with."""

    @classmethod
    def from_answer(cls, answer: Mapping[str, str] | None) -> "RemoteError":
        facts = answer or {"message": "The server answered with an error and no explanation."}
        return cls(
            facts.get("message", str(facts)),
            field=facts.get("field", ""),
            hint=facts.get("hint", ""),
        )


@contextmanager
def remote(cli: Cli) -> Iterator[Remote]:
    """Give the management API: of the running server, else of one that lives for this command."""
    if is_locked(cli.settings.data):
        yield _running_server(cli.settings.data)
        return
    with _own_server(cli.settings) as found:
        yield found


def _running_server(data: Path) -> Remote:
    card = data / "run" / "serve.json"
    try:
        facts = json.loads(card.read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise UnavailableError(
            f"A Headwater holds {data} but is not ready.", hint="Try again in some seconds."
        ) from err
    return Remote(facts["url"], facts["token"])


@contextmanager
def _own_server(settings: Settings) -> Iterator[Remote]:
    from headwater.app import running

    started: list[Remote] = []
    failed: list[BaseException] = []
    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def live() -> None:
        finished = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(finished.set))
        async with running(settings, port=0) as server:
            started.append(Remote(server.url, server.token))
            ready.set()
            await finished.wait()

    def work() -> None:
        try:
            asyncio.run(live())
        except BaseException as err:  # noqa: BLE001 - raised again in the caller's thread
            failed.append(err)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="server")
    thread.start()
    ready.wait()
    try:
        if started:
            yield started[0]
    finally:
        if stop:
            stop[0]()
        thread.join()
    if failed:
        raise failed[0]


def read_object(spec: str) -> dict[str, Any]:
    """Return the JSON object in the file of `--spec`; `-` is stdin."""
    try:
        document = json.loads(sys.stdin.read() if spec == "-" else Path(spec).read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise InvalidInputError(f"The policy cannot be read: {err}", field="--spec") from err
    if not isinstance(document, dict):
        raise InvalidInputError("A policy is a JSON object.", field="--spec")
    return document
