"""Send numbered events without pause, as instrumented servers do, and keep the ledger.

In: where the server is at the moment. Out: posts to `/v1/events/batch`. One kind of producer sends
a batch again until it is acknowledged; the other goes on to the next, as most clients do.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import urllib3

from tests.faults.ledger import Ledger

PAUSE_S = 0.01
AFTER_FAILURE_S = 0.2
ANSWER_LOST = 0.1
"""So often a client that never saw its answer sends an acknowledged batch once more."""
_TIMEOUT_S = 20.0
_PIECES = (
    "plain text", "", "naïve café", "日本語", "😀🏳️‍🌈", "שלום עולם", '"quoted" \\ back',
    "tab\tnew\nline", "\u2028line separator", "null", "0", "<script>", "a" * 3_000,
    "'; DROP TABLE calls; --",
)  # fmt: skip


@dataclass
class Target:
    """Where to send; the address changes with every restart."""

    url: str
    key: str


class Producer(threading.Thread):
    """One sender with a gapless count of its own."""

    def __init__(self, name: str, target: Target, ledger: Ledger, *, resends: bool) -> None:
        super().__init__(name=name, daemon=True)
        self.stopping = threading.Event()
        self.answers: Counter[str] = Counter()
        """How often which status came; `lost` is no answer, `503?` one without `Retry-After`."""
        self.acknowledged_at_s = float("-inf")
        """When the last acknowledged request was sent."""
        self._target = target
        self._ledger = ledger
        self._resends = resends
        self._chance = random.Random(name)
        self._count = 0
        self._http = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_S)

    def run(self) -> None:
        while not self.stopping.is_set():
            batch = self._next_batch()
            self._ledger.intend(batch)
            while not (acknowledged := self._is_acknowledged(batch)) and self._resends:
                time.sleep(AFTER_FAILURE_S)
            if acknowledged and self._chance.random() < ANSWER_LOST:
                self._is_acknowledged(batch)
            time.sleep(PAUSE_S if acknowledged else AFTER_FAILURE_S)
        self._http.clear()

    def _next_batch(self) -> dict[str, str]:
        first, self._count = self._count, self._count + self._chance.randint(1, 25)
        return {
            f"{self.name}-{number}": f"{number} " + " ".join(self._chance.choices(_PIECES, k=3))
            for number in range(first, self._count)
        }

    def _is_acknowledged(self, batch: Mapping[str, str]) -> bool:
        body = json.dumps([self._event(id_, content) for id_, content in batch.items()]).encode()
        headers = {
            "content-type": "application/json",
            "x-moesif-application-id": self._target.key,
        }
        url = f"{self._target.url}/v1/events/batch"
        sent_at_s = time.monotonic()
        try:
            reply = self._http.request("POST", url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError:
            self.answers["lost"] += 1
            return False
        is_honest = reply.status != 503 or "retry-after" in reply.headers
        self.answers[f"{reply.status}{'' if is_honest else '?'}"] += 1
        if reply.status != 201:
            return False
        self._ledger.acknowledge(batch)
        self.acknowledged_at_s = sent_at_s
        return True

    def _event(self, id_: str, content: str) -> dict[str, object]:
        now = datetime.now(UTC).isoformat()
        return {
            "transaction_id": id_,
            "user_id": self.name,
            "request": {
                "time": now,
                "verb": "POST",
                "uri": f"https://api.example.com/items/{len(content)}",
                "headers": {"content-type": "application/json"},
                "body": {"content": content},
            },
            "response": {"time": now, "status": 200, "headers": {}},
        }
