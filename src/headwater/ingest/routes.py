"""Turn a URI into a route: `/items/123?x=1` becomes `/items/:id`.

In: a URI as sent. Out: its host and its route. Segments that look like an id, a date or an e-mail
address become placeholders; version segments such as `v1` stay. Pure.
"""

import re
from functools import lru_cache

_MAX_SEGMENTS = 16
_MAX_SEGMENT_CHARS = 64
_MAX_CACHED_CHARS = 256
_CACHED = 65_536
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_VERSION = re.compile(r"[vV]?\d{1,2}(\.\d{1,3}){1,2}|[vV]\d{1,3}([a-z]+\d*)?")
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2}([T ].*)?)?")
_EMAIL = re.compile(r"[^@]+(@|%40)[^@]+", re.IGNORECASE)
_ID = re.compile(
    r"[-+]?\d+"  # a number
    r"|\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?"  # a UUID
    r"|(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}"  # hexadecimal digits, not a word
    r"|[0-9A-HJKMNP-TV-Z]{26}"  # a ULID
    r"|[A-Za-z]{1,10}([-_][A-Za-z]{1,10})?_(?=[A-Za-z]*\d)[0-9A-Za-z]{6,}"  # cus_9s6XKzkNRiz8i3
    r"|[A-Za-z]+[-_]?\d{4,}"  # order-20031
    r"|(?=[A-Za-z]*\d)[A-Za-z0-9]{16,}"  # letters and digits, too long for a word
    r"|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_-]{16,}={0,2}"  # base64
    r"|[A-Za-z0-9+/_-]{14,}={1,2}"  # base64, padded
)


def split_uri(uri: str) -> tuple[str, str]:
    """Return host and path of a URI; the host is empty when only a path was sent."""
    path = uri.partition("?")[0].partition("#")[0]
    if path.startswith("/") or not _SCHEME.match(path):
        return "", path
    host, slash, path = path.split("://", 1)[1].partition("/")
    return host.rpartition("@")[2].lower(), slash + path


def to_route(path: str) -> str:
    """Return the template of a path, without a trailing slash."""
    folder, _, last = path.rpartition("/")
    if last and len(path) < _MAX_CACHED_CHARS and path.count("/") < _MAX_SEGMENTS:
        return f"{_name_folder(folder)}/{name_segment(last)}"
    segments = [name_segment(segment) for segment in path.split("/") if segment]
    if len(segments) > _MAX_SEGMENTS:
        segments = [*segments[:_MAX_SEGMENTS], "*"]
    return "/" + "/".join(segments)


@lru_cache(maxsize=_CACHED)
def _name_folder(folder: str) -> str:
    """Return the template of what stands before the last segment: many paths share it."""
    return "".join(f"/{name_segment(segment)}" for segment in folder.split("/") if segment)


def name_segment(segment: str) -> str:
    """Return the segment, or the placeholder for what it looks like."""
    # Only what is short is remembered: strangers choose the paths, and how long they are.
    return _name_short(segment) if len(segment) <= _MAX_SEGMENT_CHARS else _name(segment)


def _name(segment: str) -> str:
    if segment.isalpha() and len(segment) < _MAX_SEGMENT_CHARS:
        return segment
    if _EMAIL.fullmatch(segment):
        return ":email"
    if _VERSION.fullmatch(segment):
        return segment
    if _DATE.fullmatch(segment):
        return ":date"
    if len(segment) > _MAX_SEGMENT_CHARS or _ID.fullmatch(segment):
        return ":id"
    return _name_stem(segment)


_name_short = lru_cache(maxsize=_CACHED)(_name)


def _name_stem(segment: str) -> str:
    extension = _EXTENSION.search(segment)
    if extension and extension.start():
        return name_segment(segment[: extension.start()]) + extension.group()
    return segment
