"""Name everything that the `calls` stream of the log may hold, told apart by `t`."""

from headwater.model.action import Action
from headwater.model.api_call import ApiCall, ProfileUpdate, Reject
from headwater.model.call_table import CallTable
from headwater.model.link_ruling import LinkRuling

Record = ApiCall | CallTable | Action | ProfileUpdate | LinkRuling | Reject
