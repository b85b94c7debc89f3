"""The event store's own tests, on the real engine."""

from tests.support.store import store

__all__ = ["store"]
