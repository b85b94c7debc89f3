"""A customer's website: identifies and tracks with Segment's own library; only the host differs.

Run as `python website.py URL WRITE_KEY`.
"""

import sys

from segment.analytics.client import Client

url, write_key = sys.argv[1:]
failures = []
analytics = Client(write_key, host=url, on_error=lambda error, _items: failures.append(error))
analytics.identify("ana", {"plan": "scale", "company": {"id": "parcel", "seats": 40}})
analytics.track("ana", "Label Printed", {"latencyMS": 12.5, "carrier": "north"})
analytics.flush()
analytics.join()
sys.exit(f"not delivered: {failures}" if failures else 0)
