"""Show a newcomer how to send the first call: commands to copy, with this app's own id in them.

In: the address of this server and a collector application id. Out: text. The id lets its holder
write only, and is shown to those who may write.
"""

import msgspec

PLACEHOLDER = "YOUR_COLLECTOR_APPLICATION_ID"

_CURL = """\
curl -i {url}/v1/events \\
  -H 'Content-Type: application/json' \\
  -H 'X-Moesif-Application-Id: {key}' \\
  -d '{{"request": {{"time": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'", "verb": "GET",
        "uri": "https://api.example.com/hello"}},
       "response": {{"time": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'", "status": 200}},
       "user_id": "my-first-user"}}'"""

_PYTHON = """\
from headwater.middleware import CaptureASGI

app = CaptureASGI(
    app,
    application_id="{key}",
    url="{url}",
)"""


class Examples(msgspec.Struct, frozen=True, kw_only=True):
    """What to copy."""

    curl: str
    python: str


def show_examples(url: str, key: str) -> Examples:
    """Fill the examples in."""
    shown = key or PLACEHOLDER
    return Examples(
        curl=_CURL.format(url=url, key=shown), python=_PYTHON.format(url=url, key=shown)
    )
