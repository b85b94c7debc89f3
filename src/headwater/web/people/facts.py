"""Write what is known of a user or company as facts: a name and a text each, in groups.

In: what profiles say, the app. Out: facts ready for a template; what nobody said is left out. Pure.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from headwater.model import Rollup
from headwater.profiles import Agent, Company, CompanyLink, Person
from headwater.web.figures import show_bytes, show_count, show_moment, show_percent, show_span
from headwater.web.people.links import company_url
from headwater.workspace import App

_CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_PLACES = ("city_name", "city", "region_name", "region", "country_name", "country")


class Fact(msgspec.Struct, frozen=True):
    """One line."""

    name: str
    text: str
    url: str = ""


def facts_of_user(user: Person, companies: Iterable[CompanyLink], app: App) -> list[Fact]:
    """Return who a user is."""
    return _known(
        Fact("User id", user.id),
        Fact("E-mail", user.email),
        Fact("User name", user.username),
        Fact("Phone", user.phone),
        *_company(user, app),
        Fact("Before", ", ".join(_earlier(user, companies))),
        Fact("Location", _place(user.location)),
        Fact("Locale", user.locale),
        Fact("Last IP address", user.last_ip),
        Fact("Calls with", _agent(user.agent) or user.last_user_agent),
        Fact("Came by", _campaign(user.first_touch)),
        Fact("Last campaign", _campaign(user.last_touch)),
        Fact("Browsers", _number(len(user.anonymous_ids))),
        Fact("Session tokens", _number(len(user.session_keys))),
    )


def facts_of_company(company: Company) -> list[Fact]:
    """Return what a company is."""
    return _known(
        Fact("Company id", company.id),
        Fact("Domain", company.domain),
        Fact("Last IP address", company.last_ip),
    )


def milestones(known: Person | Company, app: App) -> list[Fact]:
    """Return the moments of a life with the API."""
    spans = "" if known.ttfhw_s is None else show_span(known.ttfhw_s)
    return _known(
        Fact("Known since", show_moment(known.created_at, app.timezone)),
        Fact("First call or action", _moment(known.first_seen_at, app)),
        Fact("First success", _moment(known.first_success_at, app)),
        Fact("Time to first success", spans),
        Fact("Last seen", _moment(known.last_seen_at, app)),
        Fact("Profile changed", show_moment(known.modified_at, app.timezone) if known.doc else ""),
    )


def facts_of_day(day: Rollup) -> list[Fact]:
    """Return a day's activity in numbers."""
    latency = day.latency_ms
    traffic = f"{show_bytes(day.request_bytes)} · {show_bytes(day.response_bytes)}"
    return _known(
        Fact("Calls", show_count(day.total_calls)),
        Fact("Successful", show_count(day.successful_calls)),
        Fact("Client errors", show_count(day.client_errors)),
        Fact("Server errors", show_count(day.server_errors)),
        Fact("Error rate", show_percent(day.error_rate)),
        Fact("Latency, median · P90", f"{latency.p50:,.0f} · {latency.p90:,.0f} ms"),
        Fact("Requests · answers", traffic),
        Fact("Endpoints", show_count(day.distinct_endpoints)),
        Fact("Hours with calls", show_count(day.active_hours)),
        Fact("Calls in the 7 days before", show_count(day.calls_previous7_days)),
        Fact("Active days of the last 28", show_count(day.days_active_last28)),
    )


def show_doc(doc: Mapping[str, Any]) -> str:
    """Return a profile as people read JSON; empty without one."""
    return msgspec.json.format(msgspec.json.encode(doc), indent=2).decode() if doc else ""


def _known(*facts: Fact) -> list[Fact]:
    return [fact for fact in facts if fact.text]


def _company(user: Person, app: App) -> list[Fact]:
    if not user.company_id:
        return []
    url = company_url(app, user.company_id)
    return [
        Fact("Company", user.company_id, url),
        Fact("With it since", _moment(user.company_since, app)),
    ]


def _earlier(user: Person, companies: Iterable[CompanyLink]) -> list[str]:
    return [link.company_id for link in companies if link.company_id not in {"", user.company_id}]


def _agent(agent: Agent) -> str:
    parts = (
        f"{agent.library} {agent.library_version}",
        f"{agent.browser} {agent.browser_version}",
        f"{agent.os} {agent.os_version}",
        "" if agent.device == "Other" else agent.device,
    )
    return " · ".join(text for part in parts if (text := part.strip()))


def _campaign(campaign: Mapping[str, Any]) -> str:
    return " · ".join(str(campaign[name]) for name in _CAMPAIGN if campaign.get(name))


def _place(location: Mapping[str, Any]) -> str:
    texts = [str(location[name]) for name in _PLACES if location.get(name)]
    return ", ".join(dict.fromkeys(texts))


def _number(count: int) -> str:
    return show_count(count) if count else ""


def _moment(at: datetime | None, app: App) -> str:
    return show_moment(at, app.timezone) if at else ""
