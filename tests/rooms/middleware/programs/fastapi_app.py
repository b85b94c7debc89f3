"""A FastAPI application, captured."""

from typing import Any

from fastapi import FastAPI, Request

from headwater.middleware import CaptureASGI
from tests.rooms.middleware.programs.settings import capture

app = FastAPI()
app.add_middleware(CaptureASGI, **capture)


@app.post("/items/{number}", status_code=201)
def put_item(number: int, item: dict[str, Any], request: Request) -> dict[str, Any]:
    request.scope["user_id"] = "u-1"
    return {"number": number, "item": item}


@app.get("/boom")
def boom() -> None:
    raise RuntimeError("planted")
