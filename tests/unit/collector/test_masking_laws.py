"""The quick way of masking gives what the careful way gives, whatever comes in."""

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headwater.collector.json_text import read_json
from headwater.collector.masking import Masker, masker_for
from headwater.collector.secret_shapes import MARK
from headwater.workspace import MaskingPolicy
from tests.unit.collector.mask_places import DEFAULT, VAULT
from tests.unit.collector.mask_vectors import JWT

SECRET = "Qx7-planted-zz"
STRICT = masker_for(
    MaskingPolicy(
        mask=("date-of-birth", "oauth2-x"),
        keep=("next_page_token",),
        fingerprint=("x-api-key",),
        emails=True,
    ),
    VAULT,
)
PIECES = (
    "token", "To-ken", "pass_word", "passWord", "api.key", "auth", "x-auth", "author", "oauth",
    "session", "next_page_token", "cookie", "Authorization", "csrf", "dateOfBirth", "oauth2-x",
    "x-api-key", "=", ":", "&", "?", "#", ";", " ", '"', "\\", "'", "{", "}", "[", "]", ",", "/",
    "//", "://", "@", "%", "%20", "%74", "%3D", "%5F", "+", "-", "_", ".", "\n", "\r\n", "é",
    "\u017f", "\u212a", "\u00a0", "4111111111111111", "4111 1111 1111 1111", "3782-822463-10005",
    "1763888720000", "4111111111111112", "12345678901234567890123", "1e999", "12e456", "0.", JWT,
    "eyJ", "Bearer abcdefghijklmnopqrst", "bearer ", "postgres://ana:pw@db/x", "ana@parcel.example",
    'name="password"\r\n\r\nhunter2\r\n--', '{"token":"x1"}', "a=1&b=2", "Cookie: a=b; c=d", "ok",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=7).map("".join) | st.text(max_size=20)
NUMBERS = st.integers() | st.sampled_from([4111111111111111, 10**25, 2**64, 1763888720000])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :\t ")])
ESCAPES = st.sampled_from(["", "/", "e", "t", "k", "4", " "])


def _write(value: Any, separators: tuple[str, str], escape: str, *, is_ascii: bool) -> bytes:
    text = json.dumps(value, separators=separators, ensure_ascii=is_ascii)
    text = text.replace("Infinity", "1e999")
    if escape == "/":
        text = text.replace("/", "\\/")
    elif escape:
        escaped = json.dumps(value, separators=separators).replace(escape, f"\\u{ord(escape):04x}")
        text = escaped if _is_json(escaped) else text
    return text.encode("utf-8", "replace")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


DOCUMENTS = st.builds(_write, VALUES, SEPARATORS, ESCAPES, is_ascii=st.booleans())


@given(st.lists(DOCUMENTS | st.just(b""), max_size=4), st.sampled_from([DEFAULT, STRICT]))
def test_documents_are_masked_as_if_all_of_them_was_read(
    documents: list[bytes], masker: Masker
) -> None:
    """Law: equal as JSON, each in its place."""
    masked = masker.documents(documents)
    assert len(masked) == len(documents)
    for sent, kept in zip(documents, masked, strict=True):
        careful = masker._careful.document(sent) if sent else b""
        assert kept == careful or read_json(kept) == read_json(careful)


@given(st.lists(TEXTS, max_size=5), st.sampled_from([DEFAULT, STRICT]))
def test_texts_are_masked_as_if_all_of_them_was_read(texts: list[str], masker: Masker) -> None:
    """Law: a URI and a header's value are never taken for harmless when they are not."""
    careful = masker._careful
    assert masker.uris(texts) == [careful.text_rules.query(text) for text in texts]
    maps = [{"x": text} for text in texts]
    assert masker.headers(maps) == [{"x": careful.text(text)} for text in texts]
    assert [masker.text(text) for text in texts] == [careful.text(text) for text in texts]


@given(VALUES, st.sampled_from(["password", "X-Api-Key", "sessionId", "auth"]))
def test_a_planted_secret_never_survives(value: object, name: str) -> None:
    """Law: whatever stands around it, a secret below a secret key is gone."""
    document = json.dumps({"a": [value, {name: SECRET}], "b": value}).encode()
    assert SECRET.encode() not in DEFAULT.document(document)
    assert SECRET not in DEFAULT.sample(document)


@given(DOCUMENTS)
def test_masking_settles(document: bytes) -> None:
    """Law: what covers one secret can bring out another or a stray quote, but only once."""
    twice = DEFAULT.document(DEFAULT.document(document))
    assert DEFAULT.document(twice) == twice


def test_a_number_that_json_does_not_have_is_passed_over() -> None:
    """Python writes infinities, even under a secret name."""
    assert DEFAULT.document(b'{"token":-Infinity,"password":"x"}') == (
        b'{"token":-Infinity,"password":"%b"}' % MARK.encode()
    )


def test_samples_show_no_secret_of_a_body_in_base64() -> None:
    """In JSON or in what is left of it, slashes escaped or not, whole or cut."""
    form = f"x=~~~???&password={SECRET}&y=2"
    packed = base64.b64encode(form.encode()).decode()
    item = json.dumps({"request": {"body": packed, "transfer_encoding": "base64"}})
    for text in (item, item.replace("/", "\\/"), item[:-2], item[: item.index(packed) + 40]):
        sample = DEFAULT.sample(text.encode())
        assert MARK in sample
        assert packed[:40] not in sample


def test_samples_show_no_secret_under_an_escaped_key() -> None:
    """Readable or cut short."""
    for text in (r'{"p\u0061ssword": "x1y2z3"}', r'{"p\u0061ssword": "x1y2z3", '):
        assert "x1y2z3" not in DEFAULT.sample(text.encode())
