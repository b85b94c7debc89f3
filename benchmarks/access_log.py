"""Make an access log in combined format, the same at every run.

In: how many lines. Out: a file that looks like the log of a public site: few pages asked for often,
ids in a third of the paths, crawlers and browsers, most referers empty or of the site itself. Some
225 bytes a line, in the order of time.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
_SECONDS_PER_LINE = 2.4
_SECTIONS = ("articles", "images", "presentations", "projects", "files", "blog/tags", "reset.css")
_SYSTEMS = (
    "Windows NT 6.1; WOW64", "Macintosh; Intel Mac OS X 10_9_1", "X11; Linux x86_64",
    "iPhone; CPU iPhone OS 6_0 like Mac OS X", "Windows NT 5.1",
)  # fmt: skip
_CRAWLERS = (
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://bot.example/about)",
    "Sogou web spider/4.0(+http://spider.example/)",
    "UniversalFeedParser/4.2-pre-314-svn +http://feedparser.example/",
)
_STATUSES = (200,) * 91 + (304,) * 5 + (404,) * 2 + (301,) * 2


def write_access_log(path: Path, lines: int) -> None:
    """Write the log."""
    with path.open("w") as file:
        file.writelines(_lines(lines))


def _lines(count: int) -> Iterator[str]:
    draw = random.Random(7)
    pages = [f"/{draw.choice(_SECTIONS)}/{draw.choice(_SECTIONS)}-{n}" for n in range(1_700)]
    agents = [_agent(draw, n) for n in range(560)]
    for number in range(count):
        at = _BEGAN + timedelta(seconds=number * _SECONDS_PER_LINE)
        page = pages[int(len(pages) * draw.random() ** 3)]
        path = f"{page}/{draw.randrange(50_000)}" if draw.random() < 1 / 3 else page
        size = "-" if draw.random() < 0.05 else draw.randrange(200_000)
        yield (
            f"203.0.{draw.randrange(100)}.{draw.randrange(256)} - - [{at:%d/%b/%Y:%H:%M:%S} +0000]"
            f' "GET {path} HTTP/1.1" {draw.choice(_STATUSES)} {size}'
            f' "{_referer(draw, pages)}" "{agents[int(len(agents) * draw.random() ** 2)]}"\n'
        )


def _agent(draw: random.Random, number: int) -> str:
    if number % 8 == 0:
        return f"{draw.choice(_CRAWLERS)} r{number}"
    return (
        f"Mozilla/5.0 ({draw.choice(_SYSTEMS)}) AppleWebKit/537.36 (KHTML, like Gecko)"
        f" Chrome/{20 + number % 20}.0.{number}.77 Safari/537.36"
    )


def _referer(draw: random.Random, pages: list[str]) -> str:
    kind = draw.random()
    if kind < 0.4:
        return "-"
    if kind < 0.9:
        return f"http://www.example.com{pages[int(600 * draw.random() ** 2)]}/"
    return f"http://search.example/?q=words+number+{draw.randrange(300)}"
