"""Say what an app decides about its own collection: what is masked, and what is sampled.

In: JSON objects as kept with the app. Out: typed policies with safe defaults. Decides nothing
itself: the collector applies them.
"""

import msgspec


class MaskingPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is masked beyond what always is."""


class SamplingPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which share of the calls clients are asked to report."""
