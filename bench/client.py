"""One station's connection as the load generator has it: blocking, raw HTTP/1.1 over TLS, as cheap as Python can."""

import base64
import json
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.heavy import Heavy

WAIT_S = 60
MOST_LINES = 1_024
"""In one request; below what spec/upload.md allows."""
_RECEIVE_BYTES = 1 << 16
_LINES = "Content-Type: application/vnd.unbroken.lines\r\n"
_JSON = "Content-Type: application/json\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, the seconds of Retry-After where there are any, and the body."""

    status: int
    retry_after_s: int
    body: bytes


class Wire:
    """A connection that is kept."""

    def __init__(self, port: int, *, root: Path, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cafile=root)
        context.load_cert_chain(certificate, key)
        plain = socket.create_connection(("127.0.0.1", port), WAIT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self._held = b""

    def exchange(self, method: str, path: str, headers: str, parts: Sequence[bytes]) -> Answer:
        """One request with a body of ``parts``; ``headers`` are whole lines. Raises OSError."""
        length = sum(map(len, parts))
        head = f"{method} {path} HTTP/1.1\r\nHost: archive\r\nContent-Length: {length}\r\n{headers}\r\n"
        self._socket.sendall(head.encode() + (parts[0] if parts else b""))
        for part in parts[1:]:
            self._socket.sendall(part)
        return self._answer()

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> Answer:
        while b"\r\n\r\n" not in self._held:
            self._receive()
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._held) < length:
            self._receive()
        body, self._held = self._held[:length], self._held[length:]
        return Answer(status=int(first.split()[1]), retry_after_s=int(headers.get("retry-after", "0")), body=body)

    def _receive(self) -> None:
        some = self._socket.recv(_RECEIVE_BYTES)
        if not some:
            raise ConnectionError("the server has hung up")
        self._held += some


@dataclass(slots=True, kw_only=True)
class Client:
    """A station: its connection and what it has not sent yet.

    ``receipt_every`` is after how many segments it asks for a receipt, 0 for never; ``with_lines`` whether the line of
    each segment goes right before it.
    """

    wire: Wire
    uploads: list[Heavy]
    receipt_every: int = 0
    with_lines: bool = False
    waits: int = 0
    """How often it was told to come again later."""
    _unproven: list[str] = field(default_factory=list)

    def lines(self, texts: Sequence[bytes]) -> None:
        """Deliver lines. Raises RuntimeError where they are not taken."""
        for begin in range(0, len(texts), MOST_LINES):
            body = b"".join(text + b"\n" for text in texts[begin : begin + MOST_LINES])
            self._patiently("POST", "/v1/lines", _LINES, [body], 200)

    def segment(self) -> Heavy:
        """Deliver the next segment; on return it has been acknowledged."""
        heavy = self.uploads.pop(0)
        if self.with_lines:
            self.lines([heavy.line])
        digest = base64.b64encode(bytes.fromhex(heavy.sha256)).decode()
        headers = f"Content-Type: video/mp4\r\nRepr-Digest: sha-256=:{digest}:\r\nPriority: u=1\r\n"
        self._patiently("PUT", f"/v1/media/{heavy.sha256}", headers, [heavy.head, heavy.tail], 201)
        self._unproven.append(heavy.sha256)
        return heavy

    def receipt(self) -> None:
        """Ask for a receipt where it is time."""
        if self.receipt_every and len(self._unproven) >= self.receipt_every:
            body = json.dumps({"media": sorted(self._unproven)}).encode()
            self._unproven.clear()
            answer = self._patiently("POST", "/v1/receipts", _JSON, [body], 200)
            if json.loads(answer.body)["receipt"] is None:
                raise RuntimeError(f"no receipt: {answer.body!r}")

    def _patiently(self, method: str, path: str, headers: str, parts: Sequence[bytes], wanted: int) -> Answer:
        """Ask until the answer is none that says: later. Raises RuntimeError for any other than ``wanted``."""
        while True:
            answer = self.wire.exchange(method, path, headers, parts)
            if answer.status == wanted:
                return answer
            if answer.status != 503:
                raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:200]!r}")
            self.waits += 1
            time.sleep(answer.retry_after_s)
