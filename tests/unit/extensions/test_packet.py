"""A packet is one gzip file, made in pieces at different times, and gives back what it got."""

import gzip

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headwater.extensions.packet import pack

TAIL = b'],"sentAt":"2026-11-23T10:00:00.000Z"}'
MESSAGES = st.lists(st.dictionaries(st.text(), st.text() | st.integers()), min_size=1, max_size=20)


@given(MESSAGES)
def test_a_packet_closes_to_one_envelope(messages: list[dict[str, object]]) -> None:
    """Every unpacker reads it; squeezed or plain, it is the same."""
    packet = pack([msgspec.json.encode(message) for message in messages])
    envelope = msgspec.json.decode(gzip.decompress(packet.gzipped(TAIL)))
    assert envelope == {"batch": messages, "sentAt": "2026-11-23T10:00:00.000Z"}
    assert packet.plain(TAIL) == gzip.decompress(packet.gzipped(TAIL))
    assert packet.items == len(messages)


@given(MESSAGES)
def test_a_packet_gives_its_messages_back(messages: list[dict[str, object]]) -> None:
    """Byte by byte, so that a half of it says the same."""
    payloads = [msgspec.json.encode(message) for message in messages]
    assert pack(payloads).payloads() == payloads
