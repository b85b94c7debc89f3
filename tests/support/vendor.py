"""Hold our requests to a vendor's public contract, and answer as it says the vendor answers.

In: `tests/contracts/<vendor>/<name>.json`, which names its source. Out: answers by name for a
receiver on the loopback, and a verdict about what it received.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.support.webhook import Answer, Received

_FOLDER = Path(__file__).parents[1] / "contracts"


@dataclass(frozen=True)
class Contract:
    """One request that a vendor describes, and its answers."""

    facts: dict[str, Any]

    @staticmethod
    def of(vendor: str, name: str) -> "Contract":
        """Read a contract; each says where it is from and when that was read."""
        facts = json.loads((_FOLDER / vendor / f"{name}.json").read_text())
        assert facts["source"].startswith("https://")
        assert facts["read"]
        return Contract(facts)

    def answer(self, name: str) -> Answer:
        """Return what the vendor says in one case."""
        said = self.facts["answers"][name]
        body = said["body"] if isinstance(said["body"], str) else json.dumps(said["body"])
        return Answer(said["status"], headers=said.get("headers", {}), body=body.encode())

    def check(self, received: Received) -> Any:
        """Fail unless a request is as the vendor wants it; return its body."""
        facts = self.facts
        assert (received.method, received.path) == (facts["method"], facts["path"])
        headers = {name: received.headers.get(name) for name in facts["headers"]}
        assert headers == facts["headers"]
        assert len(received.body) <= facts["most_bytes"]
        jsonschema_rs.validate(facts["body"], received.json)
        return received.json
