"""Answer exporters as OTLP over HTTP demands: in the form in which they sent.

In: what was accepted, or an error. Out: 200 with an export response, empty unless something was
refused; or the error's status with a `google.rpc.Status`. Decides nothing.
"""

from collections.abc import Mapping
from http import HTTPStatus

from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from headwater.base.asgi import RETRY_AFTER_S, Header, Send, answer
from headwater.base.errors import HeadwaterError, Transient
from headwater.collector.accept import Accepted
from headwater.collector.json_text import write_json
from headwater.collector.otlp.records import Signal
from headwater.collector.reply import Reply

_JSON, _PROTOBUF = b"application/json", b"application/x-protobuf"
_CODES: Mapping[HTTPStatus, int] = {
    HTTPStatus.BAD_REQUEST: code_pb2.INVALID_ARGUMENT,
    HTTPStatus.UNAUTHORIZED: code_pb2.UNAUTHENTICATED,
    HTTPStatus.METHOD_NOT_ALLOWED: code_pb2.UNIMPLEMENTED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: code_pb2.INVALID_ARGUMENT,
    HTTPStatus.SERVICE_UNAVAILABLE: code_pb2.UNAVAILABLE,
}


class OtlpReply(Reply):
    """The answer to one export request."""

    def __init__(self, send: Send, signal: Signal, content_type: str) -> None:
        super().__init__(send)
        self._signal = signal
        self._is_protobuf = "protobuf" in content_type.lower()

    async def kept(self, accepted: Accepted) -> None:
        """Say what was refused: exporters report it, and send none of it again."""
        if self._is_protobuf:
            body = _to_protobuf(self._signal, accepted)
        else:
            body = write_json(_to_json(self._signal, accepted))
        await self._say(HTTPStatus.OK, body, self._head())

    async def error(self, error: HeadwaterError) -> None:
        """Send an error as a `google.rpc.Status`; temporary ones carry `Retry-After`."""
        message = " ".join(filter(None, (error.message, error.hint)))
        code = _CODES.get(error.status, code_pb2.UNKNOWN)
        if self._is_protobuf:
            body = Status(code=code, message=message).SerializeToString()
        else:
            body = write_json({"code": code, "message": message})
        head = self._error_head(error)
        if isinstance(error, Transient):
            head.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        await self._say(error.status, body, head)

    async def _say(self, status: HTTPStatus, body: bytes, head: list[Header]) -> None:
        media = _PROTOBUF if self._is_protobuf else _JSON
        if not body:
            # An empty message has no bytes, and yet a form.
            head.append((b"content-type", media))
        await answer(self._send, status, body, head, media=media)


def _to_protobuf(signal: Signal, accepted: Accepted) -> bytes:
    if signal is Signal.SPAN:
        spans = ExportTraceServiceResponse()
        if accepted.rejected:
            spans.partial_success.rejected_spans = accepted.rejected
            spans.partial_success.error_message = accepted.reason
        return spans.SerializeToString()
    logs = ExportLogsServiceResponse()
    if accepted.rejected:
        logs.partial_success.rejected_log_records = accepted.rejected
        logs.partial_success.error_message = accepted.reason
    return logs.SerializeToString()


def _to_json(signal: Signal, accepted: Accepted) -> dict[str, object]:
    if not accepted.rejected:
        return {}
    counted = "rejectedSpans" if signal is Signal.SPAN else "rejectedLogRecords"
    # The protocol writes 64-bit numbers as text.
    return {"partialSuccess": {counted: str(accepted.rejected), "errorMessage": accepted.reason}}
