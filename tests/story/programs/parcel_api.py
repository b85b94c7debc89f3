"""A customer's API: Flask with Moesif's own middleware. Only the base URI points at Headwater.

Run as `python parcel_api.py URL APPLICATION_ID`: serves some requests to itself and ends.
"""

import sys

from flask import Flask, jsonify, request
from moesifwsgi import MoesifMiddleware

url, application_id = sys.argv[1:]
app = Flask(__name__)


@app.post("/v2/labels")
def make_label():
    if "weight_g" not in request.json:
        return jsonify(error="weight_g is missing"), 422
    return jsonify(id="lb_1001", price="4.20"), 201


@app.get("/v2/labels/<label>")
def show_label(label):
    return jsonify(id=label, status="printed")


app.wsgi_app = middleware = MoesifMiddleware(
    app.wsgi_app,
    {
        "APPLICATION_ID": application_id,
        "BASE_URI": url,
        "IDENTIFY_USER": lambda _app, environ, _headers: environ.get("HTTP_X_DEVELOPER"),
        "IDENTIFY_COMPANY": lambda _app, environ, _headers: environ.get("HTTP_X_COMPANY"),
        "EVENT_BATCH_TIMEOUT": 0.2,
    },
)

ana = {
    "X-Developer": "ana",
    "X-Company": "parcel",
    "Authorization": "Bearer sk_live_not_for_analytics",
    "User-Agent": "parcel-python/2.1.0",
}
with app.test_client() as client:
    client.post("/v2/labels?dry=1", json={}, headers=ana)
    client.post("/v2/labels", json={"weight_g": 420, "password": "hunter2"}, headers=ana)
    client.get("/v2/labels/1001", headers=ana)
middleware._shutdown()
