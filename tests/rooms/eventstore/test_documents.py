"""Bodies and metadata are JSON in the store, whatever kind of JSON clients sent."""

import msgspec
import pytest

from headwater.base.vault import Vault
from headwater.collector.hiding import hide_secrets
from headwater.collector.masking import masker_for
from headwater.eventstore import EventStore
from headwater.workspace import MaskingPolicy
from tests.support.calls import call_lines, make_call

_DOCUMENTS = ("request_body", "response_body", "metadata")
_KINDS = [
    '"aGVsbG8="',
    '"42"',
    '"{\\"a\\": 1}"',
    '"a \\"word\\",\\n\\u00e9 \\\\"',
    '""',
    '{"request_body":"a"}',
    "[1, {}]",
    "4.50",
    "false",
]


@pytest.mark.parametrize("kind", _KINDS)
async def test_a_document_is_stored_as_it_came(store: EventStore, kind: str) -> None:
    """Text too, which the engine would strip of its quotes: base64 bodies are text."""
    document = msgspec.Raw(kind.encode())
    call = make_call(request_body=document, response_body=document, metadata=document)
    hide_secrets([call], masker_for(MaskingPolicy(), Vault(bytes(32))))
    lines = call_lines([call, make_call("call_2")])
    await store.insert_lines("landing", lines, token="calls:1-1")
    rows = await store.select(f"SELECT {', '.join(_DOCUMENTS)} FROM bodies ORDER BY call_id")
    assert rows == [dict.fromkeys(_DOCUMENTS, kind), dict.fromkeys(_DOCUMENTS, "")]
