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
        self._counts: dict[str, int] = {}
        self._older: dict[str, int] = {}

    def of(self, line: bytes) -> str:
        """Return the id of the next line."""
        content = stable_id(line.decode("latin-1"))
        return stable_id("import", content, str(self._count(content)))

    def of_all(self, lines: list[bytes]) -> bytes:
        """Return the ids of the next lines, which are all ASCII, packed one behind the other."""
        contents = [blake2b(line, digest_size=ID_BYTES).hexdigest() for line in lines]
        texts = [f"import\x1f{content}\x1f{n}" for content, n in self._count_all(contents)]
        return b"".join([blake2b(text.encode(), digest_size=ID_BYTES).digest() for text in texts])

    def _count_all(self, contents: list[str]) -> "list[tuple[str, int]]":
        new = dict.fromkeys(contents, 1)
        counts = self._counts
        if (
            len(new) < len(contents)
            or len(counts) + len(new) > self._most
            or not new.keys().isdisjoint(counts)
            or not new.keys().isdisjoint(self._older)
        ):
            return [(content, self._count(content)) for content in contents]
        # By far the usual case: none of them came before.
        counts |= new
        return [(content, 0) for content in contents]

    def _count(self, content: str) -> int:
        """Return how often a content came before, and count it."""
        came = self._counts.get(content) or self._older.get(content, 0)
        if len(self._counts) >= self._most and content not in self._counts:
            self._counts, self._older = {}, self._counts
        self._counts[content] = came + 1
        return came
