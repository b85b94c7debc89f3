"""Describe users and companies, and note actions, by the Collector API.

In: checked settings and a parcel. Out: one outcome for each item. Over HTTP, as any client does:
what the collector cannot understand is in the app's list of rejects. To repeat is safe: profiles
merge, and an action is known by its message.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from headwater.destinations.analytics.actions import ACTION, ACTIONS, COMPANY, OURS, USER
from headwater.destinations.analytics.settings import SETTINGS, complete
from headwater.destinations.contract import DestinationType, Item, Parcel, Values
from headwater.destinations.wire import Outcome, Wire

Json = dict[str, Any]

_MOST_PER_PARCEL = 200
_BY_OURSELVES = Outcome(
    fate="dead",
    code="OURS",
    error="sent by Headwater itself: it would come back to where it is from",
)


class Analytics:
    """The type `api-analytics`."""

    declaration = DestinationType(
        type="api-analytics",
        title="API analytics",
        description=(
            "Enriches the profiles and timelines of an app of this server: identify describes "
            "users, group companies, track is noted as what users did beside calling the API."
        ),
        settings=SETTINGS,
        actions=ACTIONS,
        message_types=("identify", "group", "track", "page", "screen"),
    )

    def complete(self, values: Values) -> dict[str, str]:
        return complete(values)

    def batch_size(self, values: Values, action: str) -> int:  # noqa: ARG002 - the same for all
        return _MOST_PER_PARCEL

    async def deliver(self, wire: Wire, values: Values, parcel: Parcel) -> list[Outcome]:
        news = [item for item in parcel.items if not _is_ours(item)]
        outcome = await _post(wire, values, _REQUESTS[parcel.action], news)
        return [_BY_OURSELVES if _is_ours(item) else outcome for item in parcel.items]


def _is_ours(item: Item) -> bool:
    """Tell whether the extension sent this, whatever mappings a person made for it."""
    context = item.message.body.get("context")
    library = context.get("library") if isinstance(context, dict) else None
    return isinstance(library, dict) and library.get("name") == OURS


async def _post(
    wire: Wire, values: Values, requests: "_Requests", items: Sequence[Item]
) -> Outcome:
    """Send what items say to each path; the first that is not taken decides."""
    outcome = Outcome(fate="delivered")
    headers = {
        "content-type": "application/json",
        "x-moesif-application-id": values["application_id"],
    }
    for path, write in requests.items():
        said = [one for item in items if (one := write(item))]
        if said and outcome.fate == "delivered":
            url = f"{values['url'] or wire.own_url}{path}"
            outcome = (await wire.ask(url, msgspec.json.encode(said), headers)).outcome
    return outcome


def _user(item: Item) -> Json:
    told = item.fields
    return _given(
        user_id=told.get("user_id"),
        anonymous_id=told.get("anonymous_id"),
        company_id=told.get("company_id"),
        modified_time=told.get("time"),
        metadata=told.get("metadata"),
        campaign=told.get("campaign"),
        ip_address=told.get("ip_address"),
        user_agent_string=told.get("user_agent"),
    )


def _company(item: Item) -> Json:
    told = item.fields
    return _given(
        company_id=told["company_id"],
        company_domain=told.get("domain"),
        modified_time=told.get("time"),
        metadata=told.get("metadata"),
    )


def _member(item: Item) -> Json:
    """Return whose company it is; nothing if the message names nobody."""
    told = item.fields
    who = _given(user_id=told.get("user_id"), anonymous_id=told.get("anonymous_id"))
    link = _given(company_id=told["company_id"], modified_time=told.get("time"))
    return who and {**who, **link}


def _action(item: Item) -> Json:
    told = item.fields
    request = _given(
        time=told.get("time"), uri=told["uri"], user_agent_string=told.get("user_agent")
    )
    return _given(
        action_name=told["name"],
        transaction_id=f"{item.message.message_id}:{item.mapping}",
        user_id=told.get("user_id"),
        anonymous_id=told.get("anonymous_id"),
        company_id=told.get("company_id"),
        metadata=told.get("metadata"),
        # Empty where nobody knows: else the collector takes ours.
        request={**request, "ip_address": told.get("ip_address", "")},
    )


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value not in (None, "", {})}


_Requests = Mapping[str, Callable[[Item], Json]]
_REQUESTS: Mapping[str, _Requests] = {
    USER.name: {"/v1/users/batch": _user},
    COMPANY.name: {"/v1/companies/batch": _company, "/v1/users/batch": _member},
    ACTION.name: {"/v1/actions/batch": _action},
}
