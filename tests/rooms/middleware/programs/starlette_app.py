"""A Starlette application, captured."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from headwater.middleware import CaptureASGI
from tests.rooms.middleware.programs.settings import capture


async def put_item(request: Request) -> Response:
    request.scope["user_id"] = "u-1"
    number = int(request.path_params["number"])
    return JSONResponse({"number": number, "item": await request.json()}, 201)


async def boom(request: Request) -> Response:
    raise RuntimeError("planted")


routes = [Route("/items/{number}", put_item, methods=["POST"]), Route("/boom", boom)]
app = Starlette(routes=routes)
app.add_middleware(CaptureASGI, **capture)
