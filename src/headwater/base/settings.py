"""Read the settings once, typed, and refuse what is misspelt.

In: defaults < `headwater.toml` < `HEADWATER_<ROOM>__<FIELD>` variables < flags. Out: one frozen
tree; each room receives its own branch. This is the only module that reads the environment.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from headwater.base.errors import MisconfiguredError

PREFIX = "HEADWATER_"
_NOT_SETTINGS = {"HEADWATER_DATA", "HEADWATER_CRASH_AT"}


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room's settings: unknown names are errors."""


class Server(Section, frozen=True):
    """Where the HTTP door listens."""

    host: str = "127.0.0.1"
    """Address to listen on; loopback until you put TLS in front."""
    port: int = 8000
    """Port to listen on."""
    public_url: str = ""
    """How clients reach this server, when it differs from host and port (behind a proxy)."""
    trusted_proxies: str = ""
    """Comma-separated networks, such as `10.0.0.0/8`, whose `X-Forwarded-For` is believed. Empty:
    nobody's, and the client is whoever connects."""
    head_timeout_s: float = 10.0
    """A connection whose request line and headers take longer is cut."""
    body_timeout_s: float = 60.0
    """A connection is cut when a body takes longer to arrive (the doors refuse it before, see
    `collector.body_timeout_s`), or when a client takes nothing of its answer for so long."""
    max_head_bytes: int = 65_536
    """Most bytes of request line and headers; more are answered 431."""
    max_connections: int = 10_000
    """Connections at the same time; further ones are cut at once. Never more than half of the files
    that the operating system lets the process open."""


class EventLogSettings(Section, frozen=True):
    """The durable log."""

    url: str = ""
    """Empty: our own `nats-server` child. Else `nats://host:4222` of a cluster."""
    replicas: int = 1
    """Copies of each entry in a NATS cluster; 3 there."""
    max_disk_bytes: int = 20_000_000_000
    """At this size the log refuses new entries (503) rather than forgetting old ones. Calls and
    messages have one half each, so that neither can starve the other."""
    keep_consumed_s: int = 7 * 24 * 3_600
    """How long entries stay after every reader has passed them; less when the log is half full."""
    keep_unread_s: int = 14 * 24 * 3_600
    """How long entries wait for a warehouse that does not load them; less when four fifths of the
    log are full. What goes unread is told in the warehouse's history."""


class EventStoreSettings(Section, frozen=True):
    """The analytic store."""

    url: str = ""
    """Empty: chDB below the data directory. Else `http(s)://user:pass@host:8123/db`."""
    max_memory_bytes: int = 2_000_000_000
    """Most memory of the embedded engine."""
    query_timeout_s: int = 30
    """A query that takes longer is given up."""
    dedup_days: int = 30
    """How long a call with a known `transaction_id` is recognised as a repeat, at least."""


class ConfigDbSettings(Section, frozen=True):
    """The configuration database."""

    url: str = ""
    """Empty: SQLite below the data directory. Else `postgresql+psycopg://…`."""


class CollectorSettings(Section, frozen=True):
    """The Collector API."""

    max_body_bytes: int = 50_000_000
    """Most bytes of one request, decompressed."""
    max_event_bytes: int = 1_000_000
    """Above this the bodies of an event are cut, and the event is marked."""
    body_timeout_s: float = 30.0
    """A body that takes longer to arrive is refused."""
    commit_wait_ms: float = 2.0
    """How long a request waits for company before its calls go to the log."""


class IngestSettings(Section, frozen=True):
    """From the log to the store."""

    batch_events: int = 20_000
    """Most calls in one insert."""
    batch_bytes: int = 64_000_000
    """Most bytes of log entries in one insert."""
    batch_wait_s: float = 0.5
    """How long an insert of few calls waits for more."""
    batch_busy_wait_s: float = 1.5
    """How long an insert waits to become full while many calls keep coming."""
    late_after_s: int = 300
    """Calls reported later than this are flagged `late`."""
    max_routes: int = 10_000
    """Distinct routes of one app; further ones are stored as `/other`."""
    country_database: str = ""
    """Path of an MMDB file with the countries of addresses; empty: no country is known."""
    skip_log_gaps: bool = False
    """After entries of the log were lost: go on behind the gap (true), or stop and raise the alarm
    until an operator has looked (false)."""


class IdentitySettings(Section, frozen=True):
    """Finding of users and companies for calls that do not name them."""

    max_keys: int = 100_000
    """Session keys, browsers and users whose links are held in memory; others are looked up."""
    relink_every_s: float = 10.0
    """Pause between looks for links that came late; longer after a look that took long."""


class TrackingSettings(Section, frozen=True):
    """The Tracking API."""

    mode: str = "strict"
    """`strict` answers with honest status codes; `segment` answers 200 like the original."""
    max_event_bytes: int = 32_768
    """Most bytes of one message, decompressed."""
    max_batch_bytes: int = 512_000
    """Most bytes of one request, decompressed."""
    max_batch_items: int = 2_500
    """Most messages in one request."""
    max_in_flight: int = 1_000
    """Requests at the same time; more are answered 429."""
    body_timeout_s: float = 30.0
    """A body that takes longer to arrive is refused."""
    dedup_days: int = 7
    """How long a repeated `messageId` of the same source is recognised."""


class FederationSettings(Section, frozen=True):
    """Delivery to destinations."""

    timeout_s: float = 10.0
    """For one request to a destination, its answer included."""
    concurrency: int = 64
    """Most requests at the same time to one destination, while it answers quickly."""
    retry_first_s: float = 1.0
    """Longest wait before the first retry; it doubles."""
    retry_cap_s: float = 900.0
    """Longest wait between retries."""
    retry_fast_for_s: int = 4 * 3600
    """So long after its first attempt a message is tried again as above, then slowly."""
    retry_slow_s: float = 3600.0
    """Longest wait between slow retries."""
    give_up_after_s: int = 72 * 3600
    """Then a message is a dead letter: kept, and replayable."""
    keep_dead_s: int = 14 * 86_400
    """How long dead letters are kept."""
    pause_after_failures: int = 5
    """After so many failures in a row a destination rests."""
    pause_cap_s: float = 60.0
    """Longest rest of a destination that keeps failing."""
    park_after_s: int = 4 * 3600
    """Messages for a resting destination wait in the log for so long, then in the configuration
    database, so that the log can forget them."""
    poll_s: float = 0.5
    """How often destinations look for changes."""


class WarehouseSettings(Section, frozen=True):
    """Loading of warehouses."""

    sync_every_s: float = 300.0
    """Pause between the syncs of a warehouse."""
    batch_messages: int = 50_000
    """Most messages in one load."""
    poll_s: float = 1.0
    """How often to look for a warehouse that is due; a new one is due at once."""


class ExtensionSettings(Section, frozen=True):
    """Sending of profiles to other systems."""

    sync_every_s: float = 300.0
    """Pause between runs."""
    timeout_s: float = 30.0
    """How long an endpoint may take to answer one batch."""
    retry_first_s: float = 1.0
    """Longest wait before the first retry; it doubles."""
    retry_cap_s: float = 300.0
    """Longest wait between retries."""
    most_in_flight: int = 8
    """Batches of one connection on the wire at once, while its endpoint answers quickly."""


class PrivacySettings(Section, frozen=True):
    """Carrying out of regulations."""

    retry_first_s: float = 5.0
    """Longest wait before a target that failed is tried again; it doubles."""
    retry_cap_s: float = 3600.0
    """Longest wait between tries."""
    give_up_after_s: int = 72 * 3600
    """Then a target counts as failed, and the users' ids are no longer kept."""
    poll_s: float = 1.0
    """How often to look for what is due."""


class WebSettings(Section, frozen=True):
    """Pages, management API and health."""

    min_free_disk_bytes: int = 200_000_000
    """With less free space below the data directory `/health` answers 503."""


class EgressSettings(Section, frozen=True):
    """Which private networks our own requests may reach."""

    allow: str = ""
    """Comma-separated networks, such as `127.0.0.0/8`."""


class Settings(Section, frozen=True):
    """The whole tree."""

    data: Path
    server: Server = Server()
    eventlog: EventLogSettings = EventLogSettings()
    eventstore: EventStoreSettings = EventStoreSettings()
    configdb: ConfigDbSettings = ConfigDbSettings()
    collector: CollectorSettings = CollectorSettings()
    ingest: IngestSettings = IngestSettings()
    identity: IdentitySettings = IdentitySettings()
    tracking: TrackingSettings = TrackingSettings()
    federation: FederationSettings = FederationSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    extensions: ExtensionSettings = ExtensionSettings()
    privacy: PrivacySettings = PrivacySettings()
    egress: EgressSettings = EgressSettings()
    web: WebSettings = WebSettings()


def load_settings(
    data: Path | None = None,
    flags: Mapping[str, Mapping[str, object]] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    default_data: str = "headwater-data",
) -> Settings:
    """Build the tree; raise `MisconfiguredError` naming the first wrong setting.

    `flags` is the last word, by room: `{"server": {"port": 8001}}`.
    """
    env = os.environ if environ is None else environ  # noqa: TID251 - the one place that reads it
    where = Path(data or env.get("HEADWATER_DATA") or default_data).resolve()
    raw: dict[str, Any] = _from_file(where / "headwater.toml")
    for room, fields in [*_from_environ(env).items(), *(flags or {}).items()]:
        raw.setdefault(room, {}).update(fields)
    raw["data"] = where
    try:
        return msgspec.convert(raw, Settings, strict=False)
    except msgspec.ValidationError as err:
        raise MisconfiguredError(
            f"A setting is wrong: {err}",
            hint="See docs/reference/settings.md; variables are HEADWATER_<ROOM>__<FIELD>.",
        ) from err


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise MisconfiguredError(f"{path} is not TOML: {err}") from err


def _from_environ(env: Mapping[str, str]) -> dict[str, dict[str, object]]:
    rooms: dict[str, dict[str, object]] = {}
    for name, value in env.items():
        if not name.startswith(PREFIX) or name in _NOT_SETTINGS:
            continue
        room, double, field = name.removeprefix(PREFIX).lower().partition("__")
        if not double:
            raise MisconfiguredError(
                f"The variable {name} is no setting.",
                hint="Settings are named HEADWATER_<ROOM>__<FIELD>, with two underscores.",
            )
        rooms.setdefault(room, {})[field] = value
    return rooms
