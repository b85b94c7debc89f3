"""Keep out of the log what an app's rules ask nobody to report.

In: the app's sampling policy, and a call. Out: yes or no. Half of the client libraries ignore such
rules, so the server applies those of 0 % itself; all other rates are the clients' business, since
they alone can weigh what they keep. Pure.
"""

from urllib.parse import urlsplit

from headwater.base.patterns import Pattern
from headwater.model import ApiCall
from headwater.workspace import Condition, SamplingPolicy

DROPPED = "sampling_rule"
"""The reason, in the count of drops."""


class DropRules:
    """The rules of one policy, ready to be applied."""

    def __init__(self, policy: SamplingPolicy) -> None:
        self._users = policy.user_sample_rate
        self._companies = policy.company_sample_rate
        last = max(
            (at for at, rule in enumerate(policy.regex_config) if rule.is_drop),
            default=-1,
        )
        # Rules behind the last that drops change nothing here.
        self._rules = [
            (_compile(rule.conditions), rule.is_drop) for rule in policy.regex_config[: last + 1]
        ]

    @property
    def is_empty(self) -> bool:
        """Tell whether no call is ever left out."""
        return not self._rules

    def drop(self, call: ApiCall) -> bool:
        """Tell whether a call is to be left out: by the first rule that fits it.

        A rate of the call's own user or company goes before all rules.
        """
        if not self._rules or call.user_id in self._users or call.company_id in self._companies:
            return False
        facts = _facts_of(call)
        return next(
            (
                is_drop
                for conditions, is_drop in self._rules
                if all(pattern.is_in(facts[path]) for path, pattern in conditions)
            ),
            False,
        )


NO_DROPS = DropRules(SamplingPolicy())


def _compile(conditions: tuple[Condition, ...]) -> list[tuple[str, Pattern]]:
    return [(condition.path, Pattern(condition.value)) for condition in conditions]


def _facts_of(call: ApiCall) -> dict[str, str]:
    """Return what rules look at, as the client libraries see it."""
    return {
        "request.verb": call.verb,
        "request.route": _path_of(call.uri),
        "request.ip_address": call.ip_address,
        "response.status": str(call.status) if call.status else "",
    }


def _path_of(uri: str) -> str:
    try:
        return urlsplit(uri).path or "/"
    except ValueError:  # no address at all, such as http://[/
        return uri
