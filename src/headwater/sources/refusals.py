"""Keep a few samples of what was refused, so that whoever sends it can be helped.

In: what was refused and why. Out: the newest few of each reason. Bounded, whatever clients send.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from headwater.configdb.tables import source_refusals as refusals

MOST_OF_A_REASON = 10
LONGEST_SAMPLE_CHARACTERS = 2_000


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """One message, or a request of which nothing could be read."""

    source_id: str
    code: str
    reason: str
    """In words, with the field's name."""
    sample: str
    """Its beginning, as it came."""
    at: datetime


def keep_refused(connection: sa.Connection, some: Iterable[Refused]) -> None:
    """Add samples; the oldest of a reason make way."""
    rows = [msgspec.structs.asdict(one) for one in some]
    if not rows:
        return
    connection.execute(refusals.insert(), rows)
    for source_id, code in {(row["source_id"], row["code"]) for row in rows}:
        whose = (refusals.c.source_id == source_id, refusals.c.code == code)
        newest = (
            sa.select(refusals.c.id)
            .where(*whose)
            .order_by(refusals.c.id.desc())
            .limit(MOST_OF_A_REASON)
        )
        connection.execute(refusals.delete().where(*whose, refusals.c.id.not_in(newest)))


def list_refused(connection: sa.Connection, source_id: str) -> list[Refused]:
    """Return what is kept of one source, newest first; of none, if the id is empty."""
    columns = [refusals.c[name] for name in Refused.__struct_fields__]
    question = sa.select(*columns).where(refusals.c.source_id == source_id)
    rows = connection.execute(question.order_by(refusals.c.id.desc()))
    return [Refused(**row) for row in rows.mappings()]


def forget_refused(connection: sa.Connection) -> int:
    """Drop all samples, since any may name somebody; return how many there were."""
    return connection.execute(refusals.delete()).rowcount
