"""A route is the same for all calls of an endpoint, and different for different endpoints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.ingest import routes
from headwater.ingest.routes import split_uri, to_route

_TEMPLATES = {
    "": "/",
    "/": "/",
    "/items/123": "/items/:id",
    "/items/123/": "/items/:id",
    "//items///123": "/items/:id",
    "/v1/charges/ch_3MmlLrLkdIwHu7ix0snN0B15/refund": "/v1/charges/:id/refund",
    "/v2beta1/things": "/v2beta1/things",
    "/1.1/statuses": "/1.1/statuses",
    "/users/5f0c6a52-98a7-4b0a-9e9b-1f6e0d8b9c11": "/users/:id",
    "/users/5F0C6A5298A74B0A9E9B1F6E0D8B9C11": "/users/:id",
    "/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV": "/jobs/:id",
    "/people/jane.doe@example.com/orders": "/people/:email/orders",
    "/people/jane%40example.com": "/people/:email",
    "/reports/2026-11-20": "/reports/:date",
    "/reports/2026-11": "/reports/:date",
    "/files/123.json": "/files/:id.json",
    "/files/report.json": "/files/report.json",
    "/tokens/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9": "/tokens/:id",
    "/tokens/c29tZSBiYXNlNjQgdGV4dA==": "/tokens/:id",
    "/orders/order-20031": "/orders/:id",
    "/oauth2/token": "/oauth2/token",
    "/payment-intents/search": "/payment-intents/search",
    "/facade/decade": "/facade/decade",
    "/accounts/-5": "/accounts/:id",
    "/x/" + "y" * 200: "/x/:id",
    "/" + "/".join("abcdefghijklmnopqrstuvwxyz"): "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/*",
}


@pytest.mark.parametrize(("path", "route"), _TEMPLATES.items())
def test_what_looks_like_an_id_becomes_a_placeholder(path: str, route: str) -> None:
    """Ids, dates and addresses leave the path; words and versions stay."""
    assert to_route(path) == route


@given(st.integers(min_value=0), st.uuids())
def test_calls_that_differ_in_ids_share_a_route(number: int, other: object) -> None:
    """Whatever the number or UUID, the endpoint is one."""
    assert to_route(f"/a/{number}/b/{other}") == "/a/:id/b/:id"


@given(st.text(max_size=300))
def test_any_path_has_a_route(path: str) -> None:
    """A route is short, and making it again changes nothing."""
    route = to_route(path)
    assert route.startswith("/")
    assert len(route) <= 17 * 65 + 6
    assert to_route(route) == route or "*" in route


@given(st.text("ab1-/.@", max_size=300))
def test_a_slash_at_the_end_changes_nothing(path: str) -> None:
    """Nor does any other way to write the same segments."""
    assert to_route(path + "/") == to_route(path) == to_route(path.replace("/", "//"))


def test_what_is_long_is_not_remembered() -> None:
    """Strangers choose the paths: millions of long ones would fill the memory."""
    known = routes._name_short.cache_info().currsize + routes._name_folder.cache_info().currsize
    for number in range(100):
        assert to_route(f"/{'y' * 300}{number}/{'y' * 300}") == "/:id/:id"
    now = routes._name_short.cache_info().currsize + routes._name_folder.cache_info().currsize
    assert now == known


@pytest.mark.parametrize(
    ("uri", "host", "path"),
    [
        ("https://API.example.com:8443/a/b?c=d#e", "api.example.com:8443", "/a/b"),
        ("https://user:secret@api.example.com/a", "api.example.com", "/a"),
        ("/a/b?next=https://other.example/x", "", "/a/b"),
        ("https://[::1/a", "[::1", "/a"),
        ("https://api.example.com", "api.example.com", ""),
        ("", "", ""),
    ],
)
def test_host_and_path_are_told_apart(uri: str, host: str, path: str) -> None:
    """Full URIs, bare paths and broken ones all give what they hold."""
    assert split_uri(uri) == (host, path)
