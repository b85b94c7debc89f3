"""Find out how much a peer takes at once: more while it answers quickly, less in trouble.

In: answers and troubles as they come. Out: how many requests may be on the wire. Trouble halves
the number; a peer that becomes slow lowers it by and by. Never waits and never sends.
"""

_FIRST_TURNS = 2.0
_SLOW = 3.0
"""Times the best answer so far."""
_SLOW_LEAST_S = 0.2
_FORGETTING = 1.02
"""How quickly the best answer is forgotten, with each answer."""


class Concurrency:
    """One for each peer; moments are seconds that never run backwards, always of one clock."""

    def __init__(self, most: int) -> None:
        self.troubles = 0
        """In a row; what was on the wire together counts as one."""
        self._most = most
        self._turns = min(_FIRST_TURNS, most)
        self._quickly = True
        self._best_s = float("inf")
        self._troubled_at_s = float("-inf")

    @property
    def limit(self) -> int:
        """How many may be on the wire."""
        return max(1, int(self._turns))

    def note_answer(self, began_s: float, now_s: float) -> None:
        """Note an answer: twice as many turns while nothing ever went wrong, then one by one."""
        took_s = now_s - began_s
        self.troubles = 0
        self._best_s = min(took_s, self._best_s * _FORGETTING)
        if took_s > max(_SLOW * self._best_s, _SLOW_LEAST_S):
            self._quickly = False
            self._turns = max(1.0, self._turns - 1 / self._turns)
        else:
            more = 1.0 if self._quickly else 1 / self._turns
            self._turns = min(float(self._most), self._turns + more)

    def note_trouble(self, began_s: float, now_s: float) -> bool:
        """Note trouble that passes; False when it is the same trouble as the last one."""
        if began_s <= self._troubled_at_s:
            return False
        self.troubles += 1
        self._quickly = False
        self._turns = max(1.0, self._turns / 2)
        self._troubled_at_s = now_s
        return True
