"""Tell how a connection is doing, in one sentence.

In: a status. Out: a word with a tone, and the sentence. Pure. What stops it comes first, then what
delays it, then what was lost, then that all is well.
"""

from typing import Literal

import msgspec

from headwater.extensions import Backfill, Run, Status
from headwater.web.figures import show_count, show_moment, show_span
from headwater.workspace import App

_NAMES = {"due": "Due", "sent": "On the way", "delivered": "Delivered", "dead": "Dead"}


class Health(msgspec.Struct, frozen=True):
    """How it is."""

    word: str
    tone: Literal["good", "bad", "warn", ""]
    sentence: str


class Count(msgspec.Struct, frozen=True):
    """How many messages are in one state."""

    title: str
    figure: str
    bad: bool


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history."""

    moment: str
    state: str
    tone: str
    took: str
    users: str
    sent: str
    delivered: str
    failed: str
    error: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a backfill is."""

    sentence: str
    done: int
    of: int


def tell_health(status: Status | None, app: App) -> Health:
    """Return the state of a connection."""
    if status is None:
        return Health("Not connected", "", "Not connected for this app.")
    waiting = status.messages["due"] + status.messages["sent"]
    if not status.enabled:
        rest = f"; {_messages(waiting)} wait" if waiting else ""
        return Health("Paused", "warn", f"Paused: nothing is sent{rest}.")
    if status.last_error:
        at = show_moment(status.retry_at, app.timezone) if status.retry_at else "the next run"
        sentence = f"{_ended(status.last_error)} Trying again at {at}."
        return Health("Retrying", "bad", sentence)
    if not status.runs:
        return Health("Connected", "", f"Has not run yet. {_next(status, app)}")
    return _of_last_run(status, status.runs[0], app)


def _of_last_run(status: Status, last: Run, app: App) -> Health:
    at = show_moment(last.started_at, app.timezone)
    if last.state == "running":
        done = f"{show_count(last.users_considered)} users looked at, {_messages(last.sent)} sent"
        return Health("Running", "good", f"A run has been on its way since {at}: {done} so far.")
    if last.error:
        return Health("Failing", "bad", f"The run of {at} ended early: {_ended(last.error)}")
    if dead := status.messages["dead"]:
        refused = "was" if dead == 1 else "were"
        sentence = f"Running; {_messages(dead)} {refused} refused for good. {_next(status, app)}"
        return Health("Look at it", "warn", sentence)
    return Health("Healthy", "good", f"Healthy: the last run was on {at}. {_next(status, app)}")


def tell_counts(status: Status) -> list[Count]:
    """Return how many messages are in each state."""
    return [
        Count(
            title, show_count(status.messages[name]), name == "dead" and status.messages[name] > 0
        )
        for name, title in _NAMES.items()
    ]


def tell_run(run: Run, app: App) -> RunLine:
    """Return one line of the history."""
    took = (run.finished_at - run.started_at).total_seconds() if run.finished_at else None
    tones = {"success": "good", "failure": "bad", "running": "accent"}
    return RunLine(
        moment=show_moment(run.started_at, app.timezone),
        state={"success": "done", "failure": "failed"}.get(run.state, run.state),
        tone=tones[run.state],
        took="" if took is None else f"{took:.1f} s" if took < 10 else show_span(took),  # noqa: PLR2004 - short ones need the decimal
        users=show_count(run.users_considered),
        sent=show_count(run.sent),
        delivered=show_count(run.delivered),
        failed=show_count(run.failed),
        error=run.error,
    )


def tell_progress(of: Backfill | None) -> Progress | None:
    """Return how far a backfill is; None without one."""
    if of is None:
        return None
    now = f"at {of.day}" if of.day else "at the present, which comes last"
    sentence = (
        f"Sending {of.first_day} to {of.last_day}: {now}, {of.days_done} of {of.days} days made, "
        f"{_messages(of.messages)} so far."
    )
    return Progress(sentence=sentence, done=of.days_done, of=of.days)


def _next(status: Status, app: App) -> str:
    if status.next_run_at is None:
        return ""
    return f"The next one is due on {show_moment(status.next_run_at, app.timezone)}."


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{show_count(number)} messages"
