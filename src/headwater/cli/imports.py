"""`headwater import`: load access logs and event files through the Collector API.

In: files, or patterns of their names. Out: how many lines became calls, and why others did not.
Skips the calls that are stored already, so that a file can be imported twice, or an import that
broke off can go on.
"""

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from headwater.base.errors import InvalidInputError
from headwater.cli.common import Cli, options, remote
from headwater.cli.import_paths import STDIN, find_files
from headwater.cli.import_reading import Outcome, Reading
from headwater.cli.loader import Load, Loader
from headwater.collector import FORMATS, masked_sample
from headwater.workspace import collector_key, get_app

_MOST_EVENTS_SHOWN = 3
_TABLES_PER_COUNT = 1_000


@click.command("import")
@click.argument("files", nargs=-1, required=True)
@click.option("--app", "app_id", required=True, help="The app that the calls belong to.")
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True)
@click.option(
    "--user-from", default="", help="Who made the call: ip, remote_user, or the path of a field."
)
@click.option(
    "--rejects",
    "rejects",
    type=click.File("wb", lazy=False),
    help="Write lines that say nothing to this file, as JSON lines with their reasons.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing: count, and show the first events.")
@click.option("--follow", is_flag=True, help="Go on as the files are written, until interrupted.")
@options
def import_files(
    cli: Cli,
    files: tuple[str, ...],
    app_id: str,
    form: str,
    user_from: str,
    rejects: BinaryIO | None,
    *,
    dry_run: bool,
    follow: bool,
) -> None:
    """Load access logs or event FILES (plain, .gz or .zst, - for standard input) into an app."""
    started_s = cli.clock.monotonic_s()
    found = find_files(files)
    if follow and (dry_run or STDIN in found):
        raise InvalidInputError("Files that are written are followed, not trials or input.")
    with cli.configuration() as connection:
        get_app(connection, app_id)
        key = collector_key(connection, cli.vault, app_id)
    outcome = Outcome()
    reading = Reading(form=form, user_from=user_from, rejects=rejects, outcome=outcome)
    if dry_run:
        _try(cli, found, reading)
    elif follow:
        _follow(cli, found, reading, app_id, key)
    else:
        _send(cli, found, reading, app_id, key)
    outcome.seconds = round(cli.clock.monotonic_s() - started_s, 3)
    cli.show(outcome, lambda: _tell(outcome))
    if outcome.broken:
        sys.exit(1)


def _try(cli: Cli, files: Iterable[Path], reading: Reading) -> None:
    outcome = reading.outcome
    with Progress(console=cli.err) as progress:
        for file in files:
            with _opened(file, progress) as raw:
                calls = reading.calls(file, raw)
                wanted = _MOST_EVENTS_SHOWN - len(outcome.first_events)
                shown = (masked_sample(call.event) for call in islice(calls, wanted))
                outcome.first_events += [msgspec.Raw(event.encode()) for event in shown]
                for _ in calls:
                    pass


def _send(cli: Cli, files: Iterable[Path], reading: Reading, app_id: str, key: str) -> None:
    def loads(progress: Progress) -> Iterator[Load]:
        for file in files:
            with _opened(file, progress) as raw:
                yield from reading.loads(file, raw)

    with remote(cli) as server, Progress(console=cli.err) as progress:
        loader = Loader(server, app_id, key, cli.clock)
        _load(loader, loads(progress), reading.outcome)


def _follow(cli: Cli, files: Iterable[Path], reading: Reading, app_id: str, key: str) -> None:
    with _until_interrupted() as enough, remote(cli) as server:
        loader = Loader(server, app_id, key, cli.clock)
        _load(loader, reading.follow(files, enough), reading.outcome)


def _load(loader: Loader, loads: Iterable[Load], outcome: Outcome) -> None:
    loader.begin()
    for sent in loader.send_all(loads):
        outcome.add(sent)
        if loader.tables_to_count >= _TABLES_PER_COUNT:
            outcome.add(loader.finish())
    outcome.add(loader.finish())


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C sets, so that what was begun is ended in order."""
    enough = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, lambda *_: enough.set()) for one in signals]
    try:
        yield enough
    finally:
        for one, handler in zip(signals, before, strict=True):
            signal.signal(one, handler)


@contextmanager
def _opened(file: Path, progress: Progress) -> Iterator[BinaryIO]:
    """Open a file so that reading it moves its progress bar."""
    if file == STDIN:
        progress.add_task("standard input", total=None)
        yield sys.stdin.buffer
        return
    with progress.open(file, "rb", description=file.name) as raw:
        yield raw


def _tell(outcome: Outcome) -> None:
    out = Console()
    out.print(
        f"{outcome.lines:,} lines: {outcome.imported:,} imported, "
        f"{outcome.already_stored:,} were there already, {outcome.rejected:,} rejected "
        f"({outcome.seconds:.1f} s).",
        highlight=False,
    )
    for reason, count in outcome.reject_reasons.most_common():
        out.print(f"  {count:,}x {reason}", highlight=False, markup=False)
    for file, reason in outcome.broken.items():
        out.print(f"  {file}: {reason}", highlight=False, markup=False)
    for event in outcome.first_events:
        out.print_json(bytes(event).decode())
    for bad in outcome.rejects:
        out.print(f"  {bad.file}:{bad.line}: {bad.sample}", highlight=False, markup=False)
