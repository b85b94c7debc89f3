"""An invented payments API whose traffic shows what Headwater can do.

In: a seed, an end and a size. Out: the same believable history each time, sent through the real
Collector API, and live traffic after it. Knows no other room: it is a client like any other.

What was planted, so that reports have something to find:

- Users who register a webhook in their first week stay three times as long.
- Users of an official SDK stay longer than those who type curl by hand.
- Users whose first hour is full of errors leave sooner; teammates keep each other.
- Three incidents: failing charges, slow payouts, an hour of 503.
- Reports are slow and fail more than the rest; one release of the Java SDK polls too much.

Names, companies and addresses are invented: `.example` domains, documentation networks.
"""

from headwater.demo.history import Demo
from headwater.demo.live import LiveTraffic
from headwater.demo.load import CollectorClient, Loaded, load_history
from headwater.demo.receiver import WebhookReceiver

__all__ = ["CollectorClient", "Demo", "LiveTraffic", "Loaded", "WebhookReceiver", "load_history"]
