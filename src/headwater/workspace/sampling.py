"""Say which share of an app's calls its clients are asked to report.

In: a JSON document from an operator. Out: a `SamplingPolicy` that every client library can read, or
an error with the path of the fault; and warnings about what is allowed but costs accuracy. Applies
nothing: clients do, and the collector where a rule asks for none at all.
"""

from typing import Annotated, Any

import msgspec

from headwater.base.errors import InvalidInputError
from headwater.base.patterns import Pattern

ALL = 100
NONE = 0
PATHS = ("request.verb", "request.route", "request.ip_address", "response.status")
"""What a rule may look at: one library reports everything when it meets another path."""

_MOST_RULES = 100
_MOST_IDS = 10_000
_EXACT = ", ".join(str(rate) for rate in range(ALL + 1) if rate == NONE or ALL % rate == 0)

Rate = Annotated[int, msgspec.Meta(ge=NONE, le=ALL)]
"""Whole per cent; a fraction breaks the whole configuration of one library."""
Rates = Annotated[dict[str, Rate], msgspec.Meta(max_length=_MOST_IDS)]


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Condition(_Document, frozen=True, kw_only=True):
    """A pattern that must be found in one part of a call."""

    path: str
    value: str


class RegexRule(_Document, frozen=True, kw_only=True):
    """A rate for the calls that all the conditions are true of."""

    conditions: Annotated[tuple[Condition, ...], msgspec.Meta(min_length=1)]
    sample_rate: Rate

    @property
    def is_drop(self) -> bool:
        """Nobody wants to see such calls."""
        return self.sample_rate == NONE


class SamplingPolicy(_Document, frozen=True, kw_only=True):
    """Which share of the calls clients are asked to report, in per cent."""

    sample_rate: Rate = ALL
    user_sample_rate: Rates = {}
    company_sample_rate: Rates = {}
    regex_config: Annotated[tuple[RegexRule, ...], msgspec.Meta(max_length=_MOST_RULES)] = ()
    """The first rule that fits decides."""


def read_sampling(document: object) -> SamplingPolicy:
    """Return the policy that a JSON document describes; errors name the place in it."""
    try:
        policy = msgspec.convert(document, SamplingPolicy)
    except msgspec.ValidationError as err:
        message, _, path = str(err).partition(" - at `")
        place = _name_key(document, path.rstrip("`") or "$")
        raise InvalidInputError(f"{message}.", field=place) from err
    for number, rule in enumerate(policy.regex_config):
        _check_rule(rule, f"$.regex_config[{number}].conditions")
    return policy


def _name_key(document: Any, path: str) -> str:
    """Put the id into the path of a rate: the conversion says only that one of them is wrong."""
    table, found, _ = path.removeprefix("$.").partition("[...]")
    if not found:
        return path
    wrong = next((id_ for id_, rate in document[table].items() if not _is_rate(rate)), "...")
    return f"$.{table}[{wrong!r}]"


def _is_rate(value: object) -> bool:
    return type(value) is int and NONE <= value <= ALL


def _check_rule(rule: RegexRule, path: str) -> None:
    seen = set()
    for number, condition in enumerate(rule.conditions):
        place = f"{path}[{number}]"
        if condition.path not in PATHS:
            raise InvalidInputError(
                f"A rule cannot look at {condition.path!r}.",
                field=f"{place}.path",
                hint=f"Paths: {', '.join(PATHS)}.",
            )
        if condition.path in seen:
            raise InvalidInputError(
                f"{condition.path} is there twice; one library would see the last only.",
                field=f"{place}.path",
                hint="Join the patterns with |, or write two rules.",
            )
        seen.add(condition.path)
        Pattern(condition.value, f"{place}.value")


def warn_of(policy: SamplingPolicy) -> list[str]:
    """Return what an operator should know about the policy, in sentences."""
    warnings = [_warn_of_rate(name, rate) for name, rate in sorted(_rates(policy))]
    if any(NONE < rule.sample_rate < ALL for rule in policy.regex_config):
        warnings.append(
            "regex_config: several client libraries ignore rates of rules other than 0, which"
            " Headwater itself applies."
        )
    return [warning for warning in warnings if warning]


def _rates(policy: SamplingPolicy) -> set[tuple[str, int]]:
    """Return each rate once, with the name of the table it is in."""
    return {
        ("sample_rate", policy.sample_rate),
        *(("user_sample_rate", rate) for rate in policy.user_sample_rate.values()),
        *(("company_sample_rate", rate) for rate in policy.company_sample_rate.values()),
        *(("regex_config", rule.sample_rate) for rule in policy.regex_config),
    }


def _warn_of_rate(name: str, rate: int) -> str:
    if rate == NONE or ALL % rate == 0:
        return ""
    counted = ALL // rate * rate
    return (
        f"{name}: at {rate} % clients give a call the weight {ALL // rate}, so counts show"
        f" {counted} % of the calls. Exact are {_EXACT}."
    )
