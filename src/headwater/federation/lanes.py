"""Say which of the messages in hand may be sent now.

In: pieces in the order of the log. Out: the ones that nothing holds back. Where a destination keeps
order, each user has a lane: one message at a time, and a message that has to wait holds back those
behind it. Everybody else goes on. Pure.
"""

from collections import deque
from collections.abc import Callable

import msgspec

from headwater.destinations import Item, Outcome
from headwater.federation.waiting import Waiting
from headwater.model import Message

FORGOTTEN = "forgotten"


class Haul(msgspec.Struct, eq=False):
    """What was taken in at once, and is written down at once."""

    pieces: "list[Piece]"
    next_offset: int = 0
    """Where the log goes on behind it; 0 when it came from the configuration database."""
    left: int = 0
    """Pieces whose fate is open."""
    tally: dict[str, int] = {}
    dropped: list[Waiting] = []
    """They had a row, and filters let them through no more."""
    unreadable: list[str] = []
    """Records that are no messages."""

    def count(self, what: str) -> None:
        """Count one message more."""
        self.tally[what] = self.tally.get(what, 0) + 1

    def drop(self, waiting: Waiting, reason: str) -> None:
        """Let go of a message that is not to be sent."""
        self.count(f"filtered.{reason}")
        if waiting.is_stored:
            self.dropped.append(waiting)

    def leave_out(self, is_forgotten: Callable[[Message], bool]) -> None:
        """Keep nothing of users who were forgotten while they were in hand."""
        for piece in [one for one in self.pieces if is_forgotten(one.waiting.message)]:
            if piece.outcome is None or piece.outcome.fate != "delivered":
                self.pieces.remove(piece)
                self.drop(piece.waiting, FORGOTTEN)


class Piece(msgspec.Struct, eq=False):
    """One message on its way."""

    waiting: Waiting
    haul: Haul
    items: list[Item]
    """What mappings made of it; empty: nothing is to be sent."""
    lane: str = ""
    """Whose order it keeps; empty: nobody's."""
    outcome: Outcome | None = None
    """None: it was not tried."""
    waits: bool = False
    """It will have a row: not taken, not tried, or held back."""
    goes_alone: bool = False
    """It may be what its destination dislikes: nobody shall share its fate."""


class Lanes:
    """The pieces of one destination that are in hand and not on the wire."""

    def __init__(self) -> None:
        self._free: deque[Piece] = deque()
        self._behind: dict[str, deque[Piece]] = {}
        """By lane; a lane is here while one of its pieces is free or on the wire."""

    def __len__(self) -> int:
        return len(self._free)

    def put(self, pieces: list[Piece]) -> None:
        """Add what was taken in."""
        for piece in pieces:
            if not piece.lane:
                self._free.append(piece)
            elif (behind := self._behind.get(piece.lane)) is not None:
                behind.append(piece)
            else:
                self._behind[piece.lane] = deque()
                self._free.append(piece)

    def take(self, most: int) -> list[Piece]:
        """Return the next pieces to send together."""
        free, taken = self._free, list[Piece]()
        while free and len(taken) < most:
            if free[0].goes_alone and taken:
                break
            taken.append(free.popleft())
            if taken[-1].goes_alone:
                break
        return taken

    def let_pass(self, piece: Piece) -> None:
        """One is done: the next of its lane may go."""
        if not piece.lane:
            return
        behind = self._behind[piece.lane]
        if behind:
            self._free.append(behind.popleft())
        else:
            del self._behind[piece.lane]

    def hold_back(self, piece: Piece) -> list[Piece]:
        """One has to wait: return those behind it, which wait with it."""
        return list(self._behind.pop(piece.lane)) if piece.lane else []

    def clear(self) -> list[Piece]:
        """Return all that is not on the wire; it is not in hand any more."""
        cleared = list(self._free)
        self._free.clear()
        for piece in cleared:
            cleared += self.hold_back(piece)
        for behind in self._behind.values():
            cleared += behind
            behind.clear()
        return cleared
