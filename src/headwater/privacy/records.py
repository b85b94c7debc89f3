"""Keep regulations and how far each is carried out at each target.

In: a connection to the configuration database. Out: rows, and a regulation's state, which follows
from those of its targets. Ids of users are sealed, and cleared when the last target is over.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from headwater.base.errors import InvalidInputError, NotFoundError
from headwater.base.vault import Vault
from headwater.configdb.tables import regulation_targets, regulations

Kind = Literal["suppress", "unsuppress", "suppress_with_delete", "delete_only"]
State = Literal["initialized", "running", "finished", "partly_failed"]
TargetState = Literal["waiting", "done", "not_supported", "failed"]
_OPEN = ("initialized", "running")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a regulation is carried out."""

    kind: Literal["messages", "warehouse", "destination"]
    target_id: str = ""
    name: str
    state: TargetState = "waiting"
    word: str = ""
    """What became of it, or why it is not done yet."""
    users_done: int = 0
    users_refused: int = 0
    attempts: int = 0
    next_attempt_at: datetime | None = None


class Regulation(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked for, and where it stands."""

    id: str
    kind: Kind
    state: State
    users: int
    created_at: datetime
    finished_at: datetime | None = None
    targets: tuple[Target, ...] = ()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A target that is due."""

    regulation_id: str
    created_at: datetime
    user_ids_sealed: str
    target: Target

    def user_ids(self, vault: Vault) -> list[str]:
        """Return for whom."""
        text = vault.decrypt(self.user_ids_sealed, self.regulation_id)
        return msgspec.json.decode(text, type=list[str])


def insert_regulation(
    connection: sa.Connection, vault: Vault, regulation: Regulation, user_ids: Sequence[str]
) -> None:
    """Keep a new regulation, with its users as long as it needs them."""
    text = msgspec.json.encode(user_ids).decode()
    sealed = vault.encrypt(text, regulation.id) if regulation.targets else ""
    row = msgspec.structs.asdict(regulation)
    targets = row.pop("targets")
    connection.execute(regulations.insert().values(**row, user_ids_sealed=sealed))
    rows = [
        {"regulation_id": regulation.id, **msgspec.structs.asdict(target)} for target in targets
    ]
    if rows:
        connection.execute(regulation_targets.insert(), rows)


def list_regulations(connection: sa.Connection, limit: int, before: str = "") -> list[Regulation]:
    """Return regulations, the newest first; those after the regulation `before`."""
    question = sa.select(regulations)
    if before:
        earlier = _read(connection, question.where(regulations.c.id == before))
        if not earlier:
            raise InvalidInputError("The cursor is none of this list.", field="cursor")
        place = sa.tuple_(regulations.c.created_at, regulations.c.id)
        question = question.where(place < sa.tuple_(earlier[0].created_at, earlier[0].id))
    order = (regulations.c.created_at.desc(), regulations.c.id.desc())
    return _read(connection, question.order_by(*order).limit(limit))


def get_regulation(connection: sa.Connection, regulation_id: str) -> Regulation:
    """Return one regulation, or raise `NotFoundError`."""
    found = _read(connection, sa.select(regulations).where(regulations.c.id == regulation_id))
    if not found:
        raise NotFoundError(
            f"There is no regulation {regulation_id!r}.",
            field="regulation",
            hint="`headwater privacy list` shows them.",
        )
    return found[0]


def due_jobs(connection: sa.Connection, now: datetime) -> list[Job]:
    """Return for each target the oldest regulation that is due there."""
    rows = connection.execute(
        sa.select(regulation_targets, regulations.c.created_at, regulations.c.user_ids_sealed)
        .join(regulations, regulations.c.id == regulation_targets.c.regulation_id)
        .where(
            regulations.c.state.in_(_OPEN),
            regulation_targets.c.state == "waiting",
            regulation_targets.c.next_attempt_at <= now,
        )
        .order_by(regulations.c.created_at, regulations.c.id)
    ).mappings()
    jobs: dict[tuple[str, str], Job] = {}
    for row in rows:
        jobs.setdefault((row["kind"], row["target_id"]), _job(row))
    return list(jobs.values())


def note_begun(connection: sa.Connection, regulation_id: str) -> None:
    """Say that a regulation is being carried out."""
    mine = (regulations.c.id == regulation_id, regulations.c.state == "initialized")
    connection.execute(regulations.update().where(*mine).values(state="running"))


def note_target(
    connection: sa.Connection, regulation_id: str, target: Target, now: datetime
) -> None:
    """Write down how far a target is; the last one ends its regulation."""
    table = regulation_targets.c
    connection.execute(
        regulation_targets.update()
        .where(
            table.regulation_id == regulation_id,
            table.kind == target.kind,
            table.target_id == target.target_id,
        )
        .values(msgspec.structs.asdict(target))
    )
    mine = sa.select(table.state).where(table.regulation_id == regulation_id).distinct()
    states = set(connection.execute(mine).scalars())
    if "waiting" not in states:
        end = "finished" if states == {"done"} else "partly_failed"
        connection.execute(
            regulations.update()
            .where(regulations.c.id == regulation_id)
            .values(state=end, finished_at=now, user_ids_sealed="")
        )


def _read(connection: sa.Connection, question: sa.Select[Any]) -> list[Regulation]:
    rows = connection.execute(question).mappings().all()
    targets = _targets(connection, [row["id"] for row in rows])
    names = [name for name in Regulation.__struct_fields__ if name != "targets"]
    return [
        Regulation(**{name: row[name] for name in names}, targets=tuple(targets.get(row["id"], ())))
        for row in rows
    ]


def _targets(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[Target]]:
    table = regulation_targets.c
    rows = connection.execute(sa.select(regulation_targets).where(table.regulation_id.in_(ids)))
    found: dict[str, list[Target]] = {}
    for row in rows.mappings():
        found.setdefault(row["regulation_id"], []).append(_target(row))
    for targets in found.values():
        targets.sort(key=lambda one: (_ORDER[one.kind], one.name, one.target_id))
    return found


_ORDER = {"messages": 0, "warehouse": 1, "destination": 2}


def _target(row: sa.RowMapping) -> Target:
    return Target(**{name: row[name] for name in Target.__struct_fields__})


def _job(row: sa.RowMapping) -> Job:
    return Job(
        regulation_id=row["regulation_id"],
        created_at=row["created_at"],
        user_ids_sealed=row["user_ids_sealed"],
        target=_target(row),
    )
