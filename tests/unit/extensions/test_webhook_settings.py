"""What a webhook takes as settings, and what the answers of its receiver mean."""

import pytest

from headwater.base.egress import Reply
from headwater.base.errors import InvalidInputError
from headwater.extensions.contract import Verdict
from headwater.extensions.webhook import Webhook
from headwater.extensions.webhook.client import read_reply

URL = "https://tools.example.com/hook?team=7"
WEBHOOK = Webhook()


def test_only_the_url_is_needed() -> None:
    """The rest has defaults: users, with their numbers, whole."""
    settings = WEBHOOK.read_settings({"url": f" {URL} "})
    assert (settings.url, settings.subjects) == (URL, "users")
    assert (settings.numbers, settings.without) == (True, ())
    assert WEBHOOK.target(settings).url == URL


def test_texts_stand_for_flags_and_lists_are_put_in_order() -> None:
    """As they come from forms and command lines."""
    given = {"url": URL, "numbers": "false", "without": ["phone", " email ", "", "phone"]}
    settings = WEBHOOK.read_settings(given)
    assert (settings.numbers, settings.without) == (False, ("email", "phone"))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("url", {}),
        ("url", {"url": "  "}),
        ("subjects", {"url": URL, "subjects": "everybody"}),
        ("without", {"url": URL, "without": ["emial"]}),
        ("without", {"url": URL, "without": ["id"]}),
        ("surprise", {"url": URL, "surprise": "1"}),
    ],
)
def test_what_is_wrong_is_named(field: str, values: dict[str, object]) -> None:
    """A mistyped field to leave out would be sent: it is refused."""
    with pytest.raises(InvalidInputError) as caught:
        WEBHOOK.read_settings(values)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "change",
    [
        {"url": f"{URL}1"},
        {"subjects": "both"},
        {"numbers": False},
        {"without": ["email"]},
    ],
)
def test_every_setting_is_part_of_the_target(change: dict[str, object]) -> None:
    """Other messages are asked for: everybody is due afresh, and what waits is dropped."""
    before = WEBHOOK.target(WEBHOOK.read_settings({"url": URL}))
    assert WEBHOOK.target(WEBHOOK.read_settings({"url": URL, **change})) != before


@pytest.mark.parametrize("secret", ["", "short", "whsec_x"])
def test_a_secret_must_be_able_to_sign(secret: str) -> None:
    """Or nobody could tell who sent a request."""
    with pytest.raises(InvalidInputError):
        WEBHOOK.read_secret(secret)


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((200, 201, 202, 204, 299), Verdict.ACCEPTED),
        ((408, 425, 429, 500, 502, 503, 504, 599), Verdict.LATER),
        ((301, 302, 307, 308, 401, 403, 404, 405, 410), Verdict.HALTED),
        ((400, 402, 406, 409, 413, 415, 422, 451), Verdict.REFUSED),
    ],
)
def test_a_status_means(statuses: tuple[int, ...], verdict: Verdict) -> None:
    """Halted: the connection is wrong, whatever the batch says; refused: the batch is."""
    for status in statuses:
        outcome = read_reply(Reply(status=status, headers={}, body=b"because"))
        assert outcome.verdict is verdict, status
        assert verdict is Verdict.ACCEPTED or f"{status}: because" in outcome.reason


@pytest.mark.parametrize("status", [429, 503])
def test_the_receiver_may_ask_for_patience(status: int) -> None:
    """`Retry-After`, in seconds."""
    outcome = read_reply(Reply(status=status, headers={"retry-after": "120"}, body=b""))
    assert outcome.wait_s == 120


def test_what_the_receiver_says_in_a_success_is_its_own_matter() -> None:
    """Any body, even one that looks like an error."""
    outcome = read_reply(Reply(status=200, headers={}, body=b'{"success":false}'))
    assert (outcome.verdict, outcome.rejected) == (Verdict.ACCEPTED, {})
