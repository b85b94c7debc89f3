"""Recognise the client library, tool or browser behind a User-Agent.

In: a User-Agent. Out: name, version and kind. Unknown agents of the form `name/version` are taken
for an SDK: that is how client libraries introduce themselves. Pure.
"""

import re
from functools import lru_cache
from typing import NamedTuple


class Client(NamedTuple):
    """Who called. All empty: no User-Agent was sent."""

    name: str = ""
    version: str = ""
    kind: str = ""


_TOKEN = re.compile(r"([A-Za-z][\w.+ -]{0,49}?)/[vV]?([\w.+-]{1,40})")
_BOT = re.compile(
    r"([\w-]*(?:bot|crawler|spider|monitor|uptime)[\w-]*)(?:/([\w.]+))?", re.IGNORECASE
)
_BROWSERS = tuple(  # the first that matches wins: most call themselves Chrome and Safari as well
    (name, re.compile(pattern))
    for name, pattern in (
        ("Edge", r"Edg(?:e|A|iOS)?/([\d.]+)"),
        ("Opera", r"OPR/([\d.]+)"),
        ("Samsung Internet", r"SamsungBrowser/([\d.]+)"),
        ("Firefox", r"(?:Firefox|FxiOS)/([\d.]+)"),
        ("Chrome", r"(?:HeadlessChrome|Chrome|CriOS)/([\d.]+)"),
        ("Safari", r"Version/([\d.]+).* Safari/"),
    )
)
_SECOND_TOKENS = re.compile(r"\b(aiohttp|PythonBindings|okhttp|GuzzleHttp)/([\w.+-]+)")
_KINDS = {
    "cli": "curl wget httpie xh hey ab wrk k6 powershell",
    "tool": "postmanruntime insomnia bruno paw hoppscotch swagger-ui thunder client",
    "http": "python-requests python-httpx python-urllib urllib3 aiohttp python okhttp axios"
    " node-fetch node undici got superagent go-http-client go-resty java apache-httpclient"
    " java-http-client jersey unirest-java faraday ruby rest-client guzzlehttp php symfony"
    " httpclient dart reqwest hyper ureq libwww-perl lwp-request restsharp alamofire cfnetwork"
    " python-aiohttp deno bun dalvik",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}


@lru_cache(maxsize=8_192)
def recognise_client(user_agent: str) -> Client:
    """Return who sent this User-Agent."""
    agent = user_agent.strip()
    if not agent:
        return Client()
    if bot := _BOT.search(agent):
        return Client(bot.group(1)[:50], bot.group(2) or "", "bot")
    if agent.startswith(("Mozilla/", "Opera/")):
        return _recognise_browser(agent)
    token = _SECOND_TOKENS.search(agent) or _TOKEN.match(agent)
    if token is None:
        return Client(agent[:50], "", _KIND_OF.get(agent.lower(), "other"))
    name = token.group(1)
    return Client(name, token.group(2), _KIND_OF.get(name.lower(), "sdk"))


def _recognise_browser(agent: str) -> Client:
    for name, pattern in _BROWSERS:
        if found := pattern.search(agent):
            return Client(name, found.group(1).split(".")[0], "browser")
    return Client("Browser", "", "browser")
