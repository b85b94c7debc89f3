"""Extensions in the browser: connected by a form, looked at, steered; guarded, each app alone."""

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from html import unescape
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from headwater.extensions import GALLERY
from headwater.workspace import App
from tests.support.calls import make_call
from tests.support.web import PAGE, World, log_in
from tests.support.webhook import Receiver, receiving

Browser = AsyncTestClient[Litestar]
SECRET = "whsec_c2VjcmV0LW9mLXRoaXMtdGVzdC0yNA=="


@pytest.fixture
def receiver(world: World) -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with receiving() as running:
        world.services.egress.allow_own(running.url)
        yield running


@pytest.fixture
async def app(world: World) -> App:
    """An app with one user."""
    app = world.add_app()
    now = world.services.clock.now()
    await world.store(
        [make_call(f"{app.id}_1", app_id=app.id, user_id="ann", time=now, received_at=now)]
    )
    return app


class Form:
    """A person with a session who fills in forms."""

    def __init__(self, browser: Browser, app: App, token: str) -> None:
        self.browser, self.app, self.token = browser, app, token

    async def get(self, page: str, **more: str) -> Any:
        params = {"app": self.app.id, **more}
        return await self.browser.get(f"/extensions{page}", headers=PAGE, params=params)

    async def post(self, page: str, **fields: Any) -> Any:
        url = f"/extensions{page}?app={self.app.id}"
        data = {"csrf_token": self.token, **fields}
        return await self.browser.post(url, headers=PAGE, data=data)

    async def connect(self, url: str, **more: str) -> Any:
        fields = {"setting.secret": SECRET, "setting.url": url, "setting.subjects": "users", **more}
        return await self.post("/webhook/settings", **fields)

    async def sync(self) -> Any:
        """Press the button, and look at the history until the run is over."""
        done = await self.post("/webhook/do/sync")
        async with asyncio.timeout(20):
            while True:
                page = (await self.get("/webhook/live")).text
                if re.search(r">(done|failed)<", page):
                    return done
                await asyncio.sleep(0.02)


@pytest.fixture
async def ann(browser: Browser, app: App) -> Form:
    """The owner, logged in."""
    return Form(browser, app, await log_in(browser))


async def test_the_gallery_shows_every_entry_with_its_state(ann: Form, receiver: Receiver) -> None:
    """Titles and texts come from the declarations; what is connected here is so for this app."""
    page = unescape((await ann.get("")).text)
    assert all(entry.title in page and entry.description in page for entry in GALLERY)
    assert page.count("Not connected") == len(GALLERY)
    assert (await ann.connect(receiver.url)).status_code == 303
    page = (await ann.get("")).text
    assert page.count("Not connected") == len(GALLERY) - 1
    assert "Has not run yet" in page


@pytest.mark.parametrize("entry", GALLERY, ids=lambda entry: entry.type)
async def test_the_form_has_a_labelled_field_for_each_setting(ann: Form, entry: Any) -> None:
    """For each entry of the gallery, whatever it declares; the secret is a password field."""
    page = unescape((await ann.get(f"/{entry.type}/settings")).text)
    for setting in entry.settings:
        assert f'name="setting.{setting.name}"' in page
        assert setting.description in page
        assert all(f'value="{choice}"' in page for choice in setting.choices)
    assert page.count('type="password"') == 1


async def test_each_choice_of_a_list_has_a_switch(ann: Form) -> None:
    """What was turned on is on when the form is opened again, and can be turned off."""
    chosen = ["API Error Rate Spiked", "API User Went Dormant"]
    for on in (chosen, []):
        done = await ann.post(
            "/segment/settings",
            unchecked="true",
            **{"setting.partner_key": SECRET, "setting.milestones": on}
            | {f"setting.spike_{name}": "5" for name in ("calls", "percent", "times")},
        )
        assert done.status_code == 303
        page = (await ann.get("/segment/settings")).text
        assert page.count('name="setting.milestones"') == 4
        for name in chosen:
            assert (f'value="{name}" checked' in page) is (name in on)


async def test_a_secret_is_masked_once_stored_and_kept_when_left_empty(
    ann: Form, receiver: Receiver
) -> None:
    """No page and no address ever holds it; a change of another setting does not need it."""
    done = await ann.connect(receiver.url)
    assert done.headers["location"] == f"/extensions/webhook?app={ann.app.id}&said=connected"
    for page in ("", "/webhook", "/webhook/settings", "/webhook/live"):
        answer = await ann.get(page)
        assert answer.status_code == 200
        assert SECRET not in answer.text
    assert f"••••{SECRET[-4:]} is stored" in (await ann.get("/webhook/settings")).text
    assert (await ann.connect(receiver.url, **{"setting.secret": ""})).status_code == 303


async def test_a_fault_is_said_beside_its_field_and_the_rest_stays(ann: Form) -> None:
    """With the status of the error; what was typed is there again, but for the secret."""
    wrong = await ann.connect("ftp://x", **{"setting.without": "nonsense", "unchecked": "true"})
    assert wrong.status_code == 400
    assert "There is no field" in unescape(wrong.text)
    assert wrong.text.count('aria-invalid="true"') == wrong.text.count('class="field-error"') == 1
    assert 'value="ftp://x"' in wrong.text
    assert SECRET not in wrong.text
    missing = await ann.connect("https://example.com/", **{"setting.secret": ""})
    assert missing.status_code == 400
    assert 'id="field-1-error" role="alert">The signing secret is missing.' in missing.text


async def test_a_receiver_that_refuses_the_secret_keeps_it_from_being_saved(
    ann: Form, receiver: Receiver
) -> None:
    """Unless somebody says not to ask."""
    receiver.plan(401, 401)
    refused = await ann.connect(receiver.url)
    assert refused.status_code == 400
    assert "does not take this" in refused.text
    assert (
        (await ann.get("/webhook")).headers["location"].startswith("/extensions/webhook/settings")
    )
    assert (await ann.connect(receiver.url, unchecked="true")).status_code == 303


async def test_a_run_is_started_and_told(ann: Form, receiver: Receiver) -> None:
    """Counts, the history and one sentence; the refreshing part says the same."""
    await ann.connect(receiver.url)
    done = await ann.sync()
    assert done.headers["location"].endswith("&said=sync")
    page = (await ann.get("/webhook", said="sync")).text
    assert "Healthy: the last run was on" in page
    assert "Begun: this page shows" in page
    assert "Healthy" in (await ann.get("/webhook/live")).text
    assert "No run yet" not in (await ann.get("/webhook/runs")).text
    assert "Begun: this page shows" not in (await ann.get("/webhook", said="<b>")).text


async def test_a_preview_shows_the_exact_message_and_a_test_the_answer(
    ann: Form, receiver: Receiver
) -> None:
    """As JSON for people; nothing is sent before somebody presses."""
    await ann.connect(receiver.url)
    asked = len(receiver.received)
    due = unescape((await ann.get("/webhook/preview")).text)
    one = unescape((await ann.get("/webhook/preview", user="ann")).text)
    assert '"userId": "ann"' in due
    assert '"userId": "ann"' in one
    assert len(receiver.received) == asked
    tried = await ann.post("/webhook/test", user="ann")
    assert (tried.status_code, len(receiver.received)) == (200, asked + 1)
    assert "accepted" in tried.text
    assert receiver.url in unescape(tried.text)
    assert SECRET not in tried.text
    nobody = await ann.get("/webhook/preview", user="bob")
    assert nobody.status_code == 404
    assert "There is no user 'bob' in this app." in unescape(nobody.text)


async def test_an_endpoint_in_trouble_is_quoted(ann: Form, receiver: Receiver) -> None:
    """Its word, and when it is tried again."""
    await ann.connect(receiver.url)
    receiver.plan(410)
    await ann.sync()
    page = unescape((await ann.get("/webhook")).text)
    assert "Trying again at" in page
    assert "The receiver wants no more" in page


async def test_refused_messages_are_listed_and_sent_again(ann: Form, receiver: Receiver) -> None:
    """Each with the answer; one or all."""
    await ann.connect(receiver.url)
    assert "Nothing was refused" in (await ann.get("/webhook/dead")).text
    receiver.plan(422)
    await ann.sync()
    page = unescape((await ann.get("/webhook/dead")).text)
    assert "422" in page
    assert '"userId": "ann"' in page
    again = await ann.post("/webhook/do/resend")
    assert again.headers["location"].endswith("said=resend")
    assert "Nothing was refused" in (await ann.get("/webhook/dead")).text


async def test_it_is_paused_resumed_and_set(ann: Form, receiver: Receiver) -> None:
    """What is refused is said in its place, with what was typed."""
    await ann.connect(receiver.url)
    await ann.post("/webhook/set/pause")
    page = (await ann.get("/webhook")).text
    assert "Paused: nothing is sent" in page
    assert "Sync now" not in page
    assert (await ann.post("/webhook/do/sync")).status_code == 409
    await ann.post("/webhook/set/resume")
    await ann.post("/webhook/set/schedule", schedule="daily 03:00")
    await ann.post("/webhook/set/audience", audience="calls at_least 2\n\nid is_not bob\n")
    page = (await ann.get("/webhook")).text
    assert 'value="daily 03:00"' in page
    assert "calls at_least 2\nid is_not bob</textarea>" in page
    wrong = await ann.post("/webhook/set/schedule", schedule="now and then")
    assert wrong.status_code == 400
    assert 'value="now and then"' in wrong.text
    assert 'id="schedule-error"' in wrong.text


async def test_the_past_is_sent_and_cancelled(world: World, ann: Form, receiver: Receiver) -> None:
    """With its progress, of people as they are or were; a day that is not over is refused."""
    backfills = partial(world.services.extensions.backfills, ann.app, "webhook")
    await ann.connect(receiver.url)
    begun = await ann.post("/webhook/do/backfill", first_day="2026-01-01", last_day="2026-01-02")
    assert begun.status_code == 303
    page = (await ann.get("/webhook")).text
    assert "Sending 2026-01-01 to 2026-01-02" in page
    assert "<progress" in page
    await ann.post("/webhook/do/cancel-backfill")
    assert "<progress" not in (await ann.get("/webhook")).text
    assert [one.profile for one in await backfills()] == ["now"]
    days = {"first_day": "2026-01-01", "last_day": "2026-01-02"}
    await ann.post("/webhook/do/backfill", **days, profile="then")
    assert [one.profile for one in await backfills()] == ["then", "now"]
    await ann.post("/webhook/do/cancel-backfill")
    days = {"first_day": "2999-01-01", "last_day": "2999-01-01"}
    for profile, checked in (("then", True), ("", False)):
        wrong = await ann.post("/webhook/do/backfill", **days, profile=profile)
        assert wrong.status_code == 400
        assert "is not over yet" in wrong.text
        assert ('value="then" checked' in wrong.text) == checked


async def test_forms_need_the_token_of_the_session(ann: Form, receiver: Receiver) -> None:
    """And a login: nothing is connected or sent for anybody else."""
    ann.token = "made up"
    assert (await ann.connect(receiver.url)).status_code == 403
    for page in ("/webhook/do/sync", "/webhook/set/pause", "/webhook/test"):
        assert (await ann.post(page)).status_code == 403
    ann.browser.cookies.clear()
    assert (await ann.connect(receiver.url)).status_code == 401
    for page in ("", "/webhook", "/webhook/settings", "/webhook/preview", "/webhook/dead"):
        assert (await ann.get(page)).headers["location"].startswith("/login?next=")
    assert receiver.received == []


async def test_a_viewer_looks_and_changes_nothing(
    world: World, ann: Form, receiver: Receiver
) -> None:
    """No button, and no way around it."""
    await ann.connect(receiver.url)
    world.add_login("vic@example.com", "viewer")
    ann.browser.cookies.clear()
    ann.token = await log_in(ann.browser, "vic@example.com")
    page = (await ann.get("/webhook")).text
    assert "Sync now" not in page
    assert "Pause" not in page
    assert "/logout" in page
    assert (await ann.get("/webhook/settings")).status_code == 403
    for act in ("/webhook/do/sync", "/webhook/set/pause", "/webhook/settings"):
        assert (await ann.post(act)).status_code == 403


async def test_nothing_of_another_app_is_shown(world: World, ann: Form, receiver: Receiver) -> None:
    """Another app's page is as if nobody had connected anything."""
    await ann.connect(receiver.url)
    ann.app = world.add_app("Other")
    page = (await ann.get("")).text
    assert page.count("Not connected") == len(GALLERY)
    assert (await ann.get("/webhook/preview", user="ann")).status_code == 404
    assert (await ann.get("/webhook/dead")).status_code == 404
    assert (await ann.post("/webhook/do/sync")).status_code == 404
    assert (await ann.get("/nothing")).status_code == 404
    assert receiver.url not in page
