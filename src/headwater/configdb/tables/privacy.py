"""Tables of privacy regulations, and how far each is carried out at each target.

Ids of users are cipher text, and only as long as a regulation needs them.
"""

from sqlalchemy import Column as C  # noqa: N817 - it stands on every line below
from sqlalchemy import ForeignKey, Integer, String, Table, Text

from headwater.configdb.tables.base import UtcDateTime, metadata

regulations = Table(
    "regulations",
    metadata,
    C("id", String(40), primary_key=True),
    C("kind", String(20), nullable=False),
    C("state", String(20), nullable=False, index=True),
    C("users", Integer, nullable=False),
    C("user_ids_sealed", Text, nullable=False),  # empty when it is over
    C("created_at", UtcDateTime, nullable=False),
    C("finished_at", UtcDateTime),
)

regulation_targets = Table(
    "regulation_targets",
    metadata,
    C("regulation_id", ForeignKey("regulations.id"), primary_key=True),
    C("kind", String(20), primary_key=True),  # messages | warehouse | destination
    C("target_id", String(40), primary_key=True),  # empty for messages
    C("name", String(200), nullable=False),
    C("state", String(20), nullable=False),
    C("word", Text, nullable=False),  # what became of it, for people
    C("users_done", Integer, nullable=False),  # so many of the ids are carried out
    C("users_refused", Integer, nullable=False),  # and so many of these the target would not take
    C("attempts", Integer, nullable=False),  # that failed, in a row
    C("next_attempt_at", UtcDateTime),  # empty when it is over
)
