"""Headwater: self-hosted API analytics that is also an event cloud source.

The map of the rooms is in README.md; the ways through them are in docs/concepts/map.md.
"""

__version__ = "0.1.0"
