"""The control socket (docs/reference/control.md): one JSON object a line in, one a line out."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from base.errors import OperatorError

log = logging.getLogger("unbroken.control")

Request = dict[str, object]
Answer = Callable[[Request], Awaitable[dict[str, object]]]

MAX_LINE_BYTES = 4_096
MAX_CLIENTS = 8
IDLE_S = 30
ANSWER_S = 60
"""What was asked is done once it has begun; only the answer is given up."""
CLOSING_S = 1


class ControlServer:
    """Listens on one Unix socket and hands each request to ``answer``. Who may connect is the socket's file mode."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self._path = path
        self._answer = answer
        self._clients = 0
        self._deserted = asyncio.Event()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """The socket exists while the context is open."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_LINE_BYTES)
        os.chmod(self._path, 0o660)
        try:
            yield
        finally:
            server.close()
            # Answers already given reach their clients, who then hang up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_S if self._clients else 0):
                    await self._deserted.wait()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        self._deserted.clear()
        try:
            if self._clients <= MAX_CLIENTS:
                await self._converse(reader, writer)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._clients -= 1
            if not self._clients:
                self._deserted.set()
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    line = await reader.readline()
            except ValueError:
                reply: dict[str, object] = {"ok": False, "error": f"A request has at most {MAX_LINE_BYTES} bytes."}
                line = b""
            else:
                if not line:
                    return
                async with asyncio.timeout(ANSWER_S):
                    reply = await self._reply(line)
            writer.write(json.dumps(reply).encode() + b"\n")
            async with asyncio.timeout(IDLE_S):
                await writer.drain()
            if not line:
                return

    async def _reply(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return {"ok": False, "error": "A request is one JSON object on one line."}
        if not isinstance(request, dict):
            return {"ok": False, "error": "A request is one JSON object on one line."}
        try:
            return {"ok": True, **await self._answer(request)}
        except OperatorError as error:
            return {"ok": False, "error": str(error)}
        except Exception:
            log.exception("a request failed")
            return {"ok": False, "error": "The recorder could not answer; its log says why."}


def ask(path: Path, request: Request, *, timeout_s: float = 30) -> dict[str, object]:
    """Send one request to a recorder and wait for its answer. For command lines; blocks.

    Raises OperatorError where no recorder listens or where it refuses.
    """
    return asyncio.run(_ask(path, request, timeout_s))


async def _ask(path: Path, request: Request, timeout_s: float) -> dict[str, object]:
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
            writer.close()
    except (OSError, TimeoutError) as error:
        raise OperatorError(
            f"The recorder does not answer at {path}.",
            hint="Check that it runs and that you may use its socket.",
        ) from error
    reply = json.loads(line) if line else {"ok": False, "error": "The recorder closed the connection."}
    if not isinstance(reply, dict) or not reply.get("ok"):
        raise OperatorError(str(reply.get("error", "The recorder refused.")))
    return reply
