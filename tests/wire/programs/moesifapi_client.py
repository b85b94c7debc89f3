"""A program that uses every collector call of `moesifapi`, with every field set once.

Run as `python moesifapi_client.py URL APPLICATION_ID`. Fails when an answer is not what the client
expects; prints the time of its calls, and what it read of configuration and rules.
"""

import json
import sys
from datetime import UTC, datetime, timedelta

from moesifapi.configuration import Configuration
from moesifapi.models import (
    CampaignModel,
    CompanyModel,
    EventModel,
    EventRequestModel,
    EventResponseModel,
    SubscriptionModel,
    UserModel,
)
from moesifapi.moesif_api_client import MoesifAPIClient

url, application_id = sys.argv[1:]
Configuration.BASE_URI = f"{url}/collector"  # as behind a proxy
client = MoesifAPIClient(application_id)
api = client.api
now = datetime.now(UTC) - timedelta(minutes=1)
day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=20)


def event(number: int) -> EventModel:
    return EventModel(
        request=EventRequestModel(
            time=now.replace(tzinfo=None),  # naive, as users do
            uri=f"https://api.parcel.example/v2/labels/{number}?dry=1&api_key=planted-0",
            verb="POST",
            api_version="2.1",
            ip_address="203.0.113.7",
            headers={"Content-Type": "application/json", "Authorization": "Bearer planted-1"},
            body={"weight_g": 420, "card": {"number": "4111111111111111"}},
        ),
        response=EventResponseModel(
            time=now + timedelta(milliseconds=86),
            status=422,
            headers={"Content-Type": "text/plain"},
            ip_address="10.0.0.7",
            body="YmFkIHppcA==",
            transfer_encoding="base64",
        ),
        user_id="u-81",
        company_id="c-9",
        session_token="planted-2",
        tags="a,b",
        metadata={"dc": "eu"},
        direction="Outgoing",
        weight=4,
        blocked_by="rule-1",
        transaction_id=f"t-{number}",
    )


tags = api.create_event(event(1))
batch_tags = api.create_events_batch([event(2), event(3)])
api.create_event(EventModel(request=EventRequestModel(time=now.isoformat(), uri="/", verb="GET")))
ana = UserModel(
    user_id="u-81",
    company_id="c-9",
    modified_time=day,
    ip_address="203.0.113.7",
    session_token="planted-3",
    user_agent_string="parcel/1",
    metadata={"email": "ana@parcel.example", "crm": {"stage": "trial", "password": "planted-4"}},
    campaign=CampaignModel(utm_source="newsletter", gclid="g-1"),
)
api.update_user(ana)
api.update_users_batch([UserModel(user_id="u-82"), UserModel(user_id="u-83")])
parcel = CompanyModel(
    company_id="c-9",
    company_domain="parcel.example",
    modified_time=day,
    ip_address="203.0.113.8",
    session_token="planted-5",
    metadata={"seats": 40},
    campaign=CampaignModel(referring_domain="example.com"),
)
api.update_company(parcel)
api.update_companies_batch([CompanyModel(company_id="c-10")])
paid = SubscriptionModel(
    subscription_id="s-1",
    company_id="c-9",
    current_period_start=day,
    current_period_end=day + timedelta(days=30),
    status="active",
    metadata={"plan": "scale"},
)
api.update_subscription(paid)
api.update_subscriptions_batch([SubscriptionModel(subscription_id="s-2", company_id="c-10")])
config, rules = api.get_app_config(), api.get_governance_rules()
seen = {
    "time": now.isoformat(),
    "day": day.isoformat(),
    "end": (day + timedelta(days=30)).isoformat(),
    "event_tag": tags.get("X-Moesif-Config-ETag"),
    "batch_tag": batch_tags.get("X-Moesif-Config-ETag"),
    "config_tag": config.headers.get("X-Moesif-Config-ETag"),
    "sample_rate": json.loads(config.raw_body)["sample_rate"],
    "rules": json.loads(rules.raw_body),
    "alive": client.health.get_health_probe().status,
}
sys.stdout.write(json.dumps(seen))
sys.stdin.read()
