"""Give each line of a file an id that is the same at every reading.

In: lines, in the order of their file. Out: ids, made of a line's content and of how often that
content came before. Remembers the latest quarter of a million different contents, at least, and at
most twice as many (some 100 MB): equal lines of a log carry the same second, so they stand near
each other; two that stand further apart than that count as one line read twice. Pure.
"""

from hashlib import blake2b

from headwater.base.ids import stable_id
from headwater.model import ID_BYTES

_MOST = 250_000


class CallIds:
    """Reads one file. What it remembers depends on the order of lines alone, not on pages."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._recent: set[str] = set()
        self._older: set[str] = set()
        self._repeats: dict[str, int] = {}
        """How often those came that came more than once."""

    def of(self, line: bytes) -> str:
        """Return the id of the next line."""
        content = stable_id(line.decode("latin-1"))
        return stable_id("import", content, str(self._count(content)))

    def of_all(self, lines: list[bytes]) -> bytes:
        """Return the ids of the next lines, which are all ASCII, packed one behind the other."""
        contents = [blake2b(line, digest_size=ID_BYTES).hexdigest() for line in lines]
        if self._add_new(contents):
            texts = [f"import\x1f{content}\x1f0" for content in contents]
        else:
            texts = [f"import\x1f{content}\x1f{self._count(content)}" for content in contents]
        return b"".join([blake2b(text.encode(), digest_size=ID_BYTES).digest() for text in texts])

    def _add_new(self, contents: list[str]) -> bool:
        """Count contents none of which came before, by far the usual case; tell if it is so."""
        new = set(contents)
        if (
            len(new) < len(contents)
            or len(self._recent) + len(new) > self._most
            or not new.isdisjoint(self._recent)
            or not new.isdisjoint(self._older)
        ):
            return False
        self._recent |= new
        return True

    def _count(self, content: str) -> int:
        """Return how often a content came before, and count it."""
        came = self._repeats.get(content, int(content in self._recent or content in self._older))
        if came:
            self._repeats[content] = came + 1
        if content not in self._recent:
            if len(self._recent) >= self._most:
                self._forget()
            self._recent.add(content)
        return came

    def _forget(self) -> None:
        self._recent, self._older = set(), self._recent
        self._repeats = {c: n for c, n in self._repeats.items() if c in self._older}
