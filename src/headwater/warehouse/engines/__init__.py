"""Engines: how rows get into each type of warehouse, one shape for all.

In: checked settings and the name of a schema. Out: an open engine for the time of one load.
"""

from headwater.warehouse.engines.port import Engine, Limits, TableError, limits_of, open_engine

__all__ = ["Engine", "Limits", "TableError", "limits_of", "open_engine"]
