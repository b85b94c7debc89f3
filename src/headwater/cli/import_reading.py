"""Read the files of an import, and keep count of what became of their lines.

In: files, once or for as long as they are written. Out: calls to send; an outcome with the lines
that say nothing and the files that are broken. One broken file never costs another. Sends nothing.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO

import msgspec

from headwater.base.errors import CorruptError, HeadwaterError, InvalidInputError
from headwater.cli.loader import Load, Sent, Table
from headwater.collector import (
    Follower,
    Page,
    Plan,
    Planned,
    Rejected,
    masked_sample,
    open_pages,
    split_lines,
)

_MOST_SAMPLES = 10
_CHUNK_CALLS = 5_000
_CHUNK_BYTES = 4_000_000
_LOOK_EVERY_S = 0.5


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


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How files are read, and where it is written down what became of their lines."""

    form: str
    user_from: str
    rejects: BinaryIO | None
    outcome: Outcome

    def loads(self, file: Path, raw: BinaryIO) -> Iterator[Load]:
        """Return the calls of a file to be sent, and count the lines that say nothing."""
        plan = self._plan()
        for page in self._pages(file, raw, plan):
            yield from self._loads_of(file, page, plan)

    def calls(self, file: Path, raw: BinaryIO) -> Iterator[Planned]:
        """Return the calls of a file one by one, and count the lines that say nothing."""
        for page in self._pages(file, raw, Plan(self.form, self.user_from)):
            yield from self._planned(file, page)

    def follow(self, files: Iterable[Path], enough: threading.Event) -> Iterator[Load]:
        """Return the calls of files as they are written; None whenever there is no more."""
        plans: dict[Path, Plan] = {}
        with ExitStack() as opened:
            followers = {file: opened.enter_context(closing(Follower(file))) for file in files}
            while True:
                is_idle = True
                for file, follower in followers.items():
                    block, begins = follower.read()
                    if begins:
                        plans[file] = self._plan()
                    if block:
                        is_idle = False
                        yield from self._loads_of_block(file, block, plans[file])
                yield None
                if enough.wait(_LOOK_EVERY_S if is_idle else 0):
                    return

    def _plan(self) -> Plan:
        return Plan(self.form, self.user_from, by_column=True)

    def _pages(self, file: Path, raw: BinaryIO, plan: Plan) -> Iterator[Page]:
        try:
            for lines in open_pages(raw):
                yield self._read(lines, plan)
        except (CorruptError, InvalidInputError) as err:
            self._note(file, err)

    def _read(self, lines: list[bytes], plan: Plan) -> Page:
        page = plan.read(lines)
        self.outcome.lines += page.lines
        return page

    def _loads_of_block(self, file: Path, block: bytes, plan: Plan) -> Iterator[Load]:
        try:
            lines = split_lines(block)
            page = self._read(lines, plan) if lines else None
        except InvalidInputError as err:
            self._note(file, err)
        else:
            yield from self._loads_of(file, page, plan) if page else ()

    def _loads_of(self, file: Path, page: Page, plan: Plan) -> Iterator[Load]:
        if page.bulk is not None:
            yield Table(page.bulk, plan.read_singly)
        yield from _chunks(self._planned(file, page))

    def _planned(self, file: Path, page: Page) -> Iterator[Planned]:
        for item in page.rest:
            if isinstance(item, Rejected):
                self.outcome.refuse(file, item, self.rejects)
            else:
                yield item

    def _note(self, file: Path, err: HeadwaterError) -> None:
        """Write down that a file is broken, and where, if that is known."""
        self.outcome.broken[str(file)] = f"{err.message} {err.hint}".strip()
        item, sample = err.facts.get("item"), err.facts.get("sample")
        if isinstance(item, int) and isinstance(sample, str):
            bad = Rejected(line=item, reason=err.message, sample=masked_sample(sample.encode()))
            self.outcome.refuse(file, bad, self.rejects)


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
