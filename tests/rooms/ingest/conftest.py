"""Ingest's own tests: the real store and configuration database, the log in memory."""

from tests.support.configuration import configdb
from tests.support.store import store

__all__ = ["configdb", "store"]
