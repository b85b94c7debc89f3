"""A Django site behind WSGI, captured."""

from typing import Any

from django.core.wsgi import get_wsgi_application

import tests.rooms.middleware.programs.django_site  # noqa: F401 - sets Django up
from headwater.middleware import CaptureWSGI
from tests.rooms.middleware.programs.settings import capture

application: Any = get_wsgi_application()
application = CaptureWSGI(application, **capture)
app = application
