"""A service instrumented with OpenTelemetry's SDK, as its own documentation shows.

Run as `python otlp_service.py ENDPOINT APPLICATION_ID gzip|none BEGAN_NS`: the endpoint and the key
go where users put them, into the standard variables. Sends spans and log records of calls that
began then, and prints what the exporters complain of.
"""

import json
import logging
import os
import sys

endpoint, application_id, compression, began = sys.argv[1:]
os.environ.update(
    OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
    OTEL_EXPORTER_OTLP_HEADERS=f"X-Moesif-Application-Id={application_id}",
    OTEL_EXPORTER_OTLP_COMPRESSION=compression,
    OTEL_RESOURCE_ATTRIBUTES="service.name=labels,deployment.environment=prod",
)

# The SDK reads the variables when it is imported.
from opentelemetry import trace  # noqa: E402
from opentelemetry._logs import SeverityNumber  # noqa: E402
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: E402
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: E402
from opentelemetry.sdk._logs import LoggerProvider  # noqa: E402
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: E402

# Exporters report failures in their logs only: make them the program's failure.
failures: list[str] = []


class Failures(logging.Handler):
    """Collects what exporters complain of."""

    def emit(self, record: logging.LogRecord) -> None:
        failures.append(record.getMessage())


logging.getLogger("opentelemetry").addHandler(Failures(logging.WARNING))

BEGAN_NS = int(began)
tracers = TracerProvider()
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = tracers.get_tracer("parcel.instrumentation", "1.2")
loggers = LoggerProvider()
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
logger = loggers.get_logger("parcel.access")

server = tracer.start_span(
    "POST /v2/labels/{label_id}",
    kind=trace.SpanKind.SERVER,
    start_time=BEGAN_NS,
    attributes={
        "http.request.method": "POST",
        "url.scheme": "https",
        "server.address": "api.parcel.example",
        "server.port": 8443,
        "url.path": "/v2/labels/7",
        "url.query": "dry=1&api_key=planted-1",
        "http.route": "/v2/labels/{label_id}",
        "http.response.status_code": 422,
        "client.address": "203.0.113.7",
        "user_agent.original": "parcel-python/2.1.0",
        "http.request.header.content-type": ["application/json"],
        "http.request.header.authorization": ["Bearer planted-2"],
        "http.response.header.x-page": ["1", "2"],
        "http.request.body.size": 17,
        "enduser.id": "u-81",
        "company_id": "c-9",
        "order.total": 12.5,
        "order.note": {"password": "planted-3", "tags": ["a", "b"]},
    },
)
server.set_status(trace.StatusCode.ERROR, "no such zip")
inside = trace.set_span_in_context(server)
client = tracer.start_span(
    "GET",
    inside,
    kind=trace.SpanKind.CLIENT,
    start_time=BEGAN_NS + 1_000_000,
    attributes={
        "http.method": "GET",
        "http.url": "https://zip.example/codes?q=1",
        "http.status_code": 200,
        "net.peer.name": "zip.example",
        "net.peer.port": 443,
    },
)
client.end(BEGAN_NS + 11_500_000)
for kind in (trace.SpanKind.INTERNAL, trace.SpanKind.CLIENT):
    tracer.start_span("SELECT", inside, kind=kind, attributes={"db.system": "sqlite"}).end()
tracer.start_span(
    "no path", kind=trace.SpanKind.SERVER, attributes={"http.request.method": "GET"}
).end()
logger.emit(
    context=inside,
    timestamp=BEGAN_NS,
    body="the access log of the same call",
    attributes={"http.method": "POST", "http.target": "/v2/labels/7", "http.status_code": 422},
)
logger.emit(
    timestamp=BEGAN_NS + 5_000_000,
    severity_number=SeverityNumber.INFO,
    severity_text="INFO",
    body="GET /health token=planted-4",
    attributes={
        "http.request.method": "GET",
        "url.path": "/health",
        "http.response.status_code": 204,
        "client.address": "203.0.113.8",
    },
)
logger.emit(body="starting")
server.end(BEGAN_NS + 42_000_000)

tracers.shutdown()
loggers.shutdown()
json.dump(failures, sys.stdout)
