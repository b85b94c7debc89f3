"""Declare the webhook extension's settings and check what was filled in.

In: what a person typed. Out: `WebhookSettings` that the rest can rely on.
"""

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.signing import signing_key
from headwater.extensions.contract import ExtensionType, Setting
from headwater.extensions.leaving_out import IN_METADATA
from headwater.extensions.webhook.fields import COMPANY, USER

SUBJECTS = ("users", "companies", "both")

WEBHOOK = ExtensionType(
    type="webhook",
    title="Webhook",
    description=(
        "Posts what changed about users and companies to a URL of yours, signed as Standard "
        "Webhooks describe."
    ),
    settings=(
        Setting(
            name="secret",
            title="Signing secret",
            description=(
                "Signs each request: whsec_ and random bytes in base64, or any text of 8 or more "
                "ASCII characters. The receiver needs the same."
            ),
            required=True,
            secret=True,
        ),
        Setting(
            name="url",
            title="URL",
            description="Where batches are posted to, http or https.",
            required=True,
        ),
        Setting(
            name="subjects",
            title="About",
            description="Whose changes to send.",
            default=SUBJECTS[0],
            choices=SUBJECTS,
        ),
        Setting(
            name="numbers",
            title="Daily numbers",
            description="Whether users come with the numbers of their last complete day.",
            kind="flag",
            default="true",
        ),
        Setting(
            name="without",
            title="Left out",
            description="Fields that are never sent, such as email, lastIp or metadata.plan.",
            kind="list",
        ),
    ),
)


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection of this extension is set to."""

    url: str = ""
    subjects: str = SUBJECTS[0]
    numbers: bool = True
    """Users come with `dailyAggregation`."""
    without: tuple[str, ...] = ()
    """Names of fields that are left out, in order, each once."""

    @property
    def about_users(self) -> bool:
        return self.subjects != "companies"

    @property
    def tells_lifecycle(self) -> bool:
        """Whether messages say how people stand to the API."""
        return "lifecycle" not in self.without

    @property
    def about_companies(self) -> bool:
        return self.subjects != "users"


def check_settings(settings: WebhookSettings) -> WebhookSettings:
    """Return the settings tidied, or refuse the first that is wrong."""
    url, subjects = settings.url.strip(), settings.subjects or SUBJECTS[0]
    if not url:
        raise InvalidInputError("A webhook needs a URL to post to.", field="url")
    if subjects not in SUBJECTS:
        raise InvalidInputError(
            f"A webhook cannot be about {subjects!r}.",
            field="subjects",
            hint=f"Known: {', '.join(SUBJECTS)}.",
        )
    without = tuple(sorted({name.strip() for name in settings.without if name.strip()}))
    for name in without:
        _check_field(name)
    return msgspec.structs.replace(settings, url=url, subjects=subjects, without=without)


def clean_secret(text: str) -> str:
    """Return the secret, or refuse what cannot sign."""
    secret = text.strip()
    signing_key(secret)
    return secret


def _check_field(name: str) -> None:
    """Refuse a name that means nothing: what was to be left out would be sent."""
    # An id says whom a message is about.
    known = {*USER, *COMPANY} - {"id"}
    if name not in known and not name.startswith(IN_METADATA):
        raise InvalidInputError(
            f"There is no field {name!r} to leave out.",
            field="without",
            hint=f"Known: {', '.join(sorted(known))}, and {IN_METADATA}NAME.",
        )
