"""`headwater import`: load access logs and event files through the Collector API.

In: files. Out: how many lines became calls, and why others did not. Skips the calls that are stored
already, so that a file can be imported twice, or an import that broke off can go on.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from headwater.base.errors import CorruptError
from headwater.cli.common import Cli, options, remote
from headwater.cli.loader import Loader, Sent, Table
from headwater.collector import (
    FORMATS,
    Page,
    Plan,
    Planned,
    Rejected,
    masked_sample,
    open_pages,
)
from headwater.workspace import collector_key, get_app

_STDIN = Path("-")
_MOST_SAMPLES = 10
_MOST_EVENTS_SHOWN = 3
_CHUNK_CALLS = 5_000
_CHUNK_BYTES = 4_000_000


class BadLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was left out."""

    file: str
    line: int
    reason: str
    sample: str


class Outcome(msgspec.Struct, kw_only=True):
    """What an import did."""

    lines: int = 0
    imported: int = 0
    already_stored: int = 0
    rejected: int = 0
    reject_reasons: Counter[str] = msgspec.field(default_factory=Counter)
    rejects: list[BadLine] = []
    """The first ones."""
    broken: dict[str, str] = {}
    """Files that could not be read to their end, with the reason."""
    first_events: list[msgspec.Raw] = []
    """Of a dry run: as they would be sent."""
    seconds: float = 0.0

    def add(self, sent: Sent) -> None:
        """Count calls that were sent, or were there."""
        self.imported += sent.new
        self.already_stored += sent.known

    def refuse(self, file: Path, bad: Rejected, rejects: BinaryIO | None = None) -> None:
        """Count a line that says nothing, write it down, and keep the first few to show."""
        self.rejected += 1
        self.reject_reasons[bad.reason] += 1
        line = BadLine(file=str(file), **msgspec.structs.asdict(bad))
        if len(self.rejects) < _MOST_SAMPLES:
            self.rejects.append(line)
        if rejects is not None:
            rejects.write(msgspec.json.encode(line) + b"\n")


@click.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
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
@options
def import_files(
    cli: Cli,
    files: tuple[Path, ...],
    app_id: str,
    form: str,
    user_from: str,
    rejects: BinaryIO | None,
    *,
    dry_run: bool,
) -> None:
    """Load access logs or event FILES (plain, .gz or .zst, - for standard input) into an app."""
    started_s = cli.clock.monotonic_s()
    with cli.configuration() as connection:
        get_app(connection, app_id)
        key = collector_key(connection, cli.vault, app_id)
    outcome = Outcome()
    reading = Reading(form=form, user_from=user_from, rejects=rejects, outcome=outcome)
    if dry_run:
        _try(cli, files, reading)
    else:
        _send(cli, files, reading, app_id, key)
    outcome.seconds = round(cli.clock.monotonic_s() - started_s, 3)
    cli.show(outcome, lambda: _tell(outcome))
    if outcome.broken:
        sys.exit(1)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How files are read, and where it is written down what became of their lines."""

    form: str
    user_from: str
    rejects: BinaryIO | None
    outcome: Outcome

    def loads(self, file: Path, raw: BinaryIO) -> Iterator[Table | list[Planned]]:
        """Return the calls of a file to be sent, and count the lines that say nothing."""
        plan = Plan(self.form, self.user_from, by_column=True)
        for page in self._pages(file, raw, plan):
            if page.bulk is not None:
                yield Table(page.bulk, plan.read_singly)
            yield from _chunks(self._planned(file, page))

    def calls(self, file: Path, raw: BinaryIO) -> Iterator[Planned]:
        """Return the calls of a file one by one, and count the lines that say nothing."""
        for page in self._pages(file, raw, Plan(self.form, self.user_from)):
            yield from self._planned(file, page)

    def _pages(self, file: Path, raw: BinaryIO, plan: Plan) -> Iterator[Page]:
        try:
            for lines in open_pages(raw):
                page = plan.read(lines)
                self.outcome.lines += page.lines
                yield page
        except CorruptError as err:
            self.outcome.broken[str(file)] = err.message

    def _planned(self, file: Path, page: Page) -> Iterator[Planned]:
        for item in page.rest:
            if isinstance(item, Rejected):
                self.outcome.refuse(file, item, self.rejects)
            else:
                yield item


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
    with remote(cli) as server, Progress(console=cli.err) as progress:
        loader = Loader(server, app_id, key, cli.clock)
        loader.begin()
        for file in files:
            with _opened(file, progress) as raw:
                for sent in loader.send_all(reading.loads(file, raw)):
                    reading.outcome.add(sent)
        reading.outcome.add(loader.finish())


@contextmanager
def _opened(file: Path, progress: Progress) -> Iterator[BinaryIO]:
    """Open a file so that reading it moves its progress bar."""
    if file == _STDIN:
        progress.add_task("standard input", total=None)
        yield sys.stdin.buffer
        return
    with progress.open(file, "rb", description=file.name) as raw:
        yield raw


def _chunks(planned: Iterable[Planned]) -> Iterator[list[Planned]]:
    chunk: list[Planned] = []
    size_bytes = 0
    for item in planned:
        chunk.append(item)
        size_bytes += len(item.event)
        if len(chunk) >= _CHUNK_CALLS or size_bytes >= _CHUNK_BYTES:
            yield chunk
            chunk, size_bytes = [], 0
    if chunk:
        yield chunk


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
