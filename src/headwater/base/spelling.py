"""Know one name in its many spellings: `apiKey`, `API-Key`, `api_key`.

In: names as people and programs write them. Out: one spelling to compare by. Pure.
"""

_UPPER, _LOWER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz"
_SEPARATORS = b"-_. +"

FLATTEN = bytes.maketrans(_UPPER + _SEPARATORS, _LOWER + b"-" * len(_SEPARATORS))
"""Lower case, and each separator as a dash: offsets stay."""


def flatten(name: str) -> str:
    """Return a name in lower case with each separator as a dash, byte by byte."""
    return name.encode("utf-8", "surrogatepass").translate(FLATTEN).decode("latin-1")


def spellings(name: str) -> tuple[str, ...]:
    """Return a name as `flatten` shows it: with its separators, and without any."""
    flat = flatten(name).strip("-")
    return tuple(dict.fromkeys((flat, flat.replace("-", ""))))
