"""Declare the Segment extension's settings and check what was filled in.

In: what a person typed. Out: `SegmentSettings` that the rest can rely on.
"""

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.extensions.contract import ExtensionType, Setting
from headwater.extensions.segment.choice import Choice, choice_of, clean_rename, clean_without
from headwater.extensions.segment.endpoints import SUGGESTIONS, clean_endpoint
from headwater.extensions.segment.milestones import MILESTONES, clean_milestones
from headwater.extensions.segment.spikes import Spike, check_spike

PAYLOAD_VERSIONS = ("current", "2019")

SEGMENT = ExtensionType(
    type="segment",
    title="Segment",
    description=(
        "Sends each user's API activity as identify calls to Segment, to anything that speaks its "
        "Tracking API, or to a source of this server."
    ),
    settings=(
        Setting(
            name="partner_key",
            title="Partner key",
            description="The write key of the source that receives the calls.",
            required=True,
            secret=True,
        ),
        Setting(
            name="endpoint",
            title="Endpoint",
            description=(
                "built-in, segment, segment-eu, rudderstack=URL, jitsu=URL, or the base URL of any "
                "Tracking API; empty for the source built into this server."
            ),
            suggestions=SUGGESTIONS,
        ),
        Setting(
            name="payload_version",
            title="Payload version",
            description="Which generation of the traits to send; a source keeps its version.",
            default=PAYLOAD_VERSIONS[0],
            choices=PAYLOAD_VERSIONS,
            of_source="payload_version",
        ),
        Setting(
            name="without",
            title="Left out",
            description=(
                "What is never sent, in no message and under no name, such as email, ip, userAgent "
                "or metadata.plan."
            ),
            kind="list",
        ),
        Setting(
            name="rename",
            title="Renamed",
            description="Traits that go by another name, as old=new: email=emailAddress.",
            kind="list",
        ),
        Setting(
            name="groups",
            title="Companies",
            description="Whether to send a group call of each company that changed.",
            kind="flag",
            default="false",
        ),
        Setting(
            name="milestones",
            title="Milestones",
            description="Which moments of a user to tell, as track calls.",
            kind="list",
            choices=MILESTONES,
        ),
        Setting(
            name="spike_calls",
            title="Error spike: calls",
            description=(
                "The error rate of a day can spike when the user made so many calls, and as many "
                "in the seven days before."
            ),
            default=str(Spike().calls),
        ),
        Setting(
            name="spike_percent",
            title="Error spike: percent",
            description="And when so many percent of the day's calls are errors.",
            default=str(Spike().percent),
        ),
        Setting(
            name="spike_times",
            title="Error spike: times the usual rate",
            description="And when that is so many times the rate of the seven days before.",
            default=str(Spike().times),
        ),
    ),
)


class SegmentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection of this extension is set to."""

    endpoint: str = ""
    """Base URL of a Tracking API; empty: the source built into this server."""
    payload_version: str = PAYLOAD_VERSIONS[0]
    without: tuple[str, ...] = ()
    """What is never sent, in order, each once."""
    rename: tuple[str, ...] = ()
    """`old=new`, in order."""
    groups: bool = False
    """Companies are sent as group calls."""
    milestones: tuple[str, ...] = ()
    """Names of the track calls that are sent."""
    spike_calls: int = Spike().calls
    spike_percent: int = Spike().percent
    spike_times: int = Spike().times

    @property
    def spike(self) -> Spike:
        """From when on errors are a spike."""
        return Spike(self.spike_calls, self.spike_percent, self.spike_times)

    @property
    def choice(self) -> Choice:
        """What is left out, and renamed."""
        return choice_of(self.without, self.rename)

    @property
    def shape(self) -> str:
        """Recognises the form of messages; that of a connection without choices is its version."""
        chosen = (*(f"-{name}" for name in self.without), *self.rename)
        return "\n".join((self.payload_version, *chosen))


def check_settings(settings: SegmentSettings) -> SegmentSettings:
    """Return the settings tidied, or refuse the first that is wrong."""
    check_spike(settings.spike)
    return msgspec.structs.replace(
        settings,
        endpoint=clean_endpoint(settings.endpoint),
        payload_version=clean_payload_version(settings.payload_version),
        without=clean_without(settings.without),
        rename=clean_rename(settings.rename),
        milestones=clean_milestones(settings.milestones),
    )


def clean_partner_key(key: str) -> str:
    """Return the key, or refuse what cannot be one."""
    text = key.strip()
    # A colon parts the two halves of a key of Jitsu's; one at an end was copied by mistake.
    odd = " " in text or text != text.strip(":")
    if not text or not text.isascii() or not text.isprintable() or odd:
        raise InvalidInputError(
            "The partner key is empty or holds characters that no write key has.",
            field="partner_key",
            hint="Copy the write key of the source; `headwater sources list` shows those here.",
        )
    return text


def clean_payload_version(version: str) -> str:
    """Return the version, the newest for none, or refuse an unknown one."""
    if not version:
        return PAYLOAD_VERSIONS[0]
    if version not in PAYLOAD_VERSIONS:
        raise InvalidInputError(
            f"There is no payload version {version!r}.",
            field="payload_version",
            hint=f"Known: {', '.join(PAYLOAD_VERSIONS)}.",
        )
    return version
