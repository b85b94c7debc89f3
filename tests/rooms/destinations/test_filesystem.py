"""Files in a folder and objects in a bucket."""

import asyncio
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headwater.base.egress import Egress
from headwater.base.errors import InvalidInputError
from headwater.destinations import Outcome, check_settings, find_destination
from headwater.model import Message
from tests.support.destinations import deliver_to
from tests.support.messages import NOON, a_message
from tests.support.s3 import KEYS, REGION, run_store

MESSAGES = [a_message(f"m-{n}", traits={"name": f"Ångström {n}"}) for n in range(5)]


async def deliver(folder: Path, messages: list[Message], **more: str) -> list[Outcome]:
    return await deliver_to("filesystem", {"location": str(folder), **more}, messages)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def read(path: Path) -> list[Any]:
    """Read any of the forms."""
    if path.suffix == ".parquet":
        return [json.loads(text) for text in pq.read_table(path)["message"].to_pylist()]
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zst":
        data = pa.CompressedInputStream(io.BytesIO(data), "zstd").read()
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize(
    ("form", "compression", "ending"),
    [
        ("jsonl", "gzip", ".jsonl.gz"),
        ("jsonl", "zstd", ".jsonl.zst"),
        ("jsonl", "none", ".jsonl"),
        ("parquet", "gzip", ".parquet"),
        ("parquet", "zstd", ".parquet"),
        ("parquet", "none", ".parquet"),
    ],
)
async def test_every_form_reads_back(
    tmp_path: Path, form: str, compression: str, ending: str
) -> None:
    """What is in a file is what was received, whatever the form."""
    outcomes = await deliver(tmp_path, MESSAGES, format=form, compression=compression)
    assert [one.fate for one in outcomes] == ["delivered"] * 5
    (path,) = files(tmp_path)
    assert path.name.endswith(ending)
    assert path.parent == tmp_path / "source=src_1" / "date=2026-11-23"
    assert read(path) == [message.body for message in MESSAGES]


async def test_parquet_has_columns_to_ask_for(tmp_path: Path) -> None:
    """Ids and times are columns of their own."""
    await deliver(tmp_path, MESSAGES, format="parquet")
    (path,) = files(tmp_path)
    row = pq.read_table(path).to_pylist()[0]
    assert (row["message_id"], row["type"], row["user_id"]) == ("m-0", "identify", "u-1")
    assert (row["received_at"], row["event"]) == (NOON, None)


async def test_files_are_divided_by_source_and_day(tmp_path: Path) -> None:
    """By the day of receiving, in UTC: a message that comes again falls into the same."""
    late = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    messages = [
        a_message("a", received_at=late),
        a_message("b", received_at=late + timedelta(minutes=2)),
        a_message("c", source_id="src_2", received_at=late),
        a_message("d", received_at=late),
    ]
    await deliver(tmp_path, messages)
    found = {
        str(path.parent.relative_to(tmp_path)): [row["messageId"] for row in read(path)]
        for path in files(tmp_path)
    }
    assert found == {
        "source=src_1/date=2026-11-23": ["a", "d"],
        "source=src_1/date=2026-11-24": ["b"],
        "source=src_2/date=2026-11-23": ["c"],
    }


async def test_a_parcel_that_comes_again_makes_no_second_row(tmp_path: Path) -> None:
    """After a crash the same parcel replaces its own file, byte for byte."""
    await deliver(tmp_path, MESSAGES)
    before = {path: path.read_bytes() for path in files(tmp_path)}
    await deliver(tmp_path, MESSAGES)
    assert {path: path.read_bytes() for path in files(tmp_path)} == before
    (written,) = before.values()
    assert written[4:8] == bytes(4), "gzip must not hold the moment of writing"


async def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """Where a file cannot be moved to its place, nothing of it stays, and it is tried again."""
    await deliver(tmp_path, MESSAGES)
    (path,) = files(tmp_path)
    path.unlink()
    path.mkdir()
    (outcome, *_) = await deliver(tmp_path, MESSAGES)
    assert (outcome.fate, outcome.code) == ("retry", "DISK")
    assert files(tmp_path) == []


async def test_large_parcels_become_several_files(tmp_path: Path) -> None:
    await deliver(tmp_path, MESSAGES, batch_size="2")
    assert len(files(tmp_path)) == 3


async def test_objects_are_what_amazons_sdk_reads(tmp_path: Path) -> None:
    """Signed requests put them; one SDK signature the store would refuse, and this fails too."""
    async with run_store() as store:
        settings = {
            "location": "s3://raw-data/from headwater+1",
            "endpoint": store.url,
            "region": REGION,
            "compression": "none",
            **KEYS,
        }
        outcomes = await deliver_to("filesystem", settings, MESSAGES)
        assert [one.fate for one in outcomes] == ["delivered"] * 5
        await deliver_to("filesystem", settings, MESSAGES)
        assert (store.puts, store.refused) == (2, 0)
        (path,) = store.objects
        assert path.startswith("raw-data/from headwater+1/source=src_1/date=2026-11-23/")
        (data,) = await asyncio.to_thread(store.read_by_sdk, path)
        assert [json.loads(line) for line in data.splitlines()] == [m.body for m in MESSAGES]
        shown = outcomes[0].exchanges[0]
        assert shown.headers["authorization"] == "••••"
        wrong = {**settings, "secret_access_key": "another secret"}
        (refused, *_) = await deliver_to("filesystem", wrong, MESSAGES)
        assert (refused.fate, refused.status, store.refused) == ("dead", 403, 1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"location": "relative"}, "location"),
        ({"location": "/no/such/folder"}, "location"),
        ({"location": "s3://X"}, "location"),
        ({"location": "s3://bucket/a?b"}, "location"),
        ({"location": "s3://bucket"}, "access_key_id"),
        ({"location": "s3://bucket", "access_key_id": "a"}, "secret_access_key"),
        ({"location": "s3://bucket", **KEYS, "region": "EU/../x"}, "region"),
        ({"location": "/", "format": "csv"}, "format"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_settings(find_destination("filesystem"), values, Egress())
    assert caught.value.field == field
