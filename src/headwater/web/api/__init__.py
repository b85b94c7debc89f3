"""Collect the management API: one file per room, each a controller below `/api/v1`."""

from litestar.types import ControllerRouterHandler

from headwater.web.api.apps import AppsController
from headwater.web.api.cohorts import CohortsController
from headwater.web.api.destinations import DestinationsController
from headwater.web.api.enrichments import EnrichmentsController
from headwater.web.api.extensions import ExtensionsController
from headwater.web.api.identity import IdentityController
from headwater.web.api.imports import ImportsController
from headwater.web.api.masking import MaskingController
from headwater.web.api.people import PeopleController
from headwater.web.api.profile_rules import ProfileRulesController
from headwater.web.api.query import QueryController
from headwater.web.api.regulations import RegulationsController, SuppressedIdsController
from headwater.web.api.replays import ReplaysController
from headwater.web.api.sampling import SamplingController
from headwater.web.api.sending import SendingController
from headwater.web.api.source_facts import RefusedRequestsController, SourceFactsController
from headwater.web.api.sources import SourcesController
from headwater.web.api.status import StatusController
from headwater.web.api.suppressed import SuppressedController
from headwater.web.api.trials import TrialsController
from headwater.web.api.unreadable import UnreadableController
from headwater.web.api.warehouses import WarehousesController

ROUTES: list[ControllerRouterHandler] = [
    AppsController,
    CohortsController,
    DestinationsController,
    EnrichmentsController,
    ExtensionsController,
    IdentityController,
    ImportsController,
    MaskingController,
    PeopleController,
    ProfileRulesController,
    QueryController,
    RegulationsController,
    ReplaysController,
    SamplingController,
    SendingController,
    SourcesController,
    SourceFactsController,
    RefusedRequestsController,
    StatusController,
    SuppressedController,
    SuppressedIdsController,
    TrialsController,
    UnreadableController,
    WarehousesController,
]

__all__ = ["ROUTES"]
