"""A Flask API with `moesifwsgi`, called by itself: JSON, a form, a page, an error.

Run as `python moesifwsgi_app.py URL APPLICATION_ID [MORE_CALLS]`; stays until its standard input is
closed.
"""

import sys
import time
from typing import Any

from flask import Flask, Response, jsonify, request
from moesifwsgi import MoesifMiddleware

url, application_id, *more = sys.argv[1:]
app = Flask(__name__)


@app.post("/v2/labels")
def make_label() -> tuple[Response, int]:
    return jsonify(id="lb_1", weight_g=request.json["weight_g"]), 201


@app.post("/login")
def log_in() -> Response:
    reply = app.make_response("<p>Zoë is welcome</p>")
    reply.set_cookie("sid", "planted-cookie")
    return reply


@app.get("/broken")
def broken() -> tuple[Response, int]:
    return jsonify(error="no"), 500


@app.get("/health")
def health() -> str:
    return "well"


def identify_user(_: object, environ: dict[str, Any], __: object) -> str | None:
    return environ.get("HTTP_X_DEVELOPER")


def skip(_: object, environ: dict[str, Any]) -> bool:
    return bool(environ["PATH_INFO"] == "/health")


app.wsgi_app = middleware = MoesifMiddleware(  # type: ignore[method-assign]
    app.wsgi_app,
    {
        "APPLICATION_ID": application_id,
        "BASE_URI": url,
        "IDENTIFY_USER": identify_user,
        "IDENTIFY_COMPANY": lambda _app, _environ, _headers: "parcel",
        "GET_METADATA": lambda _app, _environ: {"dc": "eu", "secret": "planted-metadata"},
        "GET_SESSION_TOKEN": lambda _app, _environ: "planted-session",
        "SKIP": skip,
        "API_VERSION": "2.1",
        "EVENT_BATCH_TIMEOUT": 0.2,
    },
)
while more and middleware.config.config is None:
    time.sleep(0.02)  # a host that has run for a while knows the sampling policy
headers = {
    "Host": "api.parcel.example",
    "X-Developer": "ana",
    "X-Forwarded-For": "203.0.113.7",
    "Authorization": "Bearer planted-bearer",
    "User-Agent": "parcel-python/2.1.0",
}
with app.test_client() as client:
    label = {"weight_g": 420, "password": "planted-password"}
    path = "/v2/labels?dry=1&api_key=planted-key"
    assert client.post(path, json=label, headers=headers).status_code == 201
    form = {"user": "ana", "password": "planted-password"}
    assert client.post("/login", data=form, headers=headers).status_code == 200
    assert client.get("/broken", headers=headers).status_code == 500
    assert client.get("/health", headers=headers).status_code == 200
    for _ in range(int(more[0]) if more else 0):
        assert client.get("/broken", headers=headers).status_code == 500
middleware.update_user({"user_id": "ana", "company_id": "parcel", "metadata": {"name": "Ana"}})
middleware.update_users_batch([{"user_id": "bob"}, {"user_id": "eve"}])
middleware.update_company({"company_id": "parcel", "company_domain": "parcel.example"})
middleware.update_companies_batch([{"company_id": "acme"}])
sys.stdin.read()
