"""Read a User-Agent: which browser or library, on which system.

In: a User-Agent as sent. Out: an `Agent`; what it does not say is empty. Pure. Anybody can send
anything, so the matching is linear in the text, which is cut first.
"""

import re
from functools import lru_cache

import msgspec
import ua_parser

_LONGEST_READ = 1_000
_BROWSER_LIKE = ("Mozilla/", "Opera/")
_PRODUCT = re.compile(r"([^\s/();,]{1,80})(?:/([^\s/();,]{1,40}))?")
"""A program that is no browser introduces itself first: `acme-sdk/1.2 (linux)`."""


class Agent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A User-Agent in parts."""

    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device: str = ""
    library: str = ""
    library_version: str = ""


NO_AGENT = Agent()


@lru_cache(maxsize=8_192)
def parse_agent(user_agent: str) -> Agent:
    """Return what a User-Agent says; a program that is no browser is a library."""
    text = user_agent[:_LONGEST_READ].strip()
    if not text:
        return NO_AGENT
    found = ua_parser.parse(text)
    os, device = found.os, found.device
    said = {
        "os": os.family if os else "",
        "os_version": _version(os.major, os.minor, os.patch) if os else "",
        "device": device.family if device else "",
    }
    if not text.startswith(_BROWSER_LIKE):
        product = _PRODUCT.match(text)
        name, version = product.groups(default="") if product else (text[:80], "")
        return Agent(library=name, library_version=version, **said)
    browser = found.user_agent
    if browser is None:
        return Agent(**said)
    version = _version(browser.major, browser.minor, browser.patch)
    return Agent(browser=browser.family, browser_version=version, **said)


def _version(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)
