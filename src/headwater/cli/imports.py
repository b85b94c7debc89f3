"""`headwater import`: load access logs and event files through the Collector API.

In: files. Out: how many lines became calls, and why others did not. Skips the calls that are stored
already, so that a file can be imported twice, or an import that broke off can go on.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from headwater.cli.common import Cli, options, remote
from headwater.cli.loader import Loader
from headwater.collector import FORMATS, Planned, Rejected, open_lines, plan_events
from headwater.workspace import collector_key, get_app

_STDIN = Path("-")
_MOST_SAMPLES = 10
_CHUNK_CALLS = 1_000
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
    seconds: float = 0.0

    def refuse(self, file: Path, bad: Rejected) -> None:
        """Count a line that says nothing, and keep the first few to show."""
        self.rejected += 1
        self.reject_reasons[bad.reason] += 1
        if len(self.rejects) < _MOST_SAMPLES:
            facts = msgspec.structs.asdict(bad)
            self.rejects.append(BadLine(file=str(file), **facts))


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
@options
def import_files(cli: Cli, files: tuple[Path, ...], app_id: str, form: str, user_from: str) -> None:
    """Load access logs or event FILES (plain or .gz, - for standard input) into an app."""
    started_s = cli.clock.monotonic_s()
    with cli.configuration() as connection:
        get_app(connection, app_id)
        key = collector_key(connection, cli.vault, app_id)
    outcome = Outcome()
    with remote(cli) as server, Progress(console=cli.err) as progress:
        loader = Loader(server, app_id, key, cli.clock)
        loader.settle()
        for file in files:
            with _opened(file, progress) as raw:
                _load(loader, file, plan_events(open_lines(raw), form, user_from), outcome)
        loader.settle()
    outcome.seconds = round(cli.clock.monotonic_s() - started_s, 3)
    cli.show(outcome, lambda: _tell(outcome))


@contextmanager
def _opened(file: Path, progress: Progress) -> Iterator[BinaryIO]:
    """Open a file so that reading it moves its progress bar."""
    if file == _STDIN:
        progress.add_task("standard input", total=None)
        yield sys.stdin.buffer
        return
    with progress.open(file, "rb", description=file.name) as raw:
        yield raw


def _load(loader: Loader, file: Path, plan: Iterable[Planned | Rejected], outcome: Outcome) -> None:
    for chunk in _chunks(_only_planned(file, plan, outcome)):
        new = loader.send(chunk)
        outcome.imported += new
        outcome.already_stored += len(chunk) - new


def _only_planned(
    file: Path, plan: Iterable[Planned | Rejected], outcome: Outcome
) -> Iterator[Planned]:
    for item in plan:
        outcome.lines += 1
        if isinstance(item, Rejected):
            outcome.refuse(file, item)
        else:
            yield item


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
    for bad in outcome.rejects:
        out.print(f"  {bad.file}:{bad.line}: {bad.sample}", highlight=False, markup=False)
