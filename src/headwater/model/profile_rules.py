"""What an app counts as a success, and when it calls somebody new or dormant."""

from typing import Annotated

import msgspec

Status = Annotated[str, msgspec.Meta(pattern=r"^[1-5](\d\d|xx)$")]
"""One status, such as `201`, or a class of them, such as `2xx`."""
Days = Annotated[int, msgspec.Meta(ge=1, le=366)]
_LONGEST = 512


class SuccessRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which call is a first hello world."""

    statuses: Annotated[tuple[Status, ...], msgspec.Meta(min_length=1, max_length=50)] = (
        "2xx",
        "3xx",
    )
    verb: Annotated[str, msgspec.Meta(max_length=_LONGEST)] = ""
    """`POST`; empty: any."""
    route: Annotated[str, msgspec.Meta(max_length=_LONGEST)] = ""
    """As reports show it: `/items/:id`; empty: any."""


class LifecycleRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When somebody is new, and when dormant."""

    new_days: Days = 7
    """So long after being seen first."""
    dormant_days: Days = 28
    """So long after the last call. Who comes back after that is resurrected, for as long again."""


class ProfileRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an app reads the profiles of its users and companies."""

    success: SuccessRule = SuccessRule()
    lifecycle: LifecycleRule = LifecycleRule()
