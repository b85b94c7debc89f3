"""The Tracking API: what Segment's client libraries speak, answered honestly.

In: identify, track, page, screen, group and alias calls, alone or in batches. Out: normalised
messages in the durable log, each once; 200 only after they are safe there.
"""

from headwater.tracking.description import describe_tracking
from headwater.tracking.http import TrackingApp

__all__ = ["TrackingApp", "describe_tracking"]
