"""A Flask application, captured."""

from typing import Any

from flask import Flask, request

from headwater.middleware import CaptureWSGI
from tests.rooms.middleware.programs.settings import capture

app: Any = Flask(__name__)
app.wsgi_app = CaptureWSGI(app.wsgi_app, **capture)


@app.post("/items/<int:number>")
def put_item(number: int) -> tuple[dict[str, Any], int]:
    request.environ["user_id"] = "u-1"
    return {"number": number, "item": request.get_json()}, 201


@app.get("/boom")
def boom() -> None:
    raise RuntimeError("planted")
