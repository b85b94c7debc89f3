"""Tables of the workspace, and where readers of the log have come to.

Secrets are cipher text or fingerprints (`base.vault`), never plain.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    String,
    Table,
    Text,
)
from sqlalchemy import Column as C  # noqa: N817 - it stands on every line below

from headwater.configdb.tables.base import UtcDateTime, metadata

apps = Table(
    "apps",
    metadata,
    C("id", String(40), primary_key=True),
    C("name", String(200), nullable=False, unique=True),
    C("timezone", String(64), nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("masking", JSON),
    C("sampling", JSON),
    C("profiles", JSON),
)

collector_keys = Table(
    "collector_keys",
    metadata,
    C("id", String(40), primary_key=True),
    C("app_id", ForeignKey("apps.id"), nullable=False, index=True),
    C("fingerprint", String(64), nullable=False, unique=True),
    C("sealed", Text, nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("revoked_at", UtcDateTime),
)

logins = Table(
    "logins",
    metadata,
    C("id", String(40), primary_key=True),
    C("email", String(320), nullable=False, unique=True),
    C("password_hash", Text, nullable=False),
    C("role", String(20), nullable=False),
    C("created_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    C("fingerprint", String(64), primary_key=True),
    C("login_id", ForeignKey("logins.id"), nullable=False),
    C("csrf_token", String(64), nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("expires_at", UtcDateTime, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    C("id", String(40), primary_key=True),
    C("name", String(200), nullable=False),
    C("fingerprint", String(64), nullable=False, unique=True),
    C("scopes", String(100), nullable=False),
    C("created_at", UtcDateTime, nullable=False),
    C("revoked_at", UtcDateTime),
)

setup_links = Table(
    "setup_links",
    metadata,
    C("fingerprint", String(64), primary_key=True),
    C("created_at", UtcDateTime, nullable=False),
    C("used_at", UtcDateTime),
)

suppressed_users = Table(
    "suppressed_users",
    metadata,
    C("app_id", ForeignKey("apps.id"), primary_key=True),
    C("fingerprint", String(64), primary_key=True),  # of the user id, which need not be kept
    C("reason", String(20), nullable=False),  # asked | erased
    C("created_at", UtcDateTime, nullable=False),
)

positions = Table(
    "positions",
    metadata,
    C("reader", String(100), primary_key=True),
    C("stream", String(40), nullable=False),
    C("next_offset", BigInteger, nullable=False),
    C("pending_first", BigInteger),
    C("pending_last", BigInteger),
    C("updated_at", UtcDateTime, nullable=False),
)
