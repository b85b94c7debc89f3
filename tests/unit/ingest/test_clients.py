"""A User-Agent tells which client library, tool or browser made a call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.ingest.clients import recognise_client

_CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "client"),
    [
        ("", ("", "", "")),
        ("stripe-python/5.0.1", ("stripe-python", "5.0.1", "sdk")),
        ("acme-node/v2.1 (linux)", ("acme-node", "2.1", "sdk")),
        ("python-requests/2.32.3", ("python-requests", "2.32.3", "http")),
        ("Python/3.11 aiohttp/3.9.1", ("aiohttp", "3.9.1", "http")),
        ("curl/8.5.0", ("curl", "8.5.0", "cli")),
        ("okhttp/4.12.0", ("okhttp", "4.12.0", "http")),
        ("axios/1.7.2", ("axios", "1.7.2", "http")),
        ("Go-http-client/2.0", ("Go-http-client", "2.0", "http")),
        ("PostmanRuntime/7.43.0", ("PostmanRuntime", "7.43.0", "tool")),
        (_CHROME, ("Chrome", "131", "browser")),
        (_CHROME + " Edg/131.0.0.0", ("Edge", "131", "browser")),
        (
            "Mozilla/5.0 (Macintosh) AppleWebKit/605.1 (KHTML, like Gecko) Version/17.4 Safari/605",
            ("Safari", "17", "browser"),
        ),
        ("Mozilla/5.0 (X11; rv:132.0) Gecko/20100101 Firefox/132.0", ("Firefox", "132", "browser")),
        ("Mozilla/5.0 (compatible; Examplebot/2.1)", ("Examplebot", "2.1", "bot")),
        ("Mozilla/4.0", ("Browser", "", "browser")),
        ("node", ("node", "", "http")),
        ("something odd", ("something odd", "", "other")),
    ],
)
def test_clients_are_recognised(agent: str, client: tuple[str, str, str]) -> None:
    """SDKs, HTTP libraries, tools, browsers and bots are told apart."""
    assert tuple(recognise_client(agent)) == client


@given(st.text(max_size=500))
def test_any_user_agent_gives_short_names(agent: str) -> None:
    """Hostile agents neither raise nor make long names."""
    client = recognise_client(agent)
    assert len(client.name) <= 50
    assert len(client.version) <= 50
