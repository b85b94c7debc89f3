"""Know the receivers of Tracking API calls by name, and read what a person typed as one.

In: a name, a URL, or `name=URL`. Out: a base URL, empty for the source built into this server.
"""

from urllib.parse import urlsplit

from headwater.base.errors import InvalidInputError
from headwater.extensions.contract import Suggestion

BUILT_IN = "built-in"
_API_PATHS = ("/v1/batch", "/v1")
SUGGESTIONS = (
    Suggestion(BUILT_IN, "This server's own source", ""),
    Suggestion("segment", "Segment", "https://api.segment.io"),
    Suggestion(
        "segment-eu", "Segment, in the European Union", "https://events.eu1.segmentapis.com"
    ),
    Suggestion("rudderstack", "RudderStack", "", example="https://NAME.dataplane.rudderstack.com"),
    Suggestion("jitsu", "Jitsu", "", example="https://NAME.d.jitsu.com"),
)
_BY_NAME = {one.name: one for one in SUGGESTIONS}


def clean_endpoint(text: str) -> str:
    """Return the base URL without `/v1`; empty stays empty: the built-in source."""
    name, _, url = text.strip().partition("=")
    known = _BY_NAME.get(name.strip().lower())
    if known is None:
        return _clean_url(text)
    if url.strip():
        return _clean_url(url)
    if known.example:
        raise InvalidInputError(
            f"Every {known.title} has a URL of its own.",
            field="endpoint",
            hint=f"Write `{known.name}=URL`, such as {known.name}={known.example}.",
        )
    return known.value


def _clean_url(url: str) -> str:
    text = url.strip().rstrip("/")
    if not text:
        return ""
    for ending in _API_PATHS:
        text = text.removesuffix(ending).rstrip("/")
    if not _is_base_url(text):
        raise InvalidInputError(
            "The endpoint is not a base URL.",
            field="endpoint",
            hint=(
                "Use a form such as https://api.segment.io, without query, fragment or user, or "
                f"one of {', '.join(_BY_NAME)}."
            ),
        )
    return text


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    odd = any(character.isspace() or not character.isprintable() for character in text)
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and plain
        and port != 0
        and not odd
    )
