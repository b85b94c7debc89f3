"""A Litestar application, captured."""

from typing import Any

from litestar import Litestar, Request, get, post

from headwater.middleware import CaptureASGI
from tests.rooms.middleware.programs.settings import capture


@post("/items/{number:int}")
async def put_item(
    number: int, data: dict[str, Any], request: Request[Any, Any, Any]
) -> dict[str, Any]:
    scope: Any = request.scope
    scope["user_id"] = "u-1"
    return {"number": number, "item": data}


@get("/boom")
async def boom() -> None:
    raise RuntimeError("planted")


app: Any = Litestar([put_item, boom], logging_config=None)
app = CaptureASGI(app, **capture)
