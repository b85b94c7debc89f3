"""Say whose data a question is about.

In: an app and its zone. Out: the one thing without which no query can be built.
"""

import msgspec


class QueryScope(msgspec.Struct, frozen=True):
    """The app that is asked about."""

    app_id: str
    timezone: str
