"""The settings of a webhook, and the secrets that are made for them.

In: checked settings. Out: complete ones, with a signing secret made when none was given.
"""

from datetime import UTC, datetime

from headwater.base.clock import to_wire_time
from headwater.base.errors import InvalidInputError
from headwater.base.signing import new_signing_secret, signing_key
from headwater.destinations.contract import Setting, Values

SETTINGS = (
    Setting(
        name="url",
        title="URL",
        help="Where messages are posted to, http or https.",
        kind="url",
        is_required=True,
    ),
    Setting(
        name="secret",
        title="Signing secret",
        help="Signs each request; made and shown once when left empty.",
        is_secret=True,
    ),
    Setting(
        name="previous_secret",
        title="Previous signing secret",
        help="Signs each request as well, until the time below. Rotating the secret sets both.",
        is_secret=True,
    ),
    Setting(
        name="previous_until",
        title="Previous secret signs until",
        help="A time such as 2026-12-24T18:00:00Z; from then on the new secret signs alone.",
    ),
    Setting(
        name="batch_size",
        title="Messages in one request",
        help="1 posts each message as an object; more posts arrays of up to so many.",
        kind="integer",
        default="1",
        least=1,
        most=4_000,
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    found = {**values, "secret": values["secret"] or new_signing_secret()}
    for name in ("secret", "previous_secret"):
        if found[name]:
            _check_secret(name, found[name])
    if found["previous_until"]:
        read_until(found)
    return found


def rotate(values: Values, until: datetime) -> dict[str, str]:
    """Return settings with a new secret, the old one beside it."""
    return {
        **values,
        "secret": new_signing_secret(),
        "previous_secret": values["secret"],
        "previous_until": to_wire_time(until),
    }


def second_secret(values: Values, at: datetime) -> str:
    """Return the secret that signs beside the first at a moment; empty: none."""
    if not values["previous_secret"] or not values["previous_until"]:
        return ""
    return values["previous_secret"] if at < read_until(values) else ""


def read_until(values: Values) -> datetime:
    """Return when the previous secret ends."""
    try:
        found = datetime.fromisoformat(values["previous_until"])
    except ValueError as err:
        raise InvalidInputError(
            "`previous_until` is a time such as 2026-12-24T18:00:00Z.", field="previous_until"
        ) from err
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _check_secret(name: str, secret: str) -> None:
    try:
        signing_key(secret)
    except InvalidInputError as err:
        raise InvalidInputError(err.message, field=name) from err
