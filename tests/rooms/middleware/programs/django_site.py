"""A Django site in one module, for both gateways."""

import json
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY="k", LOGGING_CONFIG=None
)
django.setup(set_prefix=False)


def put_item(request: HttpRequest, number: int) -> HttpResponse:
    # `META` is the environ under WSGI; under ASGI the scope is an attribute of its own.
    gateway: dict[str, Any] = getattr(request, "scope", request.META)
    gateway["user_id"] = "u-1"
    return JsonResponse({"number": number, "item": json.loads(request.body)}, status=201)


def boom(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("planted")


urlpatterns = [path("items/<int:number>", put_item), path("boom", boom)]
