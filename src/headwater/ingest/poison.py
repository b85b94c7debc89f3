"""Find the calls that stop a whole batch.

In: calls, and a trial that raises when it cannot take some calls. Out: the calls that it takes, and
the others with their errors. Temporary trouble is not poison and passes through; so does a trial
that fails even without any calls, since that is a bug of ours.
"""

from collections.abc import Awaitable, Callable, Sequence

from headwater.base.errors import Transient
from headwater.ingest.heads import Call

Trial = Callable[[Sequence[Call]], Awaitable[None]]
Found = tuple[list[Call], list[tuple[Call, Exception]]]
"""The good calls, and the bad ones with their errors."""


async def find_poison(calls: Sequence[Call], trial: Trial) -> Found:
    """Tell good calls from bad ones, by bisection."""
    await trial(())
    return await _split(calls, trial)


async def _split(calls: Sequence[Call], trial: Trial) -> Found:
    error = await _try(calls, trial)
    if error is None:
        return list(calls), []
    if len(calls) == 1:
        return [], [(calls[0], error)]
    middle = len(calls) // 2
    good, bad = await _split(calls[:middle], trial)
    more_good, more_bad = await _split(calls[middle:], trial)
    return good + more_good, bad + more_bad


async def _try(calls: Sequence[Call], trial: Trial) -> Exception | None:
    try:
        await trial(calls)
    except Exception as err:
        if isinstance(err, Transient):
            raise
        return err
    return None
