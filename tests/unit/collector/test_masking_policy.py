"""What an app decides about masking, on top of what is always masked."""

import json
from typing import Any

from headwater.collector.masking import Masker, masker_for
from headwater.collector.secret_shapes import MARK
from headwater.workspace import MaskingPolicy
from tests.unit.collector.mask_places import PLACES, VAULT

SECRET = "Qx7-planted-zz"


def _masker(**policy: Any) -> Masker:
    return masker_for(MaskingPolicy(**policy), VAULT)


def _mark(name: str, masker: Masker) -> object:
    return json.loads(masker.document(json.dumps({name: SECRET}).encode()))[name]


def test_more_names_are_masked_everywhere() -> None:
    """In every spelling with separators, but only as a whole."""
    masker = _masker(mask=("date-of-birth", "ssn"))
    for name in ("dateOfBirth", "date_of_birth", "Date-Of-Birth", "SSN"):
        for place in PLACES:
            sent = place.put(name, SECRET)
            assert place.mask(masker, sent) == place.put(name, MARK), (place.label, name)
    assert _mark("classname", masker) == _mark("my_ssn_field", masker) == SECRET


def test_names_that_only_look_secret_are_kept_everywhere() -> None:
    """The name as a whole, in every spelling; its neighbours are masked."""
    masker = _masker(keep=("next_page_token", "session-count"))
    for name in ("next_page_token", "nextPageToken", "Session-Count"):
        for place in PLACES:
            sent = place.put(name, SECRET)
            assert place.mask(masker, sent) == sent, (place.label, name)
    assert _mark("page_token", masker) == MARK


def test_kept_names_hide_nothing_else() -> None:
    """A JWT under a kept name is still a JWT."""
    masker = _masker(keep=("next_page_token",))
    sent = {"next_page_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2ln"}
    assert json.loads(masker.document(json.dumps(sent).encode())) == {"next_page_token": MARK}


def test_passwords_are_masked_whatever_the_policy_says() -> None:
    """Even when a policy came into the database by another way."""
    masker = _masker(keep=("password", "authorization"))
    assert _mark("password", masker) == MARK
    assert masker.headers(({"Authorization": "Basic x"},)) == [{"authorization": MARK}]


def test_a_fingerprint_tells_equal_values_apart() -> None:
    """The same in a header, a parameter and a document; another app's key gives another."""
    masker = _masker(fingerprint=("x-api-key", "tenant"))
    header = masker.headers(({"X-Api-Key": SECRET},))[0]["x-api-key"]
    assert header.startswith("fp_")
    assert SECRET not in header
    assert _mark("xApiKey", masker) == _mark("tenant", masker) == header
    assert masker.uris((f"/a?x-api-key={SECRET}",)) == [f"/a?x-api-key={header}"]
    assert _mark("tenant", _masker(fingerprint=("tenant",))) == header
    other = masker.headers(({"X-Api-Key": "another"},))[0]["x-api-key"]
    assert other != header
    assert json.loads(masker.document(b'{"tenant": {"a": 1}}')) == {"tenant": MARK}


def test_emails_are_masked_only_on_demand() -> None:
    """In traffic, keys included; never in the fields of a profile."""
    sent = b'{"to": "write to ana@parcel.example now", "bob@a.example": "@ana", "n": "a@b"}'
    kept = {"to": f"write to {MARK} now", MARK: "@ana", "n": "a@b"}
    masker = _masker(emails=True)
    assert _masker().document(sent) == sent
    assert json.loads(masker.document(sent)) == kept
    assert masker.uris(("/u?e=ana%40parcel.example", "/u/ana@parcel.example/x")) == [
        f"/u?e={MARK}",
        f"/u/{MARK}/x",
    ]
    assert masker.traits(sent) == sent
    assert json.loads(masker.traits(b'{"password": "x"}')) == {"password": MARK}


def test_addresses_are_cut_to_their_network_only_on_demand() -> None:
    """The peer's own, and those in forwarding headers; other headers are left alone."""
    headers = {
        "X-Forwarded-For": "203.0.113.77, 2001:db8:1:2:3:4:5:6",
        "Forwarded": 'for="[2001:db8:1:2::7]:80";proto=https;by=198.51.100.4',
        "X-Version": "203.0.113.77",
    }
    masker = _masker(ip_addresses=True)
    assert masker.headers((headers,)) == [
        {
            "x-forwarded-for": "203.0.113.0, 2001:db8:1::",
            "forwarded": 'for="[2001:db8:1::]:80";proto=https;by=198.51.100.0',
            "x-version": "203.0.113.77",
        }
    ]
    assert masker.address("203.0.113.77") == "203.0.113.0"
    assert masker.address("2001:db8:1:2::7") == "2001:db8:1::"
    assert masker.address("::ffff:203.0.113.77") == "::ffff:203.0.113.0"
    assert masker.address("") == ""
    assert _masker().address("203.0.113.77") == "203.0.113.77"


def test_addresses_are_cut_wherever_they_stand_in_what_was_rejected() -> None:
    """What a field is cannot be told of an item that is no good, or of half of one."""
    item = (
        b'{"request": {"ip_address": "203.0.113.77", "headers": {"X-Real-IP": "2001:db8:1:2::7"}}}'
    )
    for sent in (item, item[:-3]):
        kept = _masker(ip_addresses=True).sample(sent)
        assert "203.0.113.0" in kept
        assert "2001:db8:1::" in kept
        assert "113.77" not in kept
        assert "db8:1:2" not in kept
        assert "203.0.113.77" in _masker().sample(sent)


def test_a_sample_hides_what_stands_beside_a_secret_name() -> None:
    """As HTTP archives and OpenTelemetry write them, whole and cut; other pairs stay readable."""
    archive = [
        {"name": "Cookie", "value": SECRET}, {"name": "X-Api-Key", "value": f"a}}{SECRET}"},
        {"name": "accept", "value": "kept-1"},
    ]  # fmt: skip
    exported = [
        {"key": "http.request.header.auth", "value": {"stringValue": f"a}}{SECRET}"}},
        {"key": "user.ssn", "value": {"arrayValue": {"values": [{"stringValue": SECRET}]}}},
        {"key": "url.path", "value": {"stringValue": "kept-2"}},
    ]
    flat = {"http.request.header.auth": SECRET, "user.ssn": SECRET, "service.name": "kept-3"}
    item = json.dumps({"a": archive, "b": exported, "c": flat, "end": "here"}).encode()
    masker = _masker(mask=("ssn",))
    for sent in (item, item[:-4], item.replace(b'": ', b'":').replace(b", ", b",")):
        sample = masker.sample(sent)
        assert SECRET not in sample
        assert all(word in sample for word in ("kept-1", "kept-2", "kept-3"))


def test_many_names_do_not_fill_the_memory_or_open_a_hole() -> None:
    """What is remembered is bounded; a secret between thousands of new names is still masked."""
    masker = Masker(MaskingPolicy(), VAULT)
    for round_ in range(3):
        names = {f"x-{round_}-{n}": "1" for n in range(4000)}
        masked = masker.headers(({**names, "Authorization": SECRET, **names},))[0]
        assert masked["authorization"] == MARK
    assert len(masker._header_names) < 10_000  # the promise is about memory
