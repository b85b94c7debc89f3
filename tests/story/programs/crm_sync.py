"""A customer's nightly job: tells who the users and companies are, with Moesif's API library.

Run as `python crm_sync.py URL APPLICATION_ID`.
"""

import sys

from moesifapi.configuration import Configuration
from moesifapi.models import CompanyModel, UserModel
from moesifapi.moesif_api_client import MoesifAPIClient

url, application_id = sys.argv[1:]
Configuration.BASE_URI = url
api = MoesifAPIClient(application_id).api
api.update_user(
    UserModel(
        user_id="ana",
        company_id="parcel",
        metadata={"name": "Ana Example", "email": "ana@parcel.example", "username": "ana"},
        campaign={"utm_source": "newsletter"},
    )
)
api.update_company(
    CompanyModel(
        company_id="parcel",
        company_domain="parcel.example",
        metadata={"plan": "scale", "seats": 40},
    )
)
