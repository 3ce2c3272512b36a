"""The line at the level of HTTP: every exchange between one station and its archive is counted, and any can be lost.

It holds both sides' keys: TLS ends here on either side, with the real certificates.
"""

import asyncio
import ssl
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

_MOST_BYTES = 1 << 22


class Lost(StrEnum):
    """What of an exchange never arrives; then the connection is cut."""

    REQUEST = "request"
    HALF_THE_REQUEST = "half the request"
    ANSWER = "answer"
    HALF_THE_ANSWER = "half the answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request, and the status that the archive gave it, which may not have arrived; None where it gave none."""

    request: str
    status: int | None
    lost: Lost | None


class ExchangeLink:
    """An async context manager; while it is entered, ``port`` leads to ``target``. Loses what ``lose`` names."""

    def __init__(self, target: int, *, here: ssl.SSLContext, there: ssl.SSLContext) -> None:
        """``here`` is the archive's side of TLS, shown to the station; ``there`` is the station's."""
        self.target = target
        self.port = 0
        self.lose: dict[int, Lost] = {}
        """By number of the exchange, in the order in which requests begin, from 0."""
        self.exchanges: list[Exchange] = []
        """Those that are over, in the order in which they ended."""
        self._here, self._there = here, there
        self._begun = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0, ssl=self._here)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until one of the ends goes or something of it is lost."""
        archive: asyncio.StreamWriter | None = None
        try:
            answers, archive = await asyncio.open_connection("127.0.0.1", self.target, ssl=self._there)
            while await self._exchange(reader, writer, answers, archive):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
            if archive is not None:
                archive.transport.abort()

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        archive: asyncio.StreamWriter,
    ) -> bool:
        """One exchange; whether the connection goes on."""
        request = await _message(reader)
        number, self._begun = self._begun, self._begun + 1
        lost, status = self.lose.get(number), None
        try:
            if lost is Lost.REQUEST:
                return False
            archive.write(request[: len(request) // 2] if lost is Lost.HALF_THE_REQUEST else request)
            await archive.drain()
            if lost is Lost.HALF_THE_REQUEST:
                return False
            answer = await _message(answers)
            status = int(answer.split(b" ", 2)[1])
            if lost is Lost.ANSWER:
                return False
            writer.write(answer[: len(answer) // 2] if lost is Lost.HALF_THE_ANSWER else answer)
            await writer.drain()
            return lost is None
        finally:
            name = request.split(b" HTTP/", 1)[0].decode("ascii")
            self.exchanges.append(Exchange(request=name, status=status, lost=lost))


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A request or an answer, head and body. Raises IncompleteReadError where the other side has no more to say."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = head.decode("latin-1").lower().split("\r\n")[1:]
    sizes = [int(field.split(":", 1)[1]) for field in fields if field.startswith("content-length:")]
    size_bytes = sizes[0] if sizes else 0
    assert size_bytes <= _MOST_BYTES, "neither side sends that much"
    return head + await reader.readexactly(size_bytes)
