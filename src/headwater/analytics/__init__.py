"""Questions about API calls and those who make them, answered in numbers.

In: typed questions about one app. Out: reports, each with how complete it is and the SQL that
made it. Never takes SQL from anybody, and cannot ask without an app.
"""

from headwater.analytics.answer import KINDS, answer
from headwater.analytics.rejects import ReasonCount, RejectedItem, Rejects
from headwater.analytics.scope import QueryScope

__all__ = ["KINDS", "QueryScope", "ReasonCount", "RejectedItem", "Rejects", "answer"]
