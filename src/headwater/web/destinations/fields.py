"""Make a form of the settings that a type declares, and read it back.

In: a type, values as stored or as typed. Out: fields for a template; settings to be checked. A
secret is never written into a page: stored, it is masked; typed in vain, it is typed again.
"""

from collections.abc import Mapping

import msgspec
from litestar.datastructures import FormMultiDict

from headwater.destinations import Choice, DestinationType, Setting

_PREFIX = "setting."
_YES = "true"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form."""

    name: str
    title: str
    help: str
    kind: str
    value: str
    required: bool
    choices: tuple[Choice, ...]
    hint: str
    """What stands in the empty field."""
    error: str


def make_fields(
    declared: DestinationType,
    values: Mapping[str, str],
    *,
    masked: Mapping[str, str],
    error: tuple[str, str],
) -> list[Field]:
    """Return the fields; `masked` are stored secrets, `error` a field's name and its fault."""
    return [_to_field(setting, values, masked, error) for setting in declared.settings]


def read_fields(declared: DestinationType, form: FormMultiDict) -> dict[str, str]:
    """Return what was filled in, by the names of the settings."""
    return {setting.name: _read(setting, form) for setting in declared.settings}


def _to_field(
    setting: Setting,
    values: Mapping[str, str],
    masked: Mapping[str, str],
    error: tuple[str, str],
) -> Field:
    stored = masked.get(setting.name, "") if setting.is_secret else ""
    return Field(
        name=_PREFIX + setting.name,
        title=setting.title,
        help=setting.help,
        kind="secret" if setting.is_secret else setting.kind,
        value="" if setting.is_secret else values.get(setting.name, setting.default),
        required=setting.is_required and not stored,
        choices=setting.choices,
        hint=f"{stored} is stored; leave empty to keep it" if stored else "",
        error=error[1] if error[0] == setting.name else "",
    )


def _read(setting: Setting, form: FormMultiDict) -> str:
    text = str(form.get(_PREFIX + setting.name, "")).strip()
    return (text or "false") if setting.kind == "boolean" else text
