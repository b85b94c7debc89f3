"""Turn every error into an answer: JSON for programs, a page for people.

In: an exception of a handler. Out: the status of its kind with code, message, field and hint. An
error that nobody foresaw is logged and answered without its details.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from litestar import MediaType, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from headwater.base.errors import (
    HeadwaterError,
    InvalidInputError,
    NotAuthenticatedError,
    Transient,
)
from headwater.base.telemetry import get_logger
from headwater.web.pages import AnyRequest, page, see_other, wants_page

RETRY_AFTER_S = 5
_log = get_logger("web")
_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_CODES = {400: "invalid_input", 404: "not_found", 405: "not_allowed", 413: "too_large"}


def answer_known(request: AnyRequest, error: HeadwaterError) -> Response[Any]:
    """Answer an error of ours."""
    if isinstance(error, NotAuthenticatedError) and request.method == "GET" and wants_page(request):
        return _to_login(request)
    headers = {"retry-after": str(RETRY_AFTER_S)} if isinstance(error, Transient) else {}
    return _answer(request, int(error.status), error.as_body(), headers)


def answer_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """Answer an error of the framework in our own form."""
    field = ""
    message = error.detail
    if isinstance(error, ValidationException) and isinstance(error.extra, list) and error.extra:
        first = error.extra[0]
        field, message = str(first.get("key", "")), str(first.get("message", message))
    code = _CODES.get(error.status_code, "error")
    body = {"code": code, "message": message, "field": field, "hint": ""}
    return _answer(request, error.status_code, body, dict(error.headers or {}))


def answer_unreadable(
    request: AnyRequest, error: RecursionError | UnicodeDecodeError
) -> Response[Any]:
    """Answer a body that nests too deep or is not UTF-8; the framework knows neither error.

    Without a body it is a bug of ours; with one it could be, so the log has it in any case.
    """
    if request.method in _WITHOUT_BODY:
        return answer_unknown(request, error)
    _log.warning("request_unreadable", path=request.url.path, exc_info=error)
    is_deep = isinstance(error, RecursionError)
    message = "This nests too deep." if is_deep else "This is not UTF-8."
    return answer_known(request, InvalidInputError(message, field="$"))


def answer_unknown(request: AnyRequest, error: Exception) -> Response[Any]:
    """Answer a bug: say nothing of it to the outside, everything to the log."""
    _log.error("request_failed", path=request.url.path, exc_info=error)
    body = {
        "code": "internal",
        "message": "Something went wrong on our side.",
        "field": "",
        "hint": "The server's log has the details.",
    }
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, body, {})


def _answer(
    request: AnyRequest, status: int, body: dict[str, str], headers: dict[str, str]
) -> Response[Any]:
    if wants_page(request):
        message, hint = body["message"], body["hint"]
        return page(
            request, "error.html", status=status, headers=headers, message=message, hint=hint
        )
    return Response(body, status_code=status, headers=headers, media_type=MediaType.JSON)


def _to_login(request: AnyRequest) -> Response[Any]:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = "/login" if path == "/" else f"/login?next={quote(path, safe='')}"
    if request.headers.get("hx-request"):
        return Response(
            None, status_code=HTTPStatus.UNAUTHORIZED, headers={"hx-redirect": "/login"}
        )
    return see_other(target)


HANDLERS: ExceptionHandlersMap = {
    HeadwaterError: answer_known,
    HTTPException: answer_http,
    RecursionError: answer_unreadable,
    UnicodeDecodeError: answer_unreadable,
    Exception: answer_unknown,
}
