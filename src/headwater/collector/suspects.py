"""Tell which of many short texts may hold a secret: URIs, values of headers.

In: texts, and the quick look. Out: the numbers of those that a careful reader must see, in order.
Never misses one that the careful reader would change. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_plus

from headwater.collector.quick_look import BIG, NAME, Place, QuickLook

_DISGUISED = re.compile(r"%(?:2[dDeE]|3[0-9]|4[0-9a-fA-F]|5[0-9aAfF]|6|7[0-9aA])")
"""Letters and digits that no client need write so."""


def suspect_lines(texts: Sequence[str], look: QuickLook) -> list[int]:
    """Return which texts may hold a secret."""
    joined, odd = "\n".join(texts), []
    if "%" in joined or joined.count("\n") >= len(texts):
        plain = [_plain(text) for text in texts]
        odd = [number for number, text in enumerate(plain) if text is None]
        joined = "\n".join(text or "" for text in plain)
    lines = joined.encode("utf-8", "surrogatepass")
    places = look.places(lines, is_json=False)
    found = list(_lines(lines, places)) if places else []
    return sorted({*odd, *found}) if odd else found


def _plain(text: str) -> str | None:
    """Return one line: a text, and how a reader of its parameters sees it; None when it is odd."""
    if "%" in text:
        if _DISGUISED.search(text):
            return None
        text = f"{text} {unquote_plus(text)}"
    return None if "\n" in text else text


def _lines(text: bytes, places: Sequence[Place]) -> Iterator[int]:
    number, counted, settled = 0, 0, 0
    for place in places:
        if place.start < settled or place.kind == BIG:
            continue
        number += text.count(b"\n", counted, place.start)
        counted = place.start
        end = text.find(b"\n", place.start)
        end = len(text) if end < 0 else end
        if place.kind != NAME or _has_value(text, place.start, end):
            yield number
            settled = end


def _has_value(text: bytes, start: int, end: int) -> bool:
    return text.rfind(b"=", start, end) >= 0 or text.rfind(b":", start, end) >= 0
