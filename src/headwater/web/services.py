"""Name what the web's handlers may ask, in one place.

In: the objects that `app.py` built once. Out: the same, typed; handlers take
`services: NamedDependency[Services]`.
"""

from dataclasses import dataclass, field

from headwater.base.clock import Clock
from headwater.base.egress import Egress
from headwater.base.settings import Settings
from headwater.base.vault import Vault
from headwater.configdb import ConfigDb
from headwater.eventlog import EventLog
from headwater.eventstore import EventStore
from headwater.extensions import Extensions
from headwater.federation import FederationWorkers
from headwater.ingest import Knowledge
from headwater.privacy import Regulations
from headwater.profiles import Profiles
from headwater.sources import Forgotten
from headwater.warehouse import Warehouses


@dataclass(frozen=True, kw_only=True)
class Services:
    """Every object behind the pages and the management API."""

    settings: Settings
    clock: Clock
    vault: Vault
    configdb: ConfigDb
    log: EventLog
    forgotten: Forgotten
    store: EventStore
    profiles: Profiles
    knowledge: Knowledge
    extensions: Extensions
    federation: FederationWorkers
    warehouses: Warehouses
    regulations: Regulations
    egress: Egress
    local_token: str = field(repr=False)
    """Lets the command line on this machine in, with every scope; made anew at each start."""
