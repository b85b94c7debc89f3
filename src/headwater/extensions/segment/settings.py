"""Declare the Segment extension's settings and check what was filled in.

In: what a person typed. Out: `SegmentSettings` that the rest can rely on.
"""

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.extensions.contract import ExtensionType, Setting
from headwater.extensions.segment.endpoints import SUGGESTIONS, clean_endpoint

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
    ),
)


class SegmentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection of this extension is set to."""

    endpoint: str = ""
    """Base URL of a Tracking API; empty: the source built into this server."""
    payload_version: str = PAYLOAD_VERSIONS[0]


def check_settings(settings: SegmentSettings) -> SegmentSettings:
    """Return the settings tidied, or refuse the first that is wrong."""
    return msgspec.structs.replace(
        settings,
        endpoint=clean_endpoint(settings.endpoint),
        payload_version=clean_payload_version(settings.payload_version),
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
