"""Say by HTTP what an app masks beyond what always is, and what it does not.

In: a masking policy, in JSON. Out: the policy in force.
"""

from typing import Any

import msgspec
from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headwater.web.auth import needs
from headwater.web.services import Services
from headwater.workspace import App, get_app, read_masking, set_masking


class Masking(msgspec.Struct, frozen=True, kw_only=True):
    """The whole policy, with what nobody has set."""

    mask: tuple[str, ...]
    keep: tuple[str, ...]
    fingerprint: tuple[str, ...]
    emails: bool
    ip_addresses: bool


class MaskingController(Controller):
    """`/api/v1/apps/{app_id}/masking`."""

    path = "/api/v1/apps/{app_id:str}/masking"
    tags = ("Apps",)

    @get(guards=[needs("read")])
    async def show(self, services: NamedDependency[Services], app_id: FromPath[str]) -> Masking:
        """Show the policy."""
        return _shown(await services.configdb.run(get_app, app_id))

    @put(guards=[needs("admin")])
    async def replace(
        self,
        services: NamedDependency[Services],
        app_id: FromPath[str],
        data: JSONBody[dict[str, Any]],
    ) -> Masking:
        """Replace the policy: names to `mask`, `keep` or `fingerprint`, `emails`, `ip_addresses`.

        What is left out has its default. Secrets in the usual places are masked in any case. Takes
        effect within seconds, for what is captured from then on.
        """
        policy = read_masking(data)
        return _shown(await services.configdb.run(set_masking, app_id, policy))


def _shown(app: App) -> Masking:
    return Masking(**msgspec.structs.asdict(app.masking))
