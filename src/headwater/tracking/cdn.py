"""Tell the browser library its settings, which it fetches before anything else.

In: a write key and where this server is. Out: the document that analytics.js starts with. It names
one integration only, ours: any other would be fetched from a content delivery network.
"""

from collections.abc import Sequence
from typing import Any

MAX_AGE_S = 300
"""How long browsers may keep it."""
_EVERYTHING = {"__default": {"enabled": True, "integrations": {}}}


def settings_of(
    write_key: str, host: str, protocol: str, blocked: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the settings of a source; `host` has the port, and neither scheme nor path.

    `blocked` events are named in the plan: the library gives them to no integration of the page.
    """
    track = {event: {"enabled": False, "integrations": {}} for event in blocked}
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{host}/v1",
                "protocol": protocol,
                "addBundledMetadata": True,
                "unbundledIntegrations": [],
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {"track": {**_EVERYTHING, **track}, "identify": _EVERYTHING, "group": _EVERYTHING},
        "analyticsNextEnabled": True,
        "edgeFunction": {},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
        "autoInstrumentationSettings": {"sampleRate": 0},
    }
