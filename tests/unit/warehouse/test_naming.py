"""Names come out as Segment's own library makes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.warehouse.naming import shorten, to_snake


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("userId", "user_id"),
        ("userID", "user_id"),
        ("APIKey", "apikey"),
        ("CStringRef", "cstring_ref"),
        ("last24HourAggResults", "last24_hour_agg_results"),
        ("HTTPStatus200Count", "httpstatus200_count"),
        ("2xx", "2xx"),
        ("byStatus.2xx", "by_status_2xx"),
        ("samPLE text", "sam_ple_text"),
        ("iPhoneOS", "i_phone_os"),
        ("_timestamp", "timestamp"),
        ("p95DurationMs", "p95_duration_ms"),
        ("ttfhw_s", "ttfhw_s"),
        ("API Called", "api_called"),
        ("latencyMS", "latency_ms"),
        ("moesif-api-analytics", "moesif_api_analytics"),
        ("naïve café", "na_ve_caf"),
        ("日本", ""),
        ("$$", ""),
        ("", ""),
    ],
)
def test_snake_case_is_segments(name: str, column: str) -> None:
    """Every pair that the specification names, and some on the edges."""
    assert to_snake(name) == column


@given(st.text(), st.text())
def test_converting_parts_is_converting_the_path(left: str, right: str) -> None:
    """It does not matter whether a path is joined before or after."""
    joined = "_".join(part for part in (to_snake(left), to_snake(right)) if part)
    assert joined == to_snake(f"{left}.{right}")


@given(st.text())
def test_a_converted_name_stays_as_it_is(name: str) -> None:
    """Converting twice changes nothing, and only plain characters remain."""
    once = to_snake(name)
    assert to_snake(once) == once
    assert set(once) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


def test_long_names_are_cut_and_stay_apart() -> None:
    """Two names that differ behind the cut get different identifiers of the full length."""
    first, second = "a" * 200 + "1", "a" * 200 + "2"
    cut = {shorten(first, 63), shorten(second, 63)}
    assert len(cut) == 2
    assert {len(name) for name in cut} == {63}
    assert shorten("short", 63) == "short"
