"""Do what people and pages ask of extensions: connect, look, send, watch.

In: an app, the name of a type, what was filled in. Out: connections, messages, runs, status. The
schedule runs beside it (`worker`); both take turns on each connection.
"""

from collections.abc import Mapping
from datetime import timedelta

from headwater.base.errors import ConflictError, InvalidInputError
from headwater.extensions.connections import (
    Connection,
    Opened,
    list_connections,
    open_connection,
    save_connection,
    set_enabled,
)
from headwater.extensions.gallery import find_extension
from headwater.extensions.locks import Locks
from headwater.extensions.parts import Parts
from headwater.extensions.preview import MOST_PREVIEWED, Json, preview_all, preview_user
from headwater.extensions.runs import RunResult
from headwater.extensions.status import Status, read_status
from headwater.extensions.sync import open_window, sync
from headwater.extensions.worker import Worker
from headwater.workspace import App


class Extensions:
    """Everything that the room does, for every extension in the same way."""

    name = "extensions"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._locks = Locks()
        self._worker = Worker(parts, self._locks)

    async def run(self) -> None:
        """Keep every connection up to date; for ever."""
        await self._worker.run()

    async def step(self) -> int:
        """Do once what is due; return for how many connections there was something to do."""
        return await self._worker.step()

    async def connections(self) -> list[Connection]:
        """Return all connections, oldest first."""
        return await self._parts.configdb.run(list_connections)

    async def connect(self, app: App, type_: str, values: Mapping[str, object]) -> Status:
        """Connect an app, or change how it is connected; a pause ends."""
        extension = find_extension(type_)
        name = extension.declaration.secret.name
        secret = values.get(name, "")
        if not isinstance(secret, str):
            raise InvalidInputError("A secret is a text.", field=name)
        secret = extension.read_secret(secret)
        settings = extension.read_settings({k: v for k, v in values.items() if k != name})
        url = extension.target(settings).url
        if url:
            self._parts.egress.check_url(url)
        await self._parts.configdb.run(
            save_connection, self._parts.vault, self._parts.clock, app.id, type_, settings, secret
        )
        return await self.status(app, type_)

    async def pause(self, app: App, type_: str) -> Status:
        """Send nothing until resumed; what waits stays."""
        await self._parts.configdb.run(set_enabled, app.id, type_, enabled=False)
        return await self.status(app, type_)

    async def resume(self, app: App, type_: str) -> Status:
        """Send again."""
        await self._parts.configdb.run(set_enabled, app.id, type_, enabled=True)
        return await self.status(app, type_)

    async def sync(self, app: App, type_: str, *, full: bool = False) -> RunResult:
        """Send every user's window that is new; `full` looks at all users, not only changed ones.

        A full run also tries refused messages once more. What was delivered is never sent again.
        """
        opened = await self._open(app, type_)
        self._refuse_paused(opened)
        async with self._locks.hold(opened.connection.id):
            return await sync(self._parts, app, await self._open(app, type_), full=full)

    def _refuse_paused(self, opened: Opened) -> None:
        if not opened.connection.enabled:
            title = opened.extension.declaration.title
            raise ConflictError(
                f"The {title} extension of this app is paused.",
                hint="Resume it first.",
            )

    async def preview(
        self, app: App, type_: str, user_id: str = "", *, limit: int = MOST_PREVIEWED
    ) -> list[Json]:
        """Return the messages that a sync would send now, of one user or of all who are due."""
        opened = await self._open(app, type_)
        window = await open_window(self._parts, app, opened)
        if user_id:
            return await preview_user(self._parts, opened, window, user_id)
        return await preview_all(self._parts, opened, window, limit)

    async def status(self, app: App, type_: str) -> Status:
        """Return where the app's connection sends, how far it is and what went wrong."""
        return await self._parts.configdb.run(
            read_status,
            await self._open(app, type_),
            app=app,
            built_in_url=self._parts.built_in_url(),
            default=timedelta(seconds=self._parts.settings.sync_every_s),
            now=self._parts.clock.now(),
            entries_not_stored=await self._parts.entries_not_stored(),
        )

    async def _open(self, app: App, type_: str) -> Opened:
        return await self._parts.configdb.run(open_connection, self._parts.vault, app.id, type_)
