"""Carry out regulations, target by target, until each is done or cannot be.

In: targets that are due. Out: users forgotten by what waits for destinations, by warehouses and by
destinations that can; a word for each. Everything that is asked of a target can be asked again, so
a death in the middle repeats one step. A target that fails stops no other.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.egress import Egress
from headwater.base.errors import HeadwaterError, Terminal
from headwater.base.retry import backoff_s
from headwater.base.settings import Settings
from headwater.base.telemetry import get_logger
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.destinations import (
    Forgets,
    find_destination,
    get_destination,
    open_settings,
    open_wire,
)
from headwater.federation import forget_users
from headwater.privacy.asking import begin
from headwater.privacy.records import Job, Regulation, Target, due_jobs, note_begun, note_target
from headwater.privacy.words import after_asking, asked_wait_s, without_names
from headwater.sources import forget_refused, prune_forgotten
from headwater.warehouse import Warehouses

USERS_AT_ONCE = 100
"""Asked of a destination before it is written down."""
_PRUNE_EVERY_S = 3600.0
_UNTIL_APPENDED = timedelta(hours=1)
"""A message is in the log this long after it was received, by far."""
_logger = get_logger("privacy")


class Regulations:
    """The worker `privacy`, and the way in for whoever asks for a regulation."""

    name = "privacy"

    def __init__(
        self,
        configdb: ConfigDb,
        vault: Vault,
        egress: Egress,
        clock: Clock,
        warehouses: Warehouses,
        settings: Settings,
    ) -> None:
        self._configdb = configdb
        self._vault = vault
        self._egress = egress
        self._clock = clock
        self._warehouses = warehouses
        self._settings = settings.privacy
        self._timeout_s = settings.federation.timeout_s
        self._pruned_at_s = float("-inf")

    async def begin(self, kind: str, user_ids: Sequence[str]) -> Regulation:
        """Keep a regulation; what its kind says of the door holds at once, the rest follows."""
        warehouses = await self._warehouses.list()
        on_wire = timedelta(seconds=self._timeout_s)
        return await self._configdb.run(
            begin, self._vault, self._clock, kind, user_ids, warehouses, on_wire
        )

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.step()
            await self._prune()
            await asyncio.sleep(self._settings.poll_s)

    async def step(self) -> int:
        """Carry out what is due, side by side; return how many targets that were."""
        jobs = await self._configdb.look(due_jobs, self._clock.now())
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(self._carry_out(job))
        return len(jobs)

    async def _carry_out(self, job: Job) -> None:
        await self._configdb.run(note_begun, job.regulation_id)
        user_ids = job.user_ids(self._vault)
        act = {
            "messages": self._forget_messages,
            "warehouse": self._delete_rows,
            "destination": self._ask_destination,
        }[job.target.kind]
        try:
            await act(job, user_ids)
        except Exception as err:
            if not isinstance(err, HeadwaterError):
                _logger.exception("regulation_broke", target=job.target.target_id)
            await self._note_failure(job, err, user_ids)

    async def _forget_messages(self, job: Job, user_ids: Sequence[str]) -> None:
        dropped = await self._configdb.run(forget_users, user_ids)
        await self._configdb.run(forget_refused)  # samples: any may name somebody
        await self._configdb.overwrite_deleted()
        crash_point("privacy.messages")
        said = f"Nothing of before is read any more; {dropped} waiting or dead messages dropped."
        await self._note(job, replace(job.target, state="done", word=said))

    async def _delete_rows(self, job: Job, user_ids: Sequence[str]) -> None:
        rows = await self._warehouses.delete_users(job.target.target_id, user_ids)
        crash_point("privacy.warehouse")
        said = f"{sum(rows.values())} rows deleted from {len(rows)} tables."
        await self._note(job, replace(job.target, state="done", word=said))

    async def _ask_destination(self, job: Job, user_ids: Sequence[str]) -> None:
        instance = await self._configdb.look(get_destination, job.target.target_id)
        destination = find_destination(instance.type)
        assert isinstance(destination, Forgets)  # noqa: S101 - else it had no target that waits
        values, target = open_settings(self._vault, instance), job.target
        wire = open_wire(instance, values, self._egress, self._timeout_s)
        for first in range(target.users_done, len(user_ids), USERS_AT_ONCE):
            some = user_ids[first : first + USERS_AT_ONCE]
            outcomes = await destination.forget(wire, values, some, self._clock.now())
            crash_point("privacy.destination")
            target = after_asking(target, outcomes, len(user_ids))
            target = replace(target, word=without_names(some, target.word))
            if any(outcome.fate == "retry" for outcome in outcomes):
                await self._note(job, self._again(job, target, asked_wait_s(outcomes)))
                return
            await self._note(job, target)

    async def _note_failure(self, job: Job, err: Exception, user_ids: Sequence[str]) -> None:
        said = err.message if isinstance(err, HeadwaterError) else f"a fault of Headwater: {err!r}"
        target = replace(job.target, word=without_names(user_ids, said))
        if isinstance(err, Terminal):
            await self._note(job, replace(target, state="failed"))
        else:
            await self._note(job, self._again(job, target))

    def _again(self, job: Job, target: Target, wait_s: float = 0.0) -> Target:
        """Return the target to be tried again, or given up."""
        now = self._clock.now()
        if now - job.created_at > timedelta(seconds=self._settings.give_up_after_s):
            return replace(target, state="failed", word=f"Given up: {target.word}")
        s, attempts = self._settings, target.attempts + 1
        pause_s = max(wait_s, backoff_s(attempts, first_s=s.retry_first_s, cap_s=s.retry_cap_s))
        at = now + timedelta(seconds=pause_s)
        return replace(target, state="waiting", attempts=attempts, next_attempt_at=at)

    async def _note(self, job: Job, target: Target) -> None:
        kept = target if target.state == "waiting" else replace(target, next_attempt_at=None)
        await self._configdb.run(note_target, job.regulation_id, kept, self._clock.now())

    async def _prune(self) -> None:
        """Remember nobody longer than the log can hold what they did before."""
        now_s = self._clock.monotonic_s()
        if now_s - self._pruned_at_s < _PRUNE_EVERY_S:
            return
        self._pruned_at_s = now_s
        oldest = await self._warehouses.oldest() or self._clock.now()
        await self._configdb.run(prune_forgotten, oldest - _UNTIL_APPENDED)
