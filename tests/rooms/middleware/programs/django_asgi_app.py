"""A Django site behind ASGI, captured."""

from typing import Any

from django.core.asgi import get_asgi_application

import tests.rooms.middleware.programs.django_site  # noqa: F401 - sets Django up
from headwater.middleware import CaptureASGI
from tests.rooms.middleware.programs.settings import capture

application: Any = get_asgi_application()
application = CaptureASGI(application, **capture)
app = application
