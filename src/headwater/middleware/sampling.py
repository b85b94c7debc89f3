"""Keep the share of calls that the collector asks for.

In: the document of `/v1/config`. Out: the rate of a call in percent, and the weight that makes up
for those left out. Rates of one user win over rates of a company, these over the app's.
"""

import random

import msgspec
from msgspec import Struct

_ALL_PERCENT = 100


class Sampling(Struct, forbid_unknown_fields=False):
    """The sampling part of the collector's configuration."""

    sample_rate: float = _ALL_PERCENT
    user_sample_rate: dict[str, float] = {}
    company_sample_rate: dict[str, float] = {}

    def draw(self, user_id: str | None, company_id: str | None) -> int:
        """Return the weight of a call that is kept, 0 for one that is not."""
        rate = self._rate_of(user_id, company_id)
        if rate >= _ALL_PERCENT:
            return 1
        if random.random() * _ALL_PERCENT >= rate:  # noqa: S311 - a draw, not a secret
            return 0
        return max(1, int(_ALL_PERCENT // rate))

    def _rate_of(self, user_id: str | None, company_id: str | None) -> float:
        rate = self.user_sample_rate.get(user_id) if user_id else None
        if rate is None and company_id:
            rate = self.company_sample_rate.get(company_id)
        return self.sample_rate if rate is None else rate


def read_sampling(document: bytes) -> Sampling:
    """Return the rates; raises `msgspec.MsgspecError` when the document holds none we know."""
    return msgspec.json.decode(document, type=Sampling)
