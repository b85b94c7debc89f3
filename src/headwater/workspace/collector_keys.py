"""Recognise collector application ids quickly.

In: the key of a request. Out: its app. Answers come from memory; a key made or revoked elsewhere is
noticed within `REFRESH_S`. An unknown key costs at most one look-up per `REFRESH_S`. While the
database is away, those whom it named before go on: calls need the log, not the database, and some
client libraries cannot even start without an answer.
"""

from headwater.base.clock import Clock
from headwater.base.errors import UnavailableError
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.workspace.apps import App, find_app_by_key

REFRESH_S = 2.0
_MOST_REMEMBERED = 10_000


class CollectorKeys:
    """The door's memory of who may write."""

    def __init__(self, configdb: ConfigDb, vault: Vault, clock: Clock) -> None:
        self._configdb = configdb
        self._vault = vault
        self._clock = clock
        self._known: dict[str, tuple[float, App | None]] = {}

    async def app_for(self, key: str) -> App | None:
        """Return the app that `key` may write to, or None."""
        now_s = self._clock.monotonic_s()
        remembered = self._known.get(key)
        if remembered is not None and now_s - remembered[0] < REFRESH_S:
            return remembered[1]
        if remembered is not None:
            # Who comes while this one asks takes what is known, instead of asking as well.
            self._known[key] = (now_s, remembered[1])
        try:
            app = await self._configdb.run(find_app_by_key, self._vault, key)
        except UnavailableError:
            if remembered is None or remembered[1] is None:
                raise
            app = remembered[1]
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = (now_s, app)
        return app
