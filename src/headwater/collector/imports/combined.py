"""Read the lines of access logs in the common and combined formats, hostile ones included.

In: one line. Out: an event without an id. The request and the agent may hold quotes, escapes and
bytes of any kind: strangers wrote them. Raises `InvalidInputError` for what is no such line. Pure.
"""

import re
from typing import Any

from headwater.base.errors import InvalidInputError
from headwater.collector.times import read_time

_LINE = re.compile(
    r"(?P<ip>\S+) \S+ (?P<user>.{1,256}?) "
    r"\[(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4}):(?P<clock>\d\d:\d\d:\d\d) "
    r'(?P<zone>[+-]\d{4})\] ?"(?P<request>.*?)" (?P<status>\d{3}) '
    r"(?P<size>\d+|-)(?P<rest>(?: .*)?)",
    re.DOTALL,
)
_REQUEST = re.compile(r"(?P<verb>[A-Za-z-]{1,32}) (?P<target>\S.*?)(?: HTTP/[\d.]+)?", re.DOTALL)
_VERBS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))
_VERSIONS = frozenset(("1.0", "1.1", "2", "2.0", "3", "3.0"))
_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
NOTHING = "-"


def parse_combined(line: bytes) -> dict[str, Any]:
    """Return the event of one line; `user_id` is the remote user when there is one."""
    found = _LINE.fullmatch(line.decode("utf-8", "backslashreplace"))
    if found is None:
        raise InvalidInputError("This is no line of an access log in combined format.")
    referer, agent = _quoted(found["rest"])
    verb, target = read_request(found["request"])
    event: dict[str, Any] = {
        "request": {
            "time": _moment(found),
            "verb": verb,
            "uri": target,
            "headers": _given({"referer": referer, "user-agent": agent}),
            "ip_address": found["ip"],
        },
        "response": {
            "status": int(found["status"]),
            "headers": _given({"content-length": found["size"]}),
        },
    }
    return event | _given({"user_id": found["user"]})


def read_request(text: str) -> tuple[str, str]:
    """Return verb and target of a request, whatever a stranger wrote in its place."""
    begun, _, version = text.rpartition(" HTTP/")
    verb, _, target = begun.partition(" ")
    if verb in _VERBS and version in _VERSIONS and target and not target[0].isspace():
        return verb, target  # as nearly all are, and the pattern would say the same
    request = _REQUEST.fullmatch(text)
    return (request["verb"], request["target"]) if request else (NOTHING, text.strip() or NOTHING)


def is_combined(line: str) -> bool:
    """Tell whether a line has the columns of the combined format."""
    found = _LINE.fullmatch(line)
    return found is not None and found["rest"].startswith(' "')


def is_common(line: str) -> bool:
    """Tell whether a line ends where the common format does, or soon after."""
    found = _LINE.fullmatch(line)
    return found is not None and not found["rest"].startswith(' "')


def _moment(found: re.Match[str]) -> str:
    month = _MONTHS.get(found["month"], "00")
    time = f"{found['year']}-{month}-{found['day']}T{found['clock']}{found['zone']}"
    if read_time(time) is None:
        raise InvalidInputError("The time of this line does not exist.")
    return time


def _quoted(rest: str) -> tuple[str, str]:
    """Return referer and agent: the last quote may be missing, and more columns may follow."""
    if not rest.startswith(' "'):
        return "", ""
    referer, _, agent = rest.strip().removeprefix('"').partition('" "')
    return referer.removesuffix('"'), agent[: agent.rfind('"')] if '"' in agent else agent


def _given(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value not in {"", NOTHING}}
