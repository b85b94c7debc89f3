"""Write logs and count things.

In: facts. Out: JSON lines on stderr (readable ones on a terminal) and Prometheus metrics. Never in
a log: bodies, headers, e-mail addresses, keys.
"""

import logging
import sys
from typing import Any, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary

REGISTRY = CollectorRegistry()

CALLS_RECEIVED = Counter(
    "headwater_collector_records",
    "Records accepted by the Collector API",
    ["kind"],
    registry=REGISTRY,
)
CALLS_STORED = Counter(
    "headwater_ingest_calls_stored", "Calls written to the store", registry=REGISTRY
)
CALLS_DROPPED = Counter(
    "headwater_ingest_calls_dropped", "Calls not stored, by reason", ["reason"], registry=REGISTRY
)
INGEST_LAG = Gauge(
    "headwater_ingest_lag_entries", "Log entries waiting to be stored", registry=REGISTRY
)
INGEST_STEP_SECONDS = Summary(
    "headwater_ingest_step_seconds", "Time a batch spent in each step", ["step"], registry=REGISTRY
)
RECORDS_QUARANTINED = Counter(
    "headwater_ingest_quarantined", "Records that nothing could be done with", registry=REGISTRY
)
LINKS_LEARNED = Counter(
    "headwater_identity_links", "Links of users learned, one a day and link", registry=REGISTRY
)
KEYS_TO_RELINK = Gauge(
    "headwater_identity_keys_waiting",
    "Session keys, browsers and users whose stored calls are looked at for late links",
    registry=REGISTRY,
)
ROWS_RELINKED = Counter(
    "headwater_identity_rows_relinked",
    "Stored calls and actions that a late link gave to their user or company",
    registry=REGISTRY,
)
LOG_GAPS = Counter(
    "headwater_ingest_log_gaps", "Times that entries of the log were missing", registry=REGISTRY
)
MESSAGES_RECEIVED = Counter(
    "headwater_tracking_messages", "Messages by outcome", ["outcome"], registry=REGISTRY
)
DELIVERIES = Counter(
    "headwater_federation_deliveries",
    "Delivery attempts",
    ["destination", "outcome"],
    registry=REGISTRY,
)
WAREHOUSE_ROWS = Counter(
    "headwater_warehouse_rows", "Rows loaded", ["warehouse", "table"], registry=REGISTRY
)
IDENTIFIES_SENT = Counter(
    "headwater_extension_identifies", "Identify messages by outcome", ["outcome"], registry=REGISTRY
)
CONNECTIONS_CUT = Counter(
    "headwater_connections_cut",
    "HTTP connections ended by us, by reason",
    ["why"],
    registry=REGISTRY,
)
ACK_SECONDS = Histogram(
    "headwater_log_append_seconds", "Time to a durable acknowledgement", registry=REGISTRY
)


def set_up_logging(level: str = "info") -> None:
    """Send structured logs to stderr: readable on a terminal, JSON otherwise."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(room: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger that names its room in each line."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(room=room))
