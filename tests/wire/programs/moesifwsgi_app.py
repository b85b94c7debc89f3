"""A Flask API with `moesifwsgi`, called by itself: JSON, a form, HTML, an error.

Run as `python moesifwsgi_app.py URL APPLICATION_ID`.
"""

import sys

from flask import Flask, Response, jsonify, request
from moesifwsgi import MoesifMiddleware

url, application_id = sys.argv[1:]
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


app.wsgi_app = middleware = MoesifMiddleware(  # type: ignore[method-assign]
    app.wsgi_app,
    {
        "APPLICATION_ID": application_id,
        "BASE_URI": url,
        "IDENTIFY_USER": lambda _app, _environ, _headers=None: "ana",
        "IDENTIFY_COMPANY": lambda _app, _environ, _headers=None: "parcel",
        "GET_METADATA": lambda _app, _environ: {"dc": "eu", "secret": "planted-metadata"},
        "GET_SESSION_TOKEN": lambda _app, _environ: "planted-session",
        "API_VERSION": "2.1",
        "EVENT_BATCH_TIMEOUT": 0.2,
    },
)
with app.test_client() as client:
    assert client.post("/v2/labels?dry=1", json={"weight_g": 420}).status_code == 201
    form = {"user": "ana", "password": "planted-password"}
    assert client.post("/login", data=form).status_code == 200
    assert client.get("/broken", headers={"User-Agent": "parcel-python/2.1.0"}).status_code == 500
middleware._shutdown()
middleware.update_user({"user_id": "ana", "metadata": {"name": "Ana"}})
middleware.update_users_batch([{"user_id": "bob"}])
middleware.update_company({"company_id": "parcel"})
