"""Name the pages of people: an id can hold anything, so it is a query parameter, never a path."""

from typing import Annotated
from urllib.parse import urlencode

from litestar.params import QueryParameter

from headwater.workspace import App

IdInUrl = Annotated[str, QueryParameter(name="id")]


def user_url(app: App, user_id: str, **more: str) -> str:
    """Return the address of one user's page."""
    return f"/users/one?{urlencode({'app': app.id, 'id': user_id, **more})}"


def company_url(app: App, company_id: str, **more: str) -> str:
    """Return the address of one company's page."""
    return f"/companies/one?{urlencode({'app': app.id, 'id': company_id, **more})}"


def cohort_url(app: App, cohort_id: str, *, page: str = "", **more: str) -> str:
    """Return the address of one cohort's page."""
    return f"/cohorts/one{page}?{urlencode({'app': app.id, 'id': cohort_id, **more})}"


def list_url(path: str, **given: str) -> str:
    """Return the address of a list, with what is given of its search, order and place."""
    return f"{path}?{urlencode({name: value for name, value in given.items() if value})}"
