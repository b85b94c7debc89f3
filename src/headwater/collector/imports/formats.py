"""Name the formats that an import can read, and tell which of them a file has.

In: the first lines of a file. Out: the one format that fits them, or an error that asks for
`--format`. Pure.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from headwater.base.errors import InvalidInputError
from headwater.collector.imports.alb import is_alb, parse_alb
from headwater.collector.imports.apigateway import is_apigateway, parse_apigateway
from headwater.collector.imports.caddy import is_caddy, parse_caddy
from headwater.collector.imports.combined import is_combined, is_common, parse_combined
from headwater.collector.imports.fields import read_object
from headwater.collector.imports.har import is_entry, parse_har
from headwater.collector.imports.jsonl import is_event, parse_event
from headwater.collector.imports.nginx import is_nginx, parse_nginx
from headwater.collector.imports.traefik import is_traefik, parse_traefik

Parser = Callable[[bytes], dict[str, Any]]


class TextFormat(NamedTuple):
    """Lines of columns."""

    parse: Parser
    fits: Callable[[str], bool]


class JsonFormat(NamedTuple):
    """Lines that are JSON objects."""

    parse: Parser
    fits: Callable[[dict[str, Any]], bool]


_TEXT: Mapping[str, TextFormat] = {
    "combined": TextFormat(parse_combined, is_combined),
    "common": TextFormat(parse_combined, is_common),
    "alb": TextFormat(parse_alb, is_alb),
}
_JSON: Mapping[str, JsonFormat] = {
    "nginx": JsonFormat(parse_nginx, is_nginx),
    "caddy": JsonFormat(parse_caddy, is_caddy),
    "traefik": JsonFormat(parse_traefik, is_traefik),
    "apigateway": JsonFormat(parse_apigateway, is_apigateway),
    "har": JsonFormat(parse_har, is_entry),
    "moesif": JsonFormat(parse_event, is_event),
}
PARSERS: Mapping[str, Parser] = {
    **{name: form.parse for name, form in _TEXT.items()},
    **{name: form.parse for name, form in _JSON.items()},
    "jsonl": parse_event,
}
AUTO = "auto"
FORMATS = (AUTO, *PARSERS)


def find_format(lines: Iterable[bytes]) -> str:
    """Return the name of the format that most of these lines have."""
    votes = Counter(name for line in lines for name in _names(line))
    if not votes:
        raise InvalidInputError(
            "The first lines do not tell which format this file has.",
            field="format",
            hint=f"Name it: --format {', '.join(PARSERS)}.",
        )
    return votes.most_common(1)[0][0]


def _names(line: bytes) -> list[str]:
    try:
        facts = read_object(line) if line.lstrip(b"\xef\xbb\xbf \t").startswith(b"{") else None
    except InvalidInputError:
        return []
    if facts is None:
        text = line.decode("utf-8", "backslashreplace")
        return [name for name, form in _TEXT.items() if form.fits(text)]
    return [name for name, form in _JSON.items() if form.fits(facts)]
