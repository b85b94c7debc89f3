"""Fixtures of this room."""

from tests.support.configuration import configdb, vault

__all__ = ["configdb", "vault"]
