"""Hold the nouns that cross rooms: frozen, typed, without input or output.

New fields always get defaults, so that older log entries can still be read.
"""

from headwater.model.action import Action
from headwater.model.api_call import (
    HEAD_ENDS,
    NO_JSON,
    ApiCall,
    Direction,
    ProfileKind,
    ProfileUpdate,
    Reject,
    note_headers,
)
from headwater.model.call_table import (
    ID_BYTES,
    UNKNOWN_SIZE,
    CallColumns,
    CallTable,
    Texts,
)
from headwater.model.link_ruling import KeyKind, LinkRuling, Verdict
from headwater.model.message import Message
from headwater.model.profile_rules import LifecycleRule, ProfileRules, SuccessRule
from headwater.model.record import Record
from headwater.model.rollup import ClientCount, EndpointCount, ErrorCount, LatencyMs, Rollup

__all__ = [
    "HEAD_ENDS",
    "ID_BYTES",
    "NO_JSON",
    "UNKNOWN_SIZE",
    "Action",
    "ApiCall",
    "CallColumns",
    "CallTable",
    "ClientCount",
    "Direction",
    "EndpointCount",
    "ErrorCount",
    "KeyKind",
    "LatencyMs",
    "LifecycleRule",
    "LinkRuling",
    "Message",
    "ProfileKind",
    "ProfileRules",
    "ProfileUpdate",
    "Record",
    "Reject",
    "Rollup",
    "SuccessRule",
    "Texts",
    "Verdict",
    "note_headers",
]
