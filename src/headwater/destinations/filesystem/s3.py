"""Put objects into an S3 bucket, by requests signed with AWS Signature Version 4.

In: settings, a key, bytes. Out: an outcome. An object is there whole or not at all; putting it
again replaces it. It goes the guarded way out, as every request of this server does.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from headwater.destinations.contract import Values
from headwater.destinations.filesystem.settings import bucket_and_prefix
from headwater.destinations.wire import Outcome, Wire

_ALGORITHM = "AWS4-HMAC-SHA256"


async def put_object(
    wire: Wire, values: Values, path: str, data: bytes, content_type: str, at: datetime
) -> Outcome:
    """Put one object, once."""
    url = object_url(values, path)
    headers = {
        "content-type": content_type,
        "host": urlsplit(url).netloc,
        "x-amz-content-sha256": hashlib.sha256(data).hexdigest(),
        "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}",
    }
    signed = {**headers, "authorization": authorization(values, "PUT", url, headers)}
    return (await wire.ask(url, data, signed, method="PUT")).outcome


def object_url(values: Values, path: str) -> str:
    """Return an object's URL: Amazon names the bucket in the host, others in the path."""
    bucket, prefix = bucket_and_prefix(values)
    key = quote("/".join(part for part in (prefix, path) if part), safe="/-_.~")
    if values["endpoint"]:
        return f"{values['endpoint'].rstrip('/')}/{bucket}/{key}"
    if "." in bucket:  # such a host would fit no certificate
        return f"https://s3.{values['region']}.amazonaws.com/{bucket}/{key}"
    return f"https://{bucket}.s3.{values['region']}.amazonaws.com/{key}"


def authorization(values: Values, method: str, url: str, headers: Mapping[str, str]) -> str:
    """Return the header that proves who asks; `headers` are all signed, lower-case."""
    moment = headers["x-amz-date"]
    scope = f"{moment[:8]}/{values['region']}/s3/aws4_request"
    names = ";".join(sorted(headers))
    parts = urlsplit(url)
    request = "\n".join(
        [
            method,
            parts.path,
            parts.query,
            *(f"{name}:{headers[name].strip()}" for name in sorted(headers)),
            "",
            names,
            headers["x-amz-content-sha256"],
        ]
    )
    text = "\n".join([_ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{values['secret_access_key']}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return (
        f"{_ALGORITHM} Credential={values['access_key_id']}/{scope}, "
        f"SignedHeaders={names}, Signature={_mac(key, text).hex()}"
    )


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
