"""Whatever came first, calls or links: in the end every call is whose it is, and counted so."""

import itertools
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater.model import Action, LinkRuling
from tests.rooms.identity.world import (
    Record,
    World,
    an_update,
    expected_derived,
    expected_owners,
    read_derived,
    stored_owners,
)
from tests.support.calls import NOON, make_call

_OFFSETS = itertools.count(1)
_IDS = itertools.count(1)

# Few moments, so that calls and links often meet in the same one; several on a day.
moments = st.integers(-2, 9).map(lambda n: NOON + timedelta(hours=8 * n))
users = st.sampled_from(["", "", "", "ann", "bob", "O'Neil\\"])
companies = st.sampled_from(["", "", "acme", "parcel"])
sessions = st.sampled_from(["", "s1", "s2"])
browsers = st.sampled_from(["", "b1", "b2"])


@st.composite
def records(draw: st.DrawFn) -> Record:
    facts: dict[str, Any] = {
        "time": draw(moments),
        "company_id": draw(companies),
        "session_key": draw(sessions),
        "anonymous_id": draw(browsers),
    }
    match draw(st.integers(0, 6)):
        case 0:
            user = draw(st.sampled_from(["ann", "bob", "cy"]))
            return an_update(id=user, received_at=NOON + timedelta(days=9), **facts)
        case 1:
            return Action(
                app_id="", action_id=f"a{next(_IDS)}", received_at=facts["time"],
                action_name="opened", uri="/", user_id=draw(users),
                user_agent=draw(st.sampled_from(["", "Mozilla/5.0"])), **facts,
            )  # fmt: skip
        case 2:
            kind: Any = draw(st.sampled_from(["session", "anonymous"]))
            return LinkRuling(
                app_id="", ruling_id=f"r{next(_IDS)}", kind=kind, verdict="apart",
                key=draw(st.sampled_from(["s1", "s2"] if kind == "session" else ["b1", "b2"])),
                user_id=draw(st.sampled_from(["ann", "bob"])), said_at=facts["time"], said_by="ops",
            )  # fmt: skip
        case _:
            agent = draw(st.sampled_from(["", "curl/8", "python/3"]))
            return make_call(
                f"c{next(_IDS)}", user_id=draw(users), weight=draw(st.sampled_from([1, 1, 10])),
                status=draw(st.sampled_from([200, 404, 500])),
                blocked_by=draw(st.sampled_from(["", "x"])),
                ip_address=draw(st.sampled_from(["", "192.0.2.1", "192.0.2.2"])),
                request_headers={"user-agent": agent} if agent else {}, **facts,
            )  # fmt: skip


steps = st.lists(
    st.one_of(
        st.lists(records(), min_size=1, max_size=6),
        st.sampled_from(["relink", "restart"]),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a real store is too slow to shrink with
)
@given(steps=steps)
async def test_any_order_gives_the_same_owners(world: World, steps: list[Any]) -> None:
    """Calls, actions and links in any order, looked at late at any time; tables agree with them."""
    app_id = f"app_{next(_IDS)}"
    told: list[Record] = []
    for step in [*steps, "relink"]:
        if step == "relink":
            await world.relinking.step()
            await assert_as_told(world, app_id, told)
        elif step == "restart":
            world.restart()
        else:
            own = [msgspec.structs.replace(record, app_id=app_id) for record in step]
            told += own
            await world.put_range(next(_OFFSETS), own)
            assert set(await stored_owners(world.store, app_id)) == set(expected_owners(told))


async def assert_as_told(world: World, app_id: str, told: list[Record]) -> None:
    assert await stored_owners(world.store, app_id) == expected_owners(told)
    assert await read_derived(world.store, app_id) == expected_derived(told)
