"""Say by HTTP which share of an app's calls its clients are asked to report.

In: a sampling policy, in JSON. Out: the policy as it is published, with warnings about rates that
cost accuracy.
"""

from typing import Any

import msgspec
from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import App, SamplingPolicy, get_app, read_sampling, set_sampling, warn_of


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """What clients are told, and what an operator should know about it."""

    policy: SamplingPolicy
    warnings: list[str]


class SamplingController(Controller):
    """`/api/v1/apps/{app_id}/sampling`."""

    path = "/api/v1/apps/{app_id:str}/sampling"
    tags = ("Apps",)

    @get(guards=[needs("read")])
    async def show(self, services: NamedDependency[Services], app_id: FromPath[str]) -> Sampling:
        """Show the policy."""
        return _shown(await services.configdb.run(get_app, app_id))

    @put(guards=[needs("admin")])
    async def replace(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[dict[str, Any]],
    ) -> Sampling:
        """Replace the policy: `sample_rate`, `user_sample_rate`, `company_sample_rate` and rules.

        What is left out has its default, 100 %. Rates are whole numbers from 0 to 100. Clients
        notice with the answer to the next thing that they send.
        """
        policy = read_sampling(data)
        return _shown(await services.configdb.run(set_sampling, app_id, policy))


def _shown(app: App) -> Sampling:
    return Sampling(policy=app.sampling, warnings=warn_of(app.sampling))
