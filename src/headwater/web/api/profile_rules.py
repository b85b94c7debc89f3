"""Say by HTTP what an app counts as a success, and when it calls somebody new or dormant.

In: rules, in JSON. Out: the rules in force.
"""

from typing import Any

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headwater.model import ProfileRules
from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import get_app, read_profile_rules, set_profile_rules


class ProfileRulesController(Controller):
    """`/api/v1/apps/{app_id}/profiles`."""

    path = "/api/v1/apps/{app_id:str}/profiles"
    tags = ("Apps",)

    @get(guards=[needs("read")])
    async def show(
        self, services: NamedDependency[Services], app_id: FromPath[str]
    ) -> ProfileRules:
        """Show what counts as a success, and the days of the lifecycle."""
        return (await services.configdb.run(get_app, app_id)).profiles

    @put(guards=[needs("admin")])
    async def replace(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[dict[str, Any]],
    ) -> ProfileRules:
        """Replace the rules: `success` and `lifecycle`.

        `success` has `statuses` (such as `2xx` or `201`), `verb` and `route`; `lifecycle` has
        `new_days` and `dormant_days`. What is left out has its default.
        """
        rules = read_profile_rules(data)
        return (await services.configdb.run(set_profile_rules, app_id, rules)).profiles
