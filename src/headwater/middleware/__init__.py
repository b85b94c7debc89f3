"""Report the calls of a Python API to Headwater, or to any Moesif-compatible collector.

In: an ASGI or WSGI application. Out: the same application, and batches of events sent from a
background thread. The application never waits, never sees an error of ours, and its bodies pass
untouched. Depends on msgspec, isal and the standard library alone; nothing else of Headwater.

    from headwater.middleware import CaptureASGI

    app = CaptureASGI(app, application_id="…", identify_user=lambda scope, response: …)
"""

from headwater.middleware.asgi import CaptureASGI
from headwater.middleware.options import Response
from headwater.middleware.trouble import Counts
from headwater.middleware.wsgi import CaptureWSGI

__all__ = ["CaptureASGI", "CaptureWSGI", "Counts", "Response"]
