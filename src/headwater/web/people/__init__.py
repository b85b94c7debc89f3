"""The pages of users, companies and cohorts: lists, and one at a time.

In: an app, a search, an id. Out: pages. They ask what the API asks, through the same doors.
"""

from headwater.web.people.cohort import CohortController
from headwater.web.people.cohorts import CohortsController
from headwater.web.people.companies import CompaniesController
from headwater.web.people.company import CompanyController
from headwater.web.people.user import UserController
from headwater.web.people.users import UsersController

PEOPLE_PAGES = (
    UsersController,
    UserController,
    CompaniesController,
    CompanyController,
    CohortsController,
    CohortController,
)

__all__ = ["PEOPLE_PAGES"]
