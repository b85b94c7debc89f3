"""Make a form of what an extension declares, and read it back.

In: settings of the gallery, values as stored or as typed. Out: fields for a template; a mapping for
`Extensions.connect`. A secret is never written into a page: stored, it is masked; typed in vain, it
has to be typed again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from litestar.datastructures import FormMultiDict

from headwater.extensions import ExtensionType, Setting

PREFIX = "setting."
_YES = "true"


class Choice(msgspec.Struct, frozen=True):
    """One value to choose."""

    value: str
    title: str


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form."""

    name: str
    title: str
    description: str
    kind: Literal["secret", "flag", "choice", "switches", "list", "text"]
    value: str
    required: bool
    choices: tuple[Choice, ...]
    hint: str
    """What stands in the empty field."""
    error: str


def make_fields(
    entry: ExtensionType, values: Mapping[str, Any], *, masked: str = "", error: tuple[str, str]
) -> list[Field]:
    """Return the fields; `error` is a field's name and what is wrong with it."""
    return [_to_field(setting, values, masked, error) for setting in entry.settings]


def _to_field(
    setting: Setting, values: Mapping[str, Any], masked: str, error: tuple[str, str]
) -> Field:
    kind = _kind_of(setting)
    stored = values.get(setting.name, "" if setting.of_source else setting.default)
    name, message = error
    return Field(
        name=PREFIX + setting.name,
        title=setting.title,
        description=setting.description,
        kind=kind,
        value="" if kind == "secret" else _show(setting, stored),
        required=setting.required and not (kind == "secret" and masked),
        choices=_choices(setting),
        hint=f"{masked} is stored; leave empty to keep it" if kind == "secret" and masked else "",
        # A list's fault is named with its place: `traits[2]`.
        error=message if name.partition("[")[0] == setting.name else "",
    )


def _kind_of(setting: Setting) -> Literal["secret", "flag", "choice", "switches", "list", "text"]:
    if setting.secret:
        return "secret"
    if setting.choices:
        return "choice" if setting.kind == "text" else "switches"
    return setting.kind


def _choices(setting: Setting) -> tuple[Choice, ...]:
    if setting.choices:
        unsaid = (Choice("", f"as its source, else {setting.default}"),)
        known = tuple(Choice(value, value) for value in setting.choices)
        return (*unsaid, *known) if setting.of_source else known
    return tuple(
        Choice(f"{one.name}={one.example}" if one.example else one.name, one.title)
        for one in setting.suggestions
    )


def _show(setting: Setting, stored: object) -> str:
    if isinstance(stored, bool):
        return _YES if stored else ""
    if isinstance(stored, Sequence) and not isinstance(stored, str):
        return "\n".join(str(one) for one in stored)
    by_value = {one.value: one.name for one in setting.suggestions if not one.example}
    return by_value.get(str(stored), str(stored))


def read_fields(entry: ExtensionType, form: FormMultiDict) -> dict[str, object]:
    """Return what was filled in, by the names of the settings; a secret left empty is left out."""
    typed = {setting.name: _read(setting, form) for setting in entry.settings}
    if not typed[entry.secret.name]:
        del typed[entry.secret.name]
    return typed


def _read(setting: Setting, form: FormMultiDict) -> object:
    text = str(form.get(PREFIX + setting.name, ""))
    if setting.kind == "flag":
        return text == _YES
    if setting.kind == "list" and setting.choices:
        return form.getall(PREFIX + setting.name, [])
    if setting.kind == "list":
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text.strip()
