"""Hypothesis strategies for messages and conditions.

Out: bodies as clients fill them, paths that may lead somewhere in them, and conditions over both.
"""

from typing import Any

from hypothesis import strategies as st

from headwater.destinations import Condition
from headwater.destinations.conditions import ALONE, OPS

_NAMES = st.sampled_from(["a", "b", "plan", "0"])
_LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "pro", "5"])
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
paths = st.lists(_NAMES, min_size=1, max_size=3).map(lambda names: ".".join(("traits", *names)))
bodies: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["identify", "track"]),
        "messageId": st.text("abc", min_size=1, max_size=5),
        "traits": st.dictionaries(_NAMES, _VALUES, max_size=4),
    }
)


@st.composite
def single_tests(draw: st.DrawFn) -> Condition:
    op = draw(st.sampled_from(OPS))
    numeric = op in {"less", "at_most", "greater", "at_least"}
    value: st.SearchStrategy[Any] = (
        st.integers(-5, 5) if numeric else st.sampled_from(["x", "pro", "5", "true", 5, True])
    )
    return Condition(field=draw(paths), op=op, value=None if op in ALONE else draw(value))


conditions: st.SearchStrategy[Condition] = st.recursive(
    single_tests(),
    lambda inner: st.builds(
        lambda parts, is_all: Condition(all=parts) if is_all else Condition(any=parts),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
        st.booleans(),
    ),
    max_leaves=5,
)
