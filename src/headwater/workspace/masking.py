"""Say what an app masks beyond what always is, and what it does not mask.

In: a JSON document from an operator. Out: a `MaskingPolicy`, or an error with the path of the
fault. Masks nothing: the collector does.
"""

from typing import Annotated

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.spelling import flatten, spellings

PROTECTED_PARTS = (
    "authorization", "cookie", "pass-phrase", "passwd", "pass-word", "pwd",
)  # fmt: skip
"""No app can keep the value of a name that holds one of these."""

_PROTECTED = tuple(spelling for part in PROTECTED_PARTS for spelling in spellings(part))
_LISTS = ("mask", "keep", "fingerprint")

Name = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[ -~]*[A-Za-z0-9][ -~]*$")]
Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=200)]


class MaskingPolicy(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What is masked beyond what always is, and what is not; names match whole, in any spelling."""

    mask: Names = ()
    """Names of headers, parameters and JSON keys whose values are masked as well."""
    keep: Names = ()
    """Names that look secret but are not, such as `next_page_token`."""
    fingerprint: Names = ()
    """Names whose values become a keyed fingerprint, so that equal ones can be grouped."""
    emails: bool = False
    """Mask e-mail addresses in captured traffic; never in the profiles of users."""
    ip_addresses: bool = False
    """Cut addresses of clients to their network: /24 of IPv4, /48 of IPv6."""


def is_protected(name: str) -> bool:
    """Tell whether the values of this name are masked whatever an app decides."""
    flat = flatten(name)
    return any(part in flat for part in _PROTECTED)


def read_masking(document: object) -> MaskingPolicy:
    """Return the policy that a JSON document describes; errors name the place in it."""
    try:
        policy = msgspec.convert(document, MaskingPolicy)
    except msgspec.ValidationError as err:
        message, _, path = str(err).partition(" - at `")
        raise InvalidInputError(f"{message}.", field=_place(document, path)) from err
    _check_keep(policy.keep)
    _check_twice(policy)
    return policy


def _place(document: object, path: str) -> str:
    """Put the number into the path of a name: the conversion says only that one is wrong."""
    place = path.rstrip("`") or "$"
    if not place.endswith("[...]") or not isinstance(document, dict):
        return place
    names = document[place.removeprefix("$.").removesuffix("[...]")]
    return place.replace("...", str(next(n for n, name in enumerate(names) if not _is_name(name))))


def _is_name(name: object) -> bool:
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError:
        return False
    return True


def _check_keep(names: tuple[str, ...]) -> None:
    for number, name in enumerate(names):
        if is_protected(name):
            raise InvalidInputError(
                f"{name!r} cannot be kept: authorization, cookies and passwords are always masked.",
                field=f"$.keep[{number}]",
                hint="A fingerprint tells equal values apart without showing them.",
            )


def _check_twice(policy: MaskingPolicy) -> None:
    seen: dict[str, str] = {}
    for table in _LISTS:
        for number, name in enumerate(getattr(policy, table)):
            flat = flatten(name)
            if flat in seen:
                raise InvalidInputError(
                    f"{name!r} is in {seen[flat]} already.", field=f"$.{table}[{number}]"
                )
            seen[flat] = table
