"""A Starlette API with `moesifasgi`, called over HTTP: JSON, a form, a page, a stream, an error.

Run as `python moesifasgi_app.py URL APPLICATION_ID [MORE_CALLS]`; stays until its standard input is
closed.
"""

import socket
import sys
import threading
import time
from collections.abc import AsyncIterator

import urllib3
import uvicorn
from moesifasgi import MoesifMiddleware
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

url, application_id, *more = sys.argv[1:]


async def make_label(request: Request) -> Response:
    sent = await request.json()
    return JSONResponse({"id": "lb_1", "weight_g": sent["weight_g"]}, status_code=201)


async def log_in(_: Request) -> Response:
    reply = HTMLResponse("<p>Zoë is welcome</p>")
    reply.set_cookie("sid", "planted-cookie")
    return reply


async def track(_: Request) -> Response:
    async def steps() -> AsyncIterator[str]:
        for step in ("picked up,", "sorted,", "delivered"):
            yield step

    return StreamingResponse(steps(), media_type="text/csv")


async def broken(_: Request) -> Response:
    return JSONResponse({"error": "no"}, status_code=500)


async def identify_user(request: Request, _: Response | None) -> str | None:
    return request.headers.get("x-developer")


async def identify_company(_: Request, __: Response | None) -> str:
    return "parcel"


async def get_metadata(_: Request, __: Response) -> dict[str, str]:
    return {"dc": "eu", "secret": "planted-metadata"}


async def get_session_token(_: Request, __: Response) -> str:
    return "planted-session"


async def skip(request: Request, _: Response) -> bool:
    return bool(request.url.path == "/health")


api = Starlette(
    routes=[
        Route("/v2/labels", make_label, methods=["POST"]),
        Route("/login", log_in, methods=["POST"]),
        Route("/v2/labels/{label}/track", track),
        Route("/broken", broken),
        Route("/health", broken),
    ]
)
app = MoesifMiddleware(
    api,
    settings={
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


def ask(verb: str, path: str, **more: object) -> int:
    """Ask the API as a customer's program does."""
    headers = {
        "Host": "api.parcel.example",
        "X-Developer": "ana",
        "X-Forwarded-For": "203.0.113.7",
        "Authorization": "Bearer planted-bearer",
        "User-Agent": "parcel-python/2.1.0",
    }
    return urllib3.request(verb, api_url + path, headers=headers, **more).status  # type: ignore[arg-type]


listener = socket.create_server(("127.0.0.1", 0))
api_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
server = uvicorn.Server(uvicorn.Config(app, log_config=None))
thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
thread.start()
while not server.started:
    thread.join(0.01)
while more and app.config.config is None:
    time.sleep(0.02)  # a host that has run for a while knows the sampling policy
label = {"weight_g": 420, "password": "planted-password"}
assert ask("POST", "/v2/labels?dry=1&api_key=planted-key", json=label) == 201
assert ask("POST", "/login", body="user=ana&password=planted-password") == 200
assert ask("GET", "/v2/labels/1001/track") == 200
assert ask("GET", "/broken") == 500
assert ask("GET", "/health") == 500
for _ in range(int(more[0]) if more else 0):
    assert ask("GET", "/broken") == 500
app.update_user({"user_id": "ana", "company_id": "parcel", "metadata": {"name": "Ana"}})
app.update_users_batch([{"user_id": "bob"}, {"user_id": "eve"}])
app.update_company({"company_id": "parcel", "company_domain": "parcel.example"})
app.update_companies_batch([{"company_id": "acme"}])
sys.stdin.read()
