"""The settings of files: where they go, and in which form.

In: checked settings. Out: complete ones; an error names the setting that is wrong.
"""

import re
from pathlib import Path

from headwater.base.errors import InvalidInputError
from headwater.destinations.contract import Choice, Setting, Values

_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[^?#]*))?")
_REGION = re.compile(r"[a-z0-9-]{1,40}")

SETTINGS = (
    Setting(
        name="location",
        title="Location",
        help="A folder of the server that exists, such as /var/lib/exports, or s3://bucket/prefix.",
        is_required=True,
    ),
    Setting(
        name="format",
        title="Format",
        help="How rows are written.",
        kind="choice",
        default="jsonl",
        choices=(Choice("jsonl", "JSON lines"), Choice("parquet", "Parquet")),
    ),
    Setting(
        name="compression",
        title="Compression",
        help="How files are compressed.",
        kind="choice",
        default="gzip",
        choices=(Choice("gzip", "gzip"), Choice("zstd", "Zstandard"), Choice("none", "None")),
    ),
    Setting(
        name="batch_size",
        title="Messages in one file",
        help="At most; what waits is written at once, so quiet sources make small files.",
        kind="integer",
        default="10000",
        least=1,
        most=100_000,
    ),
    Setting(name="region", title="S3 region", help="Of the bucket.", default="us-east-1"),
    Setting(
        name="endpoint",
        title="S3 endpoint",
        help="Of a store that is not Amazon's, such as https://minio.example.com.",
        kind="url",
    ),
    Setting(name="access_key_id", title="S3 access key id", help="Needed for s3:// locations."),
    Setting(
        name="secret_access_key",
        title="S3 secret access key",
        help="Needed for s3:// locations; it may write objects, nothing more.",
        is_secret=True,
    ),
)


def complete(values: Values) -> dict[str, str]:
    """Return complete settings, or raise an error that names the field."""
    found = {**values, "location": values["location"].rstrip("/") or "/"}
    if is_s3(found):
        _check_s3(found)
    else:
        _check_folder(found["location"])
    return found


def is_s3(values: Values) -> bool:
    """Tell whether files go to a bucket."""
    return values["location"].startswith("s3:")


def bucket_and_prefix(values: Values) -> tuple[str, str]:
    """Return the two parts of an S3 location."""
    found = _S3.fullmatch(values["location"])
    if found is None:
        raise InvalidInputError("An S3 location has the form s3://bucket/prefix.", field="location")
    return found["bucket"], (found["prefix"] or "").strip("/")


def _check_s3(values: Values) -> None:
    bucket_and_prefix(values)
    for name in ("access_key_id", "secret_access_key"):
        if not values[name]:
            raise InvalidInputError(f"An S3 location needs {name}.", field=name)
    if not _REGION.fullmatch(values["region"]):
        raise InvalidInputError("`region` is a name such as eu-central-1.", field="region")


def _check_folder(location: str) -> None:
    folder = Path(location)
    if not folder.is_absolute() or not folder.is_dir():
        raise InvalidInputError(
            f"{location} is no folder of the server.",
            field="location",
            hint="Give the whole path of a folder that exists, or s3://bucket/prefix.",
        )
