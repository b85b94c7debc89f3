"""Every rule of masking has its vectors; what holds no secret is not touched."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.collector.masking import (
    mask_body,
    mask_headers,
    mask_json,
    mask_text,
    mask_uri,
)
from headwater.collector.secret_names import is_secret_name, may_hold_secrets
from headwater.collector.secret_text import MARK, is_card, mask_words

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl"
CARDS = ["4111111111111111", "5555 5555 5555 4444", "3782-822463-10005", "6011000990139424"]
SECRET = "Qx7-planted-zz"

SECRET_HEADERS = [
    "Authorization", "Proxy-Authorization", "Cookie", "SET-COOKIE", "X-Api-Key", "x-auth-token",
    "X-Amz-Security-Token", "client_secret", "X-Password", "X-Session-Id", "X-CSRF-Token",
    "x-xsrf-token", "apikey", "X-Auth",
]  # fmt: skip
PLAIN_NAMES = ["content-type", "author", "keyboard", "monkey", "authority", "x-request-id", "oauth"]


@pytest.mark.parametrize("name", SECRET_HEADERS)
def test_a_secret_header_is_masked_whole(name: str) -> None:
    """Whatever its case, a header with a secret name loses its value, scheme included."""
    assert mask_headers({name: f"Bearer {SECRET}", "Accept": "*/*"}) == {
        name.lower(): MARK,
        "accept": "*/*",
    }


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_a_plain_name_is_not_taken_for_a_secret(name: str) -> None:
    """Only whole words and known parts are secret."""
    assert not is_secret_name(name)


def test_a_secret_inside_a_plain_header_is_masked() -> None:
    """A token in the query of a Referer and a JWT in any header are found."""
    found = mask_headers(
        {"Referer": f"https://a.example/?token={SECRET}&x=1", "X-Id": JWT, "Vary": "Cookie"}
    )
    assert found == {
        "referer": f"https://a.example/?token={MARK}&x=1",
        "x-id": MARK,
        "vary": "Cookie",
    }


URIS = [
    (f"/a?access_token={SECRET}&page=2", f"/a?access_token={MARK}&page=2"),
    (f"https://h.example/a?x=1&api%5Fkey={SECRET}", f"https://h.example/a?x=1&api%5Fkey={MARK}"),
    (f"/a#id_token={SECRET}", f"/a#id_token={MARK}"),
    (f"/a;jsessionid={SECRET}", f"/a;jsessionid={MARK}"),
    (f"https://ana:{SECRET}@h.example/a", f"https://ana:{MARK}@h.example/a"),
    (f"/verify/{JWT}/done", f"/verify/{MARK}/done"),
    ("/pay?card=4111%201111%201111%201111", f"/pay?card={MARK}"),
    ("/pay/4111111111111111", f"/pay/{MARK}"),
]


@pytest.mark.parametrize(("uri", "masked"), URIS)
def test_secrets_in_a_uri_are_masked(uri: str, masked: str) -> None:
    """Parameters by name, passwords, JWTs and cards, percent-encoded or not."""
    assert mask_uri(uri) == masked


PLAIN_URIS = [
    "/a?page=2&sort=-created",
    "https://h.example/users/ana@parcel.example?x=1",
    "/e/550e8400-e29b-41d4-a716-446655440000",
    "/t/1700000000000?at=1700000000000003",
]


@pytest.mark.parametrize("uri", PLAIN_URIS)
def test_a_plain_uri_stays_as_it_is(uri: str) -> None:
    """E-mail addresses, UUIDs and moments in milli- or microseconds are no secrets."""
    assert mask_uri(uri) == uri


BODIES: list[tuple[Any, Any]] = [
    ({"password": SECRET}, {"password": MARK}),
    ({"a": [{"b": {"clientSecret": SECRET}}]}, {"a": [{"b": {"clientSecret": MARK}}]}),
    ([[{"api-key": SECRET, "ok": 1}]], [[{"api-key": MARK, "ok": 1}]]),
    ({"session": {"id": SECRET}}, {"session": MARK}),
    ({"tokens": [SECRET]}, {"tokens": MARK}),
    ({"pin_token": 123456}, {"pin_token": MARK}),
    ({"note": f"see {JWT}!"}, {"note": f"see {MARK}!"}),
    ({"n": 4111111111111111}, {"n": MARK}),
    ({"n": "4111 1111 1111 1111"}, {"n": MARK}),
    ({"raw": json.dumps({"password": SECRET})}, {"raw": f'{{"password":"{MARK}"}}'}),
    ({"form": f"user=ana&password={SECRET},1"}, {"form": f"user=ana&password={MARK}"}),
    ({"log": f"Authorization: Basic {SECRET}"}, {"log": f"Authorization: {MARK}"}),
    ({"log": "got Bearer abcdefghijklmnopqrst"}, {"log": f"got Bearer {MARK}"}),
    ({"dsn": f"postgres://ana:{SECRET}@db/x"}, {"dsn": f"postgres://ana:{MARK}@db/x"}),
    (f"secret={SECRET}", f"secret={MARK}"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "masked"), BODIES)
def test_secrets_in_json_are_masked_at_any_depth(body: object, masked: object) -> None:
    """By key name, as JSON inside text, as a form inside text, and by shape."""
    assert json.loads(mask_json(json.dumps(body).encode())) == masked


def test_an_escaped_key_hides_nothing() -> None:
    """A key written with Unicode escapes is the same key."""
    assert json.loads(mask_json(rb'{"p\u0061ssword":"x1"}')) == {"password": MARK}


PLAIN_BODIES = [
    b'{"max_tokens": 100, "usage":{"prompt_tokens" :7}}',
    b'{"password_set": true, "token": null, "secret": ""}',
    b'{"author": "Ana",  "keys": [1, 2]}',
    b'{"at": 1700000000003, "ns": 1700000000000000003}',
    b'{"price": 0.30000000000000004, "n": 1.5e3}',
    '{"name": "Zoë", "emoji": "\\ud83d\\ude00"}'.encode(),
]


@pytest.mark.parametrize("body", PLAIN_BODIES)
def test_a_body_without_secrets_keeps_every_byte(body: bytes) -> None:
    """Spaces, escapes and number forms stay when there is nothing to hide."""
    assert mask_json(body) == body


def test_a_body_in_base64_is_masked_inside() -> None:
    """Clients send forms and plain text as base64: the secret is found in there as well."""
    for text, masked in (
        (f"user=ana&password={SECRET}", f"user=ana&password={MARK}"),
        (json.dumps({"a": {"secret": SECRET}}), f'{{"a":{{"secret":"{MARK}"}}}}'),
    ):
        raw = json.dumps(base64.b64encode(text.encode()).decode()).encode()
        assert base64.b64decode(json.loads(mask_body(raw, "base64"))).decode() == masked


def test_a_multipart_form_with_a_file_loses_only_the_password() -> None:
    """The bytes of the file come out as they went in."""
    picture = bytes(range(256))
    form = (
        b'--b\r\nContent-Disposition: form-data; name="pic"; filename="a.png"\r\n\r\n' + picture
        + b'\r\n--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--b--\r\n'
    )  # fmt: skip
    raw = json.dumps(base64.b64encode(form).decode()).encode()
    masked = base64.b64decode(json.loads(mask_body(raw, "base64")))
    assert masked == form.replace(b"hunter2", MARK.encode())


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    """A compressed body in base64 is left alone, and so is text that is no base64 at all."""
    raw = json.dumps(base64.b64encode(b"\x1f\x8b\x08\x00\xff\xfe\x00").decode()).encode()
    assert mask_body(raw, "base64") == raw
    assert mask_body(b'"not base64 at all!"', "base64") == b'"not base64 at all!"'


@pytest.mark.parametrize("digits", CARDS)
def test_card_numbers_are_masked_and_near_misses_are_not(digits: str) -> None:
    """Luhn decides: one digit off is an ordinary number."""
    assert is_card(digits)
    assert mask_text(f"paid with {digits} today") == f"paid with {MARK} today"
    wrong = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    assert mask_text(f"paid with {wrong} today") == f"paid with {wrong} today"


BROKEN = [
    f'{{"password": "{SECRET}", "a": ',
    f'{{"password": "{SECRET}',
    f'{{\\"token\\": \\"{SECRET}\\", oops',
    f'{{"secret": {{"a": "{SECRET}"}}, oops',
    f"{{'api_key': '{SECRET}'}}",
    f'{{"password": "say \\"{SECRET}\\" loud", "x": ',
    f"Cookie: a=b; c={SECRET}",
]


@pytest.mark.parametrize("text", BROKEN)
def test_secrets_in_broken_json_are_masked_too(text: str) -> None:
    """Samples of rejected items are masked although they cannot be read."""
    assert SECRET not in mask_words(text)
    assert MARK in mask_words(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=20,
)


@given(JSON_VALUES, st.sampled_from(["password", "X-Api-Key", "sessionId", "auth"]))
def test_a_planted_secret_never_survives(value: object, name: str) -> None:
    """Law: whatever stands around it, a secret below a secret key is gone."""
    raw = json.dumps({"a": [value, {name: SECRET}], "b": value}).encode()
    assert SECRET.encode() not in mask_json(raw)


@given(JSON_VALUES)
def test_masking_twice_is_masking_once(value: object) -> None:
    """Law: a masked document has nothing left to mask."""
    once = mask_json(json.dumps(value).encode())
    assert mask_json(once) == once


@given(st.text(alphabet="=:&\"'\\/ aeyJ.tokenpassword4@?", max_size=300))
def test_the_quick_look_never_misses_what_the_careful_one_finds(text: str) -> None:
    """Law: when the quick look says no, the careful reader changes nothing."""
    if not may_hold_secrets(text.encode()):
        assert mask_words(text) == text


EVIL = [
    "eyJ" * 60_000, "token" * 40_000, 'name=""\n\n' * 25_000, "a://" * 50_000 + "@",
    "1111 " * 40_000, 'password="' * 20_000, "cookie:" * 30_000, "a" * 200_000 + "=",
    "&a" * 100_000, "\\" * 200_000,
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_no_text_makes_masking_slow(evil: str) -> None:
    """A hostile text of 200 KB costs well under seconds."""
    started = time.process_time()
    mask_text(f"password {evil}")
    mask_uri(f"/?token=1&{evil}")
    assert time.process_time() - started < 3
