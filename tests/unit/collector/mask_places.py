"""Every place where captured text can be: how it gets in there, and how it is masked.

In: a name and a value, or a text. Out: what a client would send, and what Headwater would keep.
"""

import base64
import json
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

from headwater.base.vault import Vault
from headwater.collector.masking import Masker, masker_for
from headwater.workspace import MaskingPolicy

VAULT = Vault(b"v" * 32)
DEFAULT = masker_for(MaskingPolicy(), VAULT)
_MULTIPART = (
    '--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    '--b\r\nContent-Disposition: form-data; name="page"\r\n\r\n2\r\n--b--\r\n'
)  # fmt: skip


class Place(NamedTuple):
    """One place."""

    label: str
    put: Callable[[str, str], str]
    """Return what a client sends."""
    mask: Callable[[Masker, str], str]
    names: Callable[[str], bool] = lambda _name: True
    """Whether a name can be written there."""


def mask_document(masker: Masker, document: str) -> str:
    """Return a document masked, in one spelling of JSON."""
    return json.dumps(json.loads(masker.document(document.encode())))


def mask_packed(masker: Masker, text: str) -> str:
    """Return a text masked that travels as base64."""
    raw = json.dumps(base64.b64encode(text.encode()).decode()).encode()
    return base64.b64decode(json.loads(masker.body(raw, "base64"))).decode()


def mask_uri(masker: Masker, uri: str) -> str:
    """Return a URI masked."""
    return masker.uris((uri,))[0]


def mask_header(masker: Masker, header: str) -> str:
    """Return a header masked; its name is left in its own case."""
    name, _, value = header.partition(": ")
    return f"{name}: {masker.headers(({name: value},))[0][name.lower()]}"


def _is_word(name: str) -> bool:
    return " " not in name


PLACES = (
    Place("header", lambda n, v: f"{n}: {v}", mask_header, _is_word),
    Place("query", lambda n, v: f"/a?page=2&{quote(n)}={_in_uri(v)}&x=1", mask_uri),
    Place("fragment", lambda n, v: f"/a#{quote(n)}={_in_uri(v)}", mask_uri),
    Place("path parameter", lambda n, v: f"/a;{quote(n)}={_in_uri(v)};x=1", mask_uri),
    Place("member", lambda n, v: json.dumps({n: v, "ok": 1}), mask_document),
    Place("depth", lambda n, v: json.dumps({"a": {"b": [{"c": {n: v}}]}}), mask_document),
    Place("array", lambda n, v: json.dumps([1, [{n: v}, {"x": 2}]]), mask_document),
    Place("JSON in text", lambda n, v: json.dumps({"log": _compact({n: v})}), mask_document),
    Place("form in text", lambda n, v: json.dumps({"f": f"x=1&{quote(n)}={_in_uri(v)}"}),
          mask_document),
    Place("form", lambda n, v: f"x=1&{quote(n)}={_in_uri(v)}", mask_packed),
    Place("multipart", lambda n, v: _MULTIPART.format(name=n, value=v), mask_packed),
    Place("JSON in base64", lambda n, v: _compact({"a": [{n: v}]}),
          mask_packed),
)  # fmt: skip


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _in_uri(value: str) -> str:
    return quote(value, safe="*")
