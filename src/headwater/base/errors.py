"""Name every error of the system once, with its fate.

In: a message that says what to do next, and facts. Out: exceptions that doors turn into answers
and workers turn into retries or dead letters. A drop is not an error: see `ingest.drops`.
"""

from http import HTTPStatus
from typing import ClassVar


class HeadwaterError(Exception):
    """The root. `code` is stable, `message` is for people, `field` and `hint` help to mend."""

    code: ClassVar[str] = "error"
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, *, field: str = "", hint: str = "", **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint
        self.facts = facts

    def as_body(self) -> dict[str, str]:
        """Return the JSON body of the answer: code, message, field, hint."""
        return {
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "hint": self.hint,
        }


class Transient:
    """Fate: try again with backoff."""


class Terminal:
    """Fate: never try again; keep it as a dead letter with its reason."""


class InvalidInputError(HeadwaterError, Terminal):
    """What was sent cannot be understood."""

    code = "invalid_input"
    status = HTTPStatus.BAD_REQUEST


class NotAuthenticatedError(HeadwaterError, Terminal):
    """Nobody we know."""

    code = "not_authenticated"
    status = HTTPStatus.UNAUTHORIZED


class NotAllowedError(HeadwaterError, Terminal):
    """Known, but not for this."""

    code = "not_allowed"
    status = HTTPStatus.FORBIDDEN


class NotFoundError(HeadwaterError, Terminal):
    """There is no such thing, or not for the one who asks."""

    code = "not_found"
    status = HTTPStatus.NOT_FOUND


class WrongMethodError(HeadwaterError, Terminal):
    """The path is right, the verb is not."""

    code = "method_not_allowed"
    status = HTTPStatus.METHOD_NOT_ALLOWED


class ConflictError(HeadwaterError, Terminal):
    """It is there already, or it changed meanwhile."""

    code = "conflict"
    status = HTTPStatus.CONFLICT


class TooLargeError(HeadwaterError, Terminal):
    """More bytes than the limit allows."""

    code = "too_large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooManyError(HeadwaterError, Transient):
    """Too many requests; come back later."""

    code = "too_many"
    status = HTTPStatus.TOO_MANY_REQUESTS


class UnavailableError(HeadwaterError, Transient):
    """An engine or a peer is away for the moment."""

    code = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class SlowBodyError(HeadwaterError, Transient):
    """The network was slow, not the sender wrong. 503: many clients give up at 408, none here."""

    code = "slow_body"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class MisconfiguredError(HeadwaterError, Terminal):
    """The operator has to change a setting."""

    code = "misconfigured"


class CorruptError(HeadwaterError, Terminal):
    """Stored data is not what we wrote: stop and say so."""

    code = "corrupt"
