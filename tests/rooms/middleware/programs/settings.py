"""What every program of this folder captures with: the test says where the collector is."""

import os
from typing import Any

capture: dict[str, Any] = {
    "application_id": "a" * 64,
    "url": os.environ["COLLECTOR_URL"],
    "identify_user": lambda request, _: request.get("user_id"),
}
