"""An endpoint gets as much at once as it can bear."""

import asyncio

from headwater.extensions.pace import Pace


async def answer(pace: Pace, took_s: float = 0.0) -> None:
    async with pace.turn() as began_s:
        pass
    pace.went_well(began_s - took_s)


async def test_a_quick_endpoint_gets_more_up_to_the_most() -> None:
    """One more with each answer."""
    pace = Pace(8)
    assert pace.limit == 2
    for _ in range(20):
        await answer(pace)
    assert pace.limit == 8


async def test_trouble_halves_and_growth_is_slow_after() -> None:
    """What was on the wire together is one trouble."""
    pace = Pace(8)
    for _ in range(20):
        await answer(pace)
    async with pace.turn() as first, pace.turn() as second:
        pace.went_wrong(first)
        pace.went_wrong(second)
    assert (pace.limit, pace.troubles) == (4, 1)
    for _ in range(4):
        await answer(pace)
    assert (pace.limit, pace.troubles) == (4, 0)
    await answer(pace)
    assert pace.limit == 5


async def test_an_endpoint_that_becomes_slow_gets_less() -> None:
    """Measured by its own best; a few tenths of a second are never slow."""
    pace = Pace(8)
    for _ in range(20):
        await answer(pace, 0.05)
    assert pace.limit == 8
    for _ in range(60):
        await answer(pace, 1.0)
    assert pace.limit < 8
    steady = Pace(8)
    for _ in range(20):
        await answer(steady, 1.0)
    assert steady.limit == 8


async def test_never_more_turns_than_the_limit_and_none_is_lost() -> None:
    """Whoever waits gets a turn in the end."""
    pace, active, most = Pace(8), 0, 0

    async def send() -> None:
        nonlocal active, most
        async with pace.turn() as began_s:
            active += 1
            most = max(most, active - pace.limit)
            await asyncio.sleep(0)
            active -= 1
        pace.went_well(began_s)

    await asyncio.gather(*(send() for _ in range(50)))
    assert (active, most) == (0, 0)


async def test_a_rest_is_everybodys() -> None:
    """Nobody begins before it is over."""
    pace = Pace(8)
    begins_s = asyncio.get_running_loop().time()
    pace.rest(0.05)
    async with pace.turn() as began_s:
        assert began_s - begins_s >= 0.05
