"""A Django API with `moesifdjango`, called by itself: JSON, a form, a page, a redirect, an error.

Run as `python moesifdjango_app.py URL APPLICATION_ID [MORE_CALLS]`; stays until its standard input
is closed.
"""

import json
import sys

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.test import Client
from django.urls import path

url, application_id, *more = sys.argv[1:]


def make_label(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {"id": "lb_1", "weight_g": json.loads(request.body)["weight_g"]}, status=201
    )


def log_in(_: HttpRequest) -> HttpResponse:
    reply = HttpResponse("<p>Zoë is welcome</p>")
    reply.set_cookie("sid", "planted-cookie")
    return reply


def move(_: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/v2/labels")


def broken(_: HttpRequest) -> HttpResponse:
    message = "the printer is out of paper"
    raise RuntimeError(message)


def identify_user(request: HttpRequest, _: HttpResponse) -> str | None:
    developer: str | None = request.headers.get("x-developer")
    return developer


def identify_company(_: HttpRequest, __: HttpResponse) -> str:
    return "parcel"


def get_metadata(_: HttpRequest, __: HttpResponse) -> dict[str, str]:
    return {"dc": "eu", "secret": "planted-metadata"}


def get_session_token(_: HttpRequest, __: HttpResponse) -> str:
    return "planted-session"


def skip(request: HttpRequest, _: HttpResponse) -> bool:
    return bool(request.path == "/health")


urlpatterns = [
    path("v2/labels", make_label),
    path("login", log_in),
    path("v1/labels", move),
    path("broken", broken),
    path("health", move),
]
settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="only-for-this-program",
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[
        "moesifdjango.middleware.moesif_middleware",
        # Without sessions the library swallows an error and never asks GET_SESSION_TOKEN.
        "django.contrib.sessions.middleware.SessionMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    LOGGING_CONFIG=None,
    MOESIF_MIDDLEWARE={
        "APPLICATION_ID": application_id,
        "BASE_URI": url,
        "IDENTIFY_USER": identify_user,
        "IDENTIFY_COMPANY": identify_company,
        "GET_METADATA": get_metadata,
        "GET_SESSION_TOKEN": get_session_token,
        "SKIP": skip,
        "API_VERSION": "2.1",
    },
)
django.setup()
client = Client(
    raise_request_exception=False,
    headers={
        "host": "api.parcel.example",
        "x-developer": "ana",
        "x-forwarded-for": "203.0.113.7",
        "authorization": "Bearer planted-bearer",
        "user-agent": "parcel-python/2.1.0",
    },
)
label = {"weight_g": 420, "password": "planted-password"}
made = client.post("/v2/labels?dry=1&api_key=planted-key", label, content_type="application/json")
assert made.status_code == 201
form = "user=ana&password=planted-password"
posted = client.post("/login", form, content_type="application/x-www-form-urlencoded")
assert posted.status_code == 200
assert client.get("/v1/labels").status_code == 302
assert client.get("/broken").status_code == 500
assert client.get("/health").status_code == 302

for _ in range(int(more[0]) if more else 0):
    assert client.get("/v1/labels").status_code == 302

middleware = client.handler._middleware_chain.__wrapped__
middleware.update_user({"user_id": "ana", "company_id": "parcel", "metadata": {"name": "Ana"}})
middleware.update_users_batch([{"user_id": "bob"}, {"user_id": "eve"}])
middleware.update_company({"company_id": "parcel", "company_domain": "parcel.example"})
middleware.update_companies_batch([{"company_id": "acme"}])
subscription = {"subscription_id": "sub_1", "company_id": "parcel", "status": "active"}
middleware.update_subscription(subscription | {"metadata": {"seats": 40}})
middleware.update_subscriptions_batch([subscription | {"subscription_id": "sub_2"}])
sys.stdin.read()
