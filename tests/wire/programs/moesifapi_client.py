"""A program that uses every collector call of `moesifapi`, with every field set once.

Run as `python moesifapi_client.py URL APPLICATION_ID`. Fails when an answer is not what the client
expects; prints what it read of configuration and rules.
"""

import json
import sys
from datetime import UTC, datetime

from moesifapi.configuration import Configuration
from moesifapi.models import (
    CampaignModel,
    CompanyModel,
    EventModel,
    EventRequestModel,
    EventResponseModel,
    UserModel,
)
from moesifapi.moesif_api_client import MoesifAPIClient

url, application_id = sys.argv[1:]
Configuration.BASE_URI = url
client = MoesifAPIClient(application_id)
api = client.api


def event(number: int, **changes: object) -> EventModel:
    return EventModel(
        request=EventRequestModel(
            time=datetime(2026, 11, 23, 2, 23, 57, 914_000),  # noqa: DTZ001 - naive, as users do
            uri=f"https://api.parcel.example/v2/labels/{number}?dry=1",
            verb="POST",
            api_version="2.1",
            ip_address="203.0.113.7",
            headers={"Content-Type": "application/json", "Authorization": "Bearer planted-1"},
            body={"weight_g": 420, "card": {"number": "4111111111111111"}},
        ),
        response=EventResponseModel(
            time=datetime(2026, 11, 23, 2, 23, 58, tzinfo=UTC),
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
        **changes,
    )


tags = api.create_event(event(1))
batch_tags = api.create_events_batch([event(2), event(3)])
api.create_event(
    EventModel(request=EventRequestModel(time="2026-11-23T02:23:57.019", uri="/", verb="GET"))
)
ana = UserModel(
    user_id="u-81",
    company_id="c-9",
    modified_time=datetime(2026, 11, 1, tzinfo=UTC),
    ip_address="203.0.113.7",
    session_token="planted-3",
    user_agent_string="parcel/1",
    metadata={"email": "ana@parcel.example", "crm": {"stage": "trial"}},
    campaign=CampaignModel(utm_source="newsletter"),
)
api.update_user(ana)
api.update_users_batch([UserModel(user_id="u-82"), UserModel(user_id="u-83")])
parcel = CompanyModel(company_id="c-9", company_domain="parcel.example", metadata={"seats": 40})
api.update_company(parcel)
api.update_companies_batch([CompanyModel(company_id="c-10")])
config, rules = api.get_app_config(), api.get_governance_rules()
probe = client.health.get_health_probe()
sys.stdout.write(
    json.dumps(
        {
            "event_tag": tags.get("X-Moesif-Config-ETag"),
            "batch_tag": batch_tags.get("X-Moesif-Config-ETag"),
            "config_tag": config.headers.get("X-Moesif-Config-ETag"),
            "sample_rate": json.loads(config.raw_body)["sample_rate"],
            "rules": json.loads(rules.raw_body),
            "alive": probe.status,
        }
    )
)
