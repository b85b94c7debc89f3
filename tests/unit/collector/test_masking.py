"""Every rule of masking holds in every place; what holds no secret is not touched."""

import base64
import json
import time
from typing import Any

import pytest

from headwater.collector.secret_shapes import MARK, is_card
from tests.unit.collector.mask_places import DEFAULT, PLACES, Place, mask_document
from tests.unit.collector.mask_vectors import BROKEN, JWT, NAMED, PLAIN, SHAPED

SECRET = "Qx7-planted-zz"
PLACE = pytest.mark.parametrize("place", PLACES, ids=[place.label for place in PLACES])


@PLACE
@pytest.mark.parametrize(("rule", "names"), NAMED, ids=[row[0] for row in NAMED])
def test_a_value_under_a_secret_name_is_masked_everywhere(
    rule: str, names: tuple[str, ...], place: Place
) -> None:
    """However the name is written and wherever it stands, only the value goes."""
    for name in filter(place.names, names):
        masked = place.mask(DEFAULT, place.put(name, SECRET))
        assert masked == place.put(name, MARK), (rule, name)


@PLACE
@pytest.mark.parametrize(("rule", "text", "secret", "kept"), SHAPED, ids=[r[0] for r in SHAPED])
def test_what_looks_secret_is_masked_everywhere(
    rule: str, text: str, secret: str, kept: str, place: Place
) -> None:
    """Under a plain name too; a parameter of a URI goes as a whole."""
    masked = place.mask(DEFAULT, place.put("note", text))
    assert secret not in masked, rule
    assert masked in {place.put("note", kept), place.put("note", MARK)}, rule


@PLACE
@pytest.mark.parametrize(("rule", "name", "value"), PLAIN, ids=[row[0] for row in PLAIN])
def test_what_is_no_secret_stays_everywhere(rule: str, name: str, value: str, place: Place) -> None:
    """A hash, a moment and a path are worth nothing when they are masked."""
    sent = place.put(name, value)
    assert place.mask(DEFAULT, sent) == sent, rule


@pytest.mark.parametrize("text", BROKEN)
def test_secrets_in_broken_json_are_masked_too(text: str) -> None:
    """Samples of rejected items are masked although they cannot be read."""
    assert SECRET not in DEFAULT.words(text)
    assert MARK in DEFAULT.words(text)


URIS = [
    (f"https://h.example/a?x=1&api%5Fkey={SECRET}", f"https://h.example/a?x=1&api%5Fkey={MARK}"),
    (f"/a?%74oken={SECRET}", f"/a?%74oken={MARK}"),
    (f"/verify/{JWT}/done", f"/verify/{MARK}/done"),
    ("/pay?card=4111%201111%201111%201111", f"/pay?card={MARK}"),
    ("/pay/4111111111111111", f"/pay/{MARK}"),
]


@pytest.mark.parametrize(("uri", "masked"), URIS)
def test_secrets_in_a_uri_are_masked(uri: str, masked: str) -> None:
    """In its path as well, and percent-encoded."""
    assert DEFAULT.uris(("/plain", uri, "/a?page=2")) == ["/plain", masked, "/a?page=2"]


DOCUMENTS: list[tuple[Any, Any]] = [
    ({"session": {"id": SECRET}}, {"session": MARK}),
    ({"tokens": [SECRET, {"a": "]"}], "b": 1}, {"tokens": MARK, "b": 1}),
    ({"pin_token": 123456}, {"pin_token": MARK}),
    ({"n": 4111111111111111}, {"n": MARK}),
    ({"4111111111111111": 1}, {MARK: 1}),
    ([4111111111111111], [MARK]),
    ({"a": "token", "b": SECRET}, {"a": "token", "b": SECRET}),
    ({"log": f"Authorization: Basic {SECRET}"}, {"log": f"Authorization: {MARK}"}),
    ({"a": 'say "token"', "password": f'"{SECRET}"'}, {"a": 'say "token"', "password": MARK}),
    (f"secret={SECRET}", f"secret={MARK}"),
]


@pytest.mark.parametrize(("sent", "masked"), DOCUMENTS)
def test_json_of_any_form_is_masked(sent: object, masked: object) -> None:
    """Whole objects under a secret key, numbers, keys that are secrets, top-level text."""
    assert json.loads(mask_document(DEFAULT, json.dumps(sent))) == masked


def test_an_escaped_key_hides_nothing() -> None:
    """A key written with Unicode escapes is the same key."""
    assert json.loads(DEFAULT.document(rb'{"p\u0061ssword":"x1"}')) == {"password": MARK}


def test_documents_of_a_batch_stay_apart() -> None:
    """Absent ones stay absent; a plain one keeps every byte between masked ones."""
    sent = [b'{"token":"a1"}', b"", b'{"a" :  "b"}', b'"x"', b'{"b":{"cvc":123}}']
    kept = [b'{"token":"*masked*"}', b"", b'{"a" :  "b"}', b'"x"', b'{"b":{"cvc":"*masked*"}}']
    assert DEFAULT.documents(sent) == kept
    assert DEFAULT.documents(()) == []


def test_a_document_that_cannot_be_read_is_masked_whole() -> None:
    """Nobody knows what is in it."""
    assert DEFAULT.document(b'{"a": "\\u0074oken", oops') == json.dumps(MARK).encode()


PLAIN_DOCUMENTS = [
    b'{"max_tokens": 100, "usage":{"prompt_tokens" :7}}',
    b'{"password_set": true, "token": null, "secret": ""}',
    b'{"author": "Ana",  "keys": [1, 2]}',
    b'{"at": 1700000000003, "ns": 1700000000000000003}',
    b'{"price": 0.30000000000000004, "n": 1.5e3, "m": -1.5E-7}',
    '{"name": "Zoë", "emoji": "\\ud83d\\ude00", "html": "\\u003cb\\u003e"}'.encode(),
]


@pytest.mark.parametrize("document", PLAIN_DOCUMENTS)
def test_a_document_without_secrets_keeps_every_byte(document: bytes) -> None:
    """Spaces, escapes and number forms stay when there is nothing to hide."""
    assert DEFAULT.document(document) == document


def test_numbers_that_no_reader_can_hold_become_text() -> None:
    """Later readers have 64 bits, and doubles."""
    sent = b'{"a": 123456789012345678901234567890, "b": [1e999], "c": "12e456"}'
    kept = {"a": "123456789012345678901234567890", "b": ["1e999"], "c": "12e456"}
    assert json.loads(DEFAULT.document(sent)) == kept


def test_a_multipart_form_with_a_file_loses_only_the_password() -> None:
    """The bytes of the file come out as they went in."""
    picture = bytes(range(256))
    form = (
        b'--b\r\nContent-Disposition: form-data; name="pic"; filename="a.png"\r\n\r\n' + picture
        + b'\r\n--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--b--\r\n'
    )  # fmt: skip
    raw = json.dumps(base64.b64encode(form).decode()).encode()
    masked = base64.b64decode(json.loads(DEFAULT.body(raw, "base64")))
    assert masked == form.replace(b"hunter2", MARK.encode())


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    """A compressed body in base64 is left alone, and so is text that is no base64 at all."""
    raw = json.dumps(base64.b64encode(b"\x1f\x8b\x08\x00\xff\xfe\x00").decode()).encode()
    assert DEFAULT.body(raw, "base64") == raw
    assert DEFAULT.body(b'"not base64 at all!"', "base64") == b'"not base64 at all!"'


@pytest.mark.parametrize("digits", ["4111111111111111", "5555555555554444", "378282246310005"])
def test_luhn_decides_about_cards(digits: str) -> None:
    """One digit off is an ordinary number."""
    assert is_card(digits)
    assert not is_card(digits[:-1] + str((int(digits[-1]) + 1) % 10))


EVIL = [
    "eyJ" * 60_000, "token" * 40_000, 'name=""\n\n' * 25_000, "a://" * 50_000 + "@",
    "1111 " * 40_000, 'password="' * 20_000, "cookie:" * 30_000, "a" * 200_000 + "=",
    "&a" * 100_000, "\\" * 200_000, "4" * 200_000, "//a" * 60_000 + ":@", "token:" * 30_000,
    "bearer " * 30_000, "1e100" * 40_000, "%74" * 60_000, "\u0074oken" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_no_text_makes_masking_slow(evil: str) -> None:
    """A hostile text of 200 KB costs well under seconds."""
    started = time.process_time()
    DEFAULT.text(f"password {evil}")
    DEFAULT.uris((f"/?token=1&{evil}",))
    DEFAULT.document(json.dumps({"a": evil}).encode())
    DEFAULT.document(json.dumps([{evil[:50]: evil[:9]}] * 3_000).encode())
    assert time.process_time() - started < 5
