"""Recognise the program behind a User-Agent: library, tool, browser, notebook, CI, agent, bot.

In: a User-Agent as sent. Out: name, version and kind. Programs that act for a person through a
language model are agents; those that crawl, watch or fetch previews are bots. Unknown agents of the
form `name/version` are taken for an SDK: that is how client libraries introduce themselves. Pure.
"""

import re
from functools import lru_cache
from typing import NamedTuple


class Client(NamedTuple):
    """Who called. All empty: no User-Agent was sent."""

    name: str = ""
    version: str = ""
    kind: str = ""
    """`sdk`, `http`, `cli`, `tool`, `browser`, `notebook`, `ci`, `agent`, `bot` or `other`."""


_KIND_OF_NAME = {
    name: kind
    for kind, names in {
        "agent": "agents/python agents/js aider amazonq-for-cli amp cline codex cursor cursor-agent"
        " devin fastmcp geminicli goose kiro librechat openhands opencode windsurf zed",
        "cli": "aws-cli curl docker doctl flyctl gcloud gh git helm heroku-cli httpie kubectl wget"
        " xh powershell",
        "tool": "ab ansible apachebench artillery bruno gatling hey hoppscotch hurl insomnia k6 n8n"
        " locust make oha paw pipedream postman postmanruntime pulumi soapui swagger-ui terraform"
        " vegeta wrk yaak zapier",
        "http": "alamofire apache-httpclient axios cfnetwork cpp-httplib dalvik dart deno bun"
        " faraday go-http-client go-resty got guzzlehttp http.rb httparty httpclient hyper"
        " java java-http-client jersey ktor-client libcurl libwww-perl lwp-request mechanize node"
        " node-fetch okhttp php python python-aiohttp python-httpx python-requests python-urllib"
        " python-urllib3 aiohttp reqwest rest-client rest-assured restsharp ruby superagent symfony"
        " typhoeus undici unirest-java ureq urllib3",
    }.items()
    for name in names.split()
}
_KIND_OF_NAME |= {"github cli": "cli", "thunder client": "tool"}

_START = r"(?<![\w./@-])"  # not inside a longer name, an address or a URL
_END = r"(?![\w-])(?:/[vV]?([\w.+-]{1,40}))?"
_AGENT = re.compile(
    _START + r"(ChatGPT-User|ChatGPT[ -]Agent|Claude-User|claude-(?:code|cli)|Perplexity-User"
    r"|MistralAI-User|meta-externalfetcher|Google-NotebookLM|GoogleAgent-[\w-]+|Google-Agent"
    r"|Gemini-Deep-Research|Gemini-?CLI|Grok-DeepSearch|Manus-User|NovaAct|codex[_-][\w-]+"
    r"|GitHub-?Copilot\w*|copilot-(?:cli|chat)|Roo-?Code|Kilo-?Code|(?:Cursor|Windsurf)(?=/\d)"
    r"|[\w-]*(?<![a-z])mcp(?![a-z])[\w-]*)" + _END,
    re.IGNORECASE,
)
_BOT = re.compile(
    _START
    + r"([\w.-]*(?<!\bcu)(?:bot(?![a-z])|crawler|spider)[\w-]*|[\w-]*monitor(?:ing)?|uptime[\w-]*"
    r"|anthropic-ai|facebookexternalhit|meta-(?:externalagent|webindexer)|ia_archiver|Slurp|Scrapy"
    r"|Mediapartners-Google|GoogleOther|Google-(?:InspectionTool|Read-Aloud|Site-Verification)"
    r"|WhatsApp|kube-probe|ELB-HealthChecker|GoogleHC|Pingdom[\w.]*|StatusCake|NewRelicPinger"
    r"|Datadog/?Synthetics|checkly|Prometheus|Blackbox[ -]Exporter|Site24x7|GitHub-Hookshot"
    r"|dependabot-core)" + _END,
    re.IGNORECASE,
)
_CI = re.compile(
    r"\bci/(?!false)[a-z]|[\"']ci[\"']: ?true|\bis_ci/true|GitHub-?Actions|gitlab-runner"
    r"|\bJenkins\b|buildkite-agent|CircleCI|TeamCity|VstsAgent|Azure-?(?:DevOps|Pipelines)"
    r"|\bTravis\b|woodpecker|Bitbucket[ -]?Pipelines|\bdrone[ /-]|\btekton",
    re.IGNORECASE,
)
_NOTEBOOK = re.compile(
    r"jupyter|ipykernel|\bipython\b|\bcolab\b|deepnote|\bmarimo\b|zeppelin|\bnotebook\b",
    re.IGNORECASE,
)
_PLACES = (("ci", _CI), ("notebook", _NOTEBOOK))
"""Where the program ran, as some tell beside their name."""

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
_GENERATED = re.compile(
    r"(?:Async)?([A-Za-z][\w-]{0,39}/(?:Python|JS|Go|Java|Kotlin|Ruby|PHP|C#|CSharp))"
    r" v?(\d[\w.+-]{0,39})"
)
"""SDKs from one widespread generator: `OpenAI/Python 1.55.0`, `AsyncAnthropic/Python 0.39.0`."""
_SECOND = re.compile(r"\b(aiohttp|PythonBindings|okhttp|GuzzleHttp|Terraform)/([\w.+-]{1,40})")
_FIRST = re.compile(r"([A-Za-z][\w.+ -]{0,49}?)/[vV]?([\w.+-]{1,40})")
_SPACED = re.compile(r"([A-Za-z][\w.+-]*(?: [A-Za-z][\w.+-]*)?) v?(\d[\w.+-]{0,39})(?= |$)")
_LONGEST_READ = 1_000
_LONGEST_NAME = 50
_LONGEST_VERSION = 40
_LIBRARIES = frozenset(("", "other", "http", "sdk"))
"""Kinds of those that people and models use alike."""


@lru_cache(maxsize=8_192)
def recognise_client(user_agent: str, *, speaks_mcp: bool = False) -> Client:
    """Return who sent this User-Agent; `speaks_mcp`: a header says so."""
    agent = user_agent[:_LONGEST_READ].strip()
    client = (
        _find(_AGENT, "agent", agent)
        or _find(_BOT, "bot", agent)
        or (_browser(agent) if agent.startswith(("Mozilla/", "Opera/")) else _program(agent))
    )
    if speaks_mcp and client.kind in _LIBRARIES:
        return client._replace(kind="agent")
    return client


def _find(marks: re.Pattern[str], kind: str, agent: str) -> Client | None:
    """Return what the agent says of itself; the mark with a version says most."""
    found = list(marks.finditer(agent))
    if not found:
        return None
    best = next((mark for mark in found if mark[2]), found[0])
    return Client(best[1][:_LONGEST_NAME], best[2] or "", kind)


def _browser(agent: str) -> Client:
    for name, pattern in _BROWSERS:
        if found := pattern.search(agent):
            return Client(name, found[1].split(".")[0][:_LONGEST_VERSION], "browser")
    return Client("Browser", "", "browser")


def _program(agent: str) -> Client:
    name, version, kind = _introduced(agent)
    places = (place for place, marks in _PLACES if marks.search(agent))
    return Client(name, version, next(places, _KIND_OF_NAME.get(name.lower(), kind)))


def _introduced(agent: str) -> Client:
    """Return how a program calls itself, before anything is known of the name."""
    if found := _GENERATED.match(agent) or _SECOND.search(agent) or _FIRST.match(agent):
        return Client(found[1], found[2], "sdk")
    if found := _SPACED.match(agent):
        return Client(found[1][:_LONGEST_NAME], found[2], "other")
    name = agent.partition("(")[0].rstrip() or agent
    return Client(name[:_LONGEST_NAME], "", "other" if agent else "")
