"""Check the settings of an instance against what its type declares.

In: what a person filled in. Out: complete settings, as the type needs them; an error names the
setting that is wrong.
"""

from collections.abc import Sequence

from headwater.base.egress import Egress, EgressRefusedError
from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Destination, Setting, Values


def check_settings(destination: Destination, values: Values, egress: Egress) -> dict[str, str]:
    """Return the settings complete, or raise an error that names the field."""
    settings = destination.declaration.settings
    complete = _check_names(settings, values)
    for setting in settings:
        if complete[setting.name]:
            _check_value(setting, complete[setting.name], egress)
    return destination.complete(complete)


def keep_secrets(destination: Destination, before: Values, values: Values) -> dict[str, str]:
    """Return changed settings, in which a secret that was left empty stays as it was."""
    kept = {name: before.get(name, "") for name in destination.declaration.secrets}
    return {**values, **{name: values.get(name) or old for name, old in kept.items()}}


def _check_names(settings: Sequence[Setting], values: Values) -> dict[str, str]:
    """Refuse unknown and missing settings; fill in defaults."""
    known = {setting.name: setting for setting in settings}
    for name in values:
        if name not in known:
            raise InvalidInputError(
                f"There is no setting {name!r}.",
                field=name,
                hint=f"Settings are {', '.join(known)}.",
            )
    for setting in settings:
        if setting.is_required and not values.get(setting.name):
            raise InvalidInputError(f"The setting {setting.name} is needed.", field=setting.name)
    return {name: values.get(name) or setting.default for name, setting in known.items()}


def _check_value(setting: Setting, value: str, egress: Egress) -> None:
    wrong = ""
    match setting.kind:
        case "url":
            _check_url(setting, value, egress)
        case "boolean" if value not in {"true", "false"}:
            wrong = "is `true` or `false`"
        case "integer" if not _is_between(value, setting.least, setting.most):
            wrong = f"is a number from {setting.least} to {setting.most}"
        case "choice" if value not in {choice.value for choice in setting.choices}:
            wrong = f"is one of {', '.join(choice.value for choice in setting.choices)}"
    if wrong:
        raise InvalidInputError(f"`{setting.name}` {wrong}.", field=setting.name)


def _check_url(setting: Setting, value: str, egress: Egress) -> None:
    try:
        egress.check_url(value)
    except EgressRefusedError as err:
        raise EgressRefusedError(err.message, field=setting.name, hint=err.hint) from err


def _is_between(value: str, least: int, most: int) -> bool:
    is_number = value.isascii() and value.isdigit() and len(value) < len(str(2**63))
    return is_number and least <= int(value) <= most
