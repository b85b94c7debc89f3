"""OpenTelemetry comes in here: spans and log records about HTTP calls become calls.

In: export requests of OTLP over HTTP, binary or JSON. Out: records for the log, as the Collector
API makes them of events, and answers as the protocol demands. Never keeps traces as traces.
"""

from headwater.collector.otlp.accept import accept_export
from headwater.collector.otlp.records import OTLP_PATHS, Signal
from headwater.collector.otlp.reply import OtlpReply

__all__ = ["OTLP_PATHS", "OtlpReply", "Signal", "accept_export"]
