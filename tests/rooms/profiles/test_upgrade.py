"""A store that an older version wrote keeps its profiles, with what is known of their history."""

from contextlib import closing
from pathlib import Path

import msgspec

from headwater.base.settings import EventStoreSettings
from headwater.eventstore.connect import find_engine
from headwater.eventstore.migrate import migrate, read_steps
from headwater.profiles.fold import fold
from headwater.profiles.merge import to_document
from tests.rooms.identity.world import World
from tests.rooms.profiles.test_history import HOUR, said
from tests.support.calls import NOON


async def test_profiles_of_before_have_their_history(tmp_path: Path) -> None:
    """Of a store of before, what showed is known, with its time, and can be merged."""
    engine = find_engine(EventStoreSettings(), tmp_path)
    client = engine.open_writer()
    migrate(client, [step for step in read_steps() if step.version < 6])
    state = fold(said("app_1", 1, {"a.b": 1, "metadata": {"name": "Ann", "n": [1.5, "x"]}}))
    client.command(
        "INSERT INTO profiles (app_id, kind, id, version, state, doc, created_at, modified_at)"
        " SELECT 'app_1', 'user', 'ann', 3, {state:String}, {doc:String}, {at:String}, {at:String}",
        parameters={
            "state": msgspec.json.encode(state).decode(),
            "doc": msgspec.json.encode(to_document(state)).decode(),
            "at": "2026-11-20 13:00:00",
        },
    )
    client.close()
    with closing(World(tmp_path)) as world:
        then = await world.profiles.people_as_of("app_1", ["ann"], NOON + HOUR)
        now = await world.profiles.people("app_1", ["ann"])
        assert then["ann"].doc == now["ann"].doc
        assert then["ann"].doc == {"a.b": 1, "metadata": {"name": "Ann", "n": [1.5, "x"]}}
        assert await world.profiles.people_as_of("app_1", ["ann"], NOON) == {}
        await world.put([said("app_1", 2, {"plan": "pro"}, id="ann")])
        assert (await world.profiles.people("app_1", ["ann"]))["ann"].doc["plan"] == "pro"
