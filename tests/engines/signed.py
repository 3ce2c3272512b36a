"""The few requests about buckets that obstore has no words for, signed by hand (AWS Signature Version 4)."""

import hashlib
import hmac
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.engines.gateway import ACCESS_KEY, REGION, SECRET_KEY

_VERSIONED = (
    b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status>'
    b"</VersioningConfiguration>"
)


def make_bucket(endpoint: str, bucket: str, *, versioned: bool = False) -> None:
    """A new bucket, which keeps every version where ``versioned``."""
    _send(endpoint, "PUT", f"/{bucket}", "", b"")
    if versioned:
        _send(endpoint, "PUT", f"/{bucket}", "versioning=", _VERSIONED)


def _send(endpoint: str, method: str, path: str, query: str, body: bytes) -> None:
    host = urlsplit(endpoint).netloc
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": now}
    names = ";".join(sorted(headers))
    lines = [method, path, query, *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, digest]
    scope = f"{now[:8]}/{REGION}/s3/aws4_request"
    request = "\n".join(("AWS4-HMAC-SHA256", now, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()))
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (now[:8], REGION, "s3", "aws4_request", request):
        key = hmac.digest(key, part.encode(), "sha256")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    connection = HTTPConnection(host, timeout=30)
    try:
        connection.request(method, f"{path}?{query}" if query else path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, (answer.status, text)
    finally:
        connection.close()
