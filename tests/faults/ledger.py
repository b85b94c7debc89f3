"""Write down what was sent and what was acknowledged, where the system under test cannot reach it.

In: a line before each event is sent, and one after its 2xx. Out: the truth to compare with. Lines
are fsynced before the next step, so the ledger never knows less than the system's clients do.
"""

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


def fingerprint(content: str) -> str:
    """Return what shows whether an event came through as it was."""
    return hashlib.sha256(content.encode()).hexdigest()[:24]


@dataclass
class Sent:
    """What the producers know."""

    intended: dict[str, str] = field(default_factory=dict)
    """The fingerprint of every event that was about to be sent, by id."""
    acknowledged: set[str] = field(default_factory=set)


class Ledger:
    """An append-only file of intents and acknowledgements, shared by all producers."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._one_at_a_time = threading.Lock()

    def intend(self, contents: Mapping[str, str]) -> None:
        """Note events by id, before any of them is sent."""
        self._write({"intend": {id_: fingerprint(text) for id_, text in contents.items()}})

    def acknowledge(self, ids: Iterable[str]) -> None:
        """Note events for which a 2xx came back."""
        self._write({"acknowledge": list(ids)})

    def close(self) -> None:
        self._file.close()

    def _write(self, line: dict[str, object]) -> None:
        with self._one_at_a_time:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


def read_ledger(path: Path) -> Sent:
    """Return everything written; raise on an event acknowledged but never intended."""
    sent = Sent()
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        sent.intended |= entry.get("intend", {})
        sent.acknowledged |= set(entry.get("acknowledge", ()))
    strangers = sent.acknowledged - set(sent.intended)
    if strangers:
        raise ValueError(f"acknowledged but never sent: {sorted(strangers)[:5]}")
    return sent
