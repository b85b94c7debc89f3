"""The page of a destination's deliveries: how they fare, why some are dead, and another try."""

import re
from datetime import timedelta

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.destinations import Exchange, Outcome, add_destination
from headwater.federation.counts import add_totals
from headwater.federation.deliveries import Change, store
from headwater.federation.figures import add_counts
from headwater.federation.samples import Seen, keep_samples
from headwater.federation.waiting import Waiting
from headwater.model import Message
from headwater.sources import add_source
from tests.rooms.web.test_destination_pages import Person
from tests.support.web import PAGE, World, log_in

Browser = AsyncTestClient[Litestar]
REFUSED = "answered 422: <b>no such event</b>"


@pytest.fixture
async def ann(world: World, browser: Browser) -> Person:
    return Person(browser, world, await log_in(browser))


def connect(world: World) -> str:
    s = world.services
    with s.configdb.transaction() as connection:
        source = add_source(connection, s.clock, "http-api", "Shop")
        instance, _ = add_destination(
            connection, s.vault, s.clock, s.egress, source_id=source.id, kind="webhook",
            values={"url": "https://hooks.example.com/in"},
        )  # fmt: skip
    return instance.id


def dead(world: World, number: int, error: str = REFUSED) -> Waiting:
    now = world.services.clock.now()
    body = {"type": "track", "event": f"Event {number}"}
    message = Message(
        source_id="src", message_id=f"m-{number:03}", type="track", user_id=f"user-{number}",
        received_at=now, timestamp=now, body=body,
    )  # fmt: skip
    return Waiting(
        message=message, state="dead", attempts=1, first_tried_at=now - timedelta(minutes=1),
        status=422, error=error,
    )  # fmt: skip


async def keep(world: World, id_: str, *waiting: Waiting, **tally: int) -> None:
    s = world.services
    await s.configdb.run(store, id_, Change(new=list(waiting)))
    await s.configdb.run(add_totals, id_, s.clock.now(), tally)


async def test_before_anything_was_sent_the_page_says_so(ann: Person) -> None:
    """No rate is made up."""
    page = await ann.see(f"/destinations/{connect(ann.world)}/deliveries")
    assert "Nothing is dead" in page
    assert "nothing yet" in page
    assert 'At the first try</dt><dd class="figure">none yet' in page


async def test_totals_and_messages_are_shown(ann: Person) -> None:
    """With what the other side said; the totals alone when the panel asks."""
    id_ = connect(ann.world)
    letters = [dead(ann.world, n) for n in range(2)] + [dead(ann.world, 9, "given up")]
    await keep(ann.world, id_, *letters, delivered=1_200, first_try=1_140)
    path = f"/destinations/{id_}/deliveries"
    page = await ann.see(path)
    for text in ("1,200", "95.0%", "Event 1", "given up"):
        assert text in page
    raw = await ann.browser.get(path, headers=PAGE)
    assert "<b>no such event</b>" not in raw.text
    panel = await ann.browser.get(path, headers={**PAGE, "hx-request": "true"})
    assert "1,200" in panel.text
    assert "Event 1" not in panel.text


async def test_errors_of_the_last_day_have_samples(ann: Person) -> None:
    """By their class: what was received, sent and answered; with the day's rates and ages."""
    s, id_ = ann.world.services, connect(ann.world)
    now = s.clock.now()
    asked = Exchange(method="POST", url="https://hooks.example.com/in", body="{}", status=422)
    refused = Outcome(fate="dead", status=422, error=REFUSED, exchanges=(asked,))
    letter = msgspec.structs.replace(dead(ann.world, 7), error_class="discarded.422")
    await s.configdb.run(keep_samples, id_, now, [Seen(letter, refused)])
    tally = {"delivered": 3, "first_try": 2, "dead": 1, "error.discarded.422": 1, "age.50": 3}
    await s.configdb.run(add_counts, id_, now, tally)
    page = await ann.see(f"/destinations/{id_}/deliveries")
    day = page.partition("The last 24 hours")[2]
    for text in ("66.7%", "75.0%", "discarded.422", "Event 7", "POST https://hooks.example.com"):
        assert text in day


async def test_a_replay_is_begun_and_cancelled_on_the_page(ann: Person) -> None:
    """A range that cannot be is told beside the form; a running one can be cancelled."""
    id_ = connect(ann.world)
    path = f"/destinations/{id_}/deliveries"
    form = {"from": "2026-11-22T00:00", "to": "2026-11-22T12:00", "type": "track"}
    page = await ann.see(await ann.send(f"{path}/replays", **form))
    assert "has begun" in page
    found = re.search(rf'action="({path}/replays/[^"]*/cancel)"', page)
    assert found is not None
    wrong = await ann.browser.post(
        f"{path}/replays", headers=PAGE,
        data={**form, "from": "2026-11-23T00:00", "csrf_token": ann.token},
    )  # fmt: skip
    assert wrong.status_code == 400
    assert "lies before" in wrong.text
    assert "cancelled" in await ann.see(await ann.send(found[1]))


async def test_many_dead_letters_are_paged(ann: Person) -> None:
    """Fifty at a time, each once."""
    id_ = connect(ann.world)
    await keep(ann.world, id_, *[dead(ann.world, n) for n in range(70)])
    path = f"/destinations/{id_}/deliveries"
    first, second = await ann.see(path), await ann.see(f"{path}?after=m-049")
    assert "after=m-049" in first
    assert ("Event 49" in first, "Event 50" in first) == (True, False)
    assert ("Event 50" in second, "Event 69" in second, "More</a>" in second) == (True, True, False)


async def test_they_are_tried_again_when_asked(ann: Person) -> None:
    """All of them wait for another try then; a viewer may not ask for it."""
    id_ = connect(ann.world)
    path = f"/destinations/{id_}/deliveries"
    assert (await ann.send(f"{path}/replay")).endswith("?said=none")
    await keep(ann.world, id_, *[dead(ann.world, n) for n in range(3)])
    page = await ann.see(await ann.send(f"{path}/replay"))
    assert "They are tried again" in page
    assert "Nothing is dead" in page
    status = await ann.world.services.federation.status(id_)
    assert (status.waiting, status.dead) == (3, 0)
    ann.browser.cookies.clear()
    ann.world.add_login("vi@example.com", "viewer")
    token = await log_in(ann.browser, "vi@example.com")
    refused = await ann.browser.post(f"{path}/replay", headers=PAGE, data={"csrf_token": token})
    assert refused.status_code == 403
