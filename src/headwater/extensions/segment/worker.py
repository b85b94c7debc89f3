"""Keep the endpoint up to date with each app's users: on a schedule, and when asked.

In: connections, profiles, the position of ingest. Out: messages in the outbox, and from there on
the wire. The last page of a run and the watermark enter in one transaction, so a run that dies
leaves nothing out and repeats nothing. Runs of one connection exclude each other.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta

import sqlalchemy as sa

from headwater.base.clock import Clock
from headwater.base.crash import crash_point
from headwater.base.egress import Egress
from headwater.base.errors import ConflictError, HeadwaterError
from headwater.base.ids import new_id
from headwater.base.settings import ExtensionSettings
from headwater.base.telemetry import get_logger
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb, read_position
from headwater.eventlog import EventLog, Stream
from headwater.extensions.segment import outbox, runs
from headwater.extensions.segment.client import TrackingClient
from headwater.extensions.segment.connection import (
    Connection,
    get_connection,
    list_connections,
    move_watermark,
    open_partner_key,
)
from headwater.extensions.segment.deliver import Delivery
from headwater.extensions.segment.identify import Json
from headwater.extensions.segment.messages import make_new_messages
from headwater.extensions.segment.outbox import Item
from headwater.extensions.segment.preview import preview_all, preview_user
from headwater.extensions.segment.runs import RunResult, Tally
from headwater.extensions.segment.status import SegmentStatus, read_status
from headwater.extensions.segment.windows import Page, Window, read_due_users
from headwater.profiles import Profiles, last_complete_day
from headwater.workspace import App, get_app

MOST_PREVIEWED = 1_000
_INGEST = "ingest"
_TICK_S = 0.5
_REMEMBERED = timedelta(days=7)
_logger = get_logger("extensions")


class SegmentSync:
    """Everything that the Segment extension does."""

    name = "extensions.segment"

    def __init__(
        self,
        profiles: Profiles,
        configdb: ConfigDb,
        log: EventLog,
        vault: Vault,
        egress: Egress,
        clock: Clock,
        settings: ExtensionSettings,
        built_in_url: Callable[[], str],
    ) -> None:
        self._profiles = profiles
        self._configdb = configdb
        self._log = log
        self._vault = vault
        self._egress = egress
        self._clock = clock
        self._settings = settings
        self._built_in_url = built_in_url
        self._every = timedelta(seconds=settings.sync_every_s)
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self) -> None:
        """Sync, and repeat what failed, each when it is time; for ever."""
        while True:
            await self.step()
            await asyncio.sleep(_TICK_S)

    async def step(self) -> int:
        """Do what is due for every connection; return how many had something to do."""
        done = 0
        for connection in await self._configdb.run(list_connections):
            if connection.enabled and not self._locks[connection.id].locked():
                try:
                    done += await self._serve(connection)
                except HeadwaterError as err:  # one app's trouble is not another's
                    _logger.warning("sync_failed", app_id=connection.app_id, reason=err.message)
        return done

    async def _serve(self, connection: Connection) -> bool:
        now = self._clock.now()
        if connection.retry_at is not None and now < connection.retry_at:
            return False
        app = await self._configdb.run(get_app, connection.app_id)
        started_at = await self._configdb.run(runs.last_started_at, connection.id)
        if started_at is None or now - started_at >= self._every:
            await self.sync(app)
            return True
        if not await self._configdb.run(outbox.has_waiting, connection.id):
            return False
        async with self._locks[connection.id]:
            await (await self._open_delivery(connection, Tally())).send_waiting()
        return True

    async def sync(self, app: App, *, full: bool = False) -> RunResult:
        """Send every user's window that is new; `full` looks at all users, not only changed ones.

        A full run also tries refused messages once more. What was delivered is never sent again.
        """
        connection = await self._configdb.run(get_connection, app.id)
        if not connection.enabled:
            raise ConflictError(
                "The Segment extension of this app is paused.", hint="Connect it again to resume."
            )
        async with self._locks[connection.id]:
            return await self._sync(app, full=full)

    async def preview(
        self, app: App, user_id: str | None = None, *, limit: int = MOST_PREVIEWED
    ) -> list[Json]:
        """Return the messages that a sync would send now, of one user or of all who are due."""
        window = await self._open_window(app)
        if user_id is not None:
            return await preview_user(self._profiles, self._configdb, window, user_id)
        return await preview_all(self._profiles, self._configdb, window, limit)

    async def status(self, app: App) -> SegmentStatus:
        """Return where the app's connection sends, how far it is and what went wrong."""
        last_offset = (await self._log.state(Stream.CALLS)).last_offset
        return await self._configdb.run(
            read_status,
            self._vault,
            await self._configdb.run(get_connection, app.id),
            built_in_url=self._built_in_url(),
            every=self._every,
            now=self._clock.now(),
            entries_not_stored=max(0, last_offset - await self._stored_offset()),
        )

    async def _sync(self, app: App, *, full: bool) -> RunResult:
        begun_s = self._clock.monotonic_s()
        window = await self._open_window(app, full=full)
        run_id, tally = new_id("run"), Tally()
        delivery = await self._open_delivery(window.connection, tally)
        await self._configdb.run(_begin, window, run_id)
        try:
            async for page in read_due_users(self._profiles, window):
                await self._fill_outbox(window, run_id, page, tally)
                await delivery.send_waiting()
        except (HeadwaterError, asyncio.CancelledError) as err:
            tally.error = str(err) or "cancelled: the server stopped or the caller left"
            raise
        finally:
            await self._configdb.run(runs.end_run, run_id, tally, self._clock.now())
        _logger.info("identifies_synced", app_id=app.id, run_id=run_id, **tally.as_row())
        seconds = round(self._clock.monotonic_s() - begun_s, 3)
        return RunResult(run_id=run_id, seconds=seconds, **tally.as_row())

    async def _fill_outbox(self, window: Window, run_id: str, page: Page, tally: Tally) -> None:
        items = await make_new_messages(self._profiles, self._configdb, window, page.user_ids)
        tally.too_large += await self._configdb.run(
            _save_page, self._vault, window, run_id, items, is_last=page.is_last
        )
        tally.users_considered += len(page.user_ids)
        crash_point("segment.outbox")

    async def _open_window(self, app: App, *, full: bool = False) -> Window:
        upto = await self._stored_offset()  # first: what is read later holds at least this much
        connection, target = await self._configdb.run(_read_target, self._vault, app.id)
        now = self._clock.now()
        return Window(
            app=app,
            connection=connection,
            target=target,
            now=now,
            upto=upto,
            day=last_complete_day(now, app.timezone),
            full=full,
        )

    async def _open_delivery(self, connection: Connection, tally: Tally) -> Delivery:
        key = await self._configdb.run(open_partner_key, self._vault, connection.id)
        url = connection.endpoint or self._built_in_url()
        client = TrackingClient(self._egress, url, key, self._settings.timeout_s)
        return Delivery(connection, client, self._configdb, self._clock, self._settings, tally)

    async def _stored_offset(self) -> int:
        """Return the log offset up to which the store holds everything."""
        position = await self._configdb.run(read_position, _INGEST)
        if position is None:
            return 0
        first_missing = position.pending[0] if position.pending else position.next_offset
        return first_missing - 1


def _read_target(connection: sa.Connection, vault: Vault, app_id: str) -> tuple[Connection, str]:
    found = get_connection(connection, app_id)
    key = open_partner_key(connection, vault, found.id)
    return found, vault.fingerprint(f"{found.endpoint}\n{found.payload_version}\n{key}")


def _begin(connection: sa.Connection, window: Window, run_id: str) -> None:
    id_ = window.connection.id
    runs.begin_run(connection, id_, run_id, window.now)
    outbox.forget_delivered(connection, id_, window.now - _REMEMBERED)
    if window.full:
        outbox.revive_dead(connection, id_)


def _save_page(
    connection: sa.Connection,
    vault: Vault,
    window: Window,
    run_id: str,
    items: Sequence[Item],
    *,
    is_last: bool,
) -> int:
    """Put a page, and with the last one the watermark; return how many were too large."""
    found, target = _read_target(connection, vault, window.app.id)
    if target != window.target or not found.enabled:
        raise ConflictError("The connection was changed while a run was on its way.")
    if is_last:
        move_watermark(connection, found.id, window.upto, window.day)
    return outbox.put_due(connection, found.id, run_id, items, window.now)
