"""What answers instead of an S3 store: anything, as a test says it, request by request."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``length`` is what Content-Length says, where it lies; ``store`` is whether it has the headers of a store."""

    status: int
    body: bytes = b""
    length: int | None = None
    store: bool = True


class AnsweringStore:
    """Listens on the loopback while the block lasts. ``answer`` is asked with method and path."""

    def __init__(self, answer: Callable[[str, str], Answer]) -> None:
        self.asked: list[tuple[str, str]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked.append((self.command, self.path))
                answered = answer(self.command, self.path)
                self.send_response(answered.status)
                length = len(answered.body) if answered.length is None else answered.length
                self.send_header("Content-Length", str(length))
                if answered.store:
                    self.send_header("Last-Modified", "Wed, 25 Nov 2026 12:00:00 GMT")
                    self.send_header("ETag", '"x"')
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answered.body)
                if length > len(answered.body):
                    self.close_connection = True

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _value: object, _traceback: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
