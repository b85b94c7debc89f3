"""Ask the application's own functions, and survive whatever they do.

In: the options, the request, a call. Out: the call with what the hooks said of it; whether to
report it at all.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from headwater.middleware.call import Call
from headwater.middleware.event import read_headers
from headwater.middleware.options import Hook, Options, Response
from headwater.middleware.trouble import Trouble


class Hooks:
    """The hooks of one middleware."""

    def __init__(self, options: Options, trouble: Trouble) -> None:
        self._options = options
        self._trouble = trouble

    def ask(self, request: Any, call: Call) -> bool:
        """Let plain functions say whose call it was; return whether to report it."""
        response = _response(call)
        skip, *others = self._options.hooks
        if self._answer(skip, request, response):
            return False
        _note(call, [self._answer(hook, request, response) for hook in others])
        return True

    async def ask_async(self, request: Any, call: Call) -> bool:
        """Do the same with functions that may be coroutine functions."""
        response = _response(call)
        skip, *others = self._options.hooks
        if await self._await(skip, request, response):
            return False
        _note(call, [await self._await(hook, request, response) for hook in others])
        return True

    def _answer(self, hook: Hook | None, request: Any, response: Response) -> Any:
        if hook is None:
            return None
        try:
            return hook(request, response)
        except Exception as error:  # noqa: BLE001 - a hook of the application may raise anything
            self._trouble.hook_failed(_name(hook), error)
            return None

    async def _await(self, hook: Hook | None, request: Any, response: Response) -> Any:
        answer = self._answer(hook, request, response)
        if not inspect.isawaitable(answer):
            return answer
        try:
            return await answer
        except Exception as error:  # noqa: BLE001 - a hook of the application may raise anything
            self._trouble.hook_failed(_name(hook), error)
            return None


def _response(call: Call) -> Response:
    return Response(call.status, read_headers(call.response_headers))


def _note(call: Call, answers: list[Any]) -> None:
    user_id, company_id, session_token, metadata = answers
    call.user_id, call.company_id = _to_id(user_id), _to_id(company_id)
    call.session_token = _to_id(session_token)
    call.metadata = dict(metadata) if isinstance(metadata, Mapping) else None


def _to_id(answer: Any) -> str | None:
    """Return an id as text; numbers are ids too."""
    return None if answer is None or answer == "" else str(answer)


def _name(hook: Hook | None) -> str:
    return getattr(hook, "__qualname__", type(hook).__name__)
