"""Connections before anybody is known: the TLS handshake, and who does not get through it.

A client without a certificate of the election's chain never gets as far as a request, so nobody could answer it with a
reason. It is counted here by its address, and told at most once a minute, however often it comes.
"""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from archive.finding import Finding, Oddity

_HANDSHAKE_S, _GOODBYE_S = 20, 5
_BACKLOG = 1_024
_MOST_GREETINGS = 1_024
"""Handshakes at a time."""
_PAUSE_S = 60
_UNABLE_S = 1
_MOST_ADDRESSES = 1_000
_OTHERS = "other addresses"
_GONE = {errno.ECONNABORTED, errno.EPROTO, errno.EINTR}
"""The client has gone before it was taken. Any other error may stay: mostly, there are no files left."""
_NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"
_log = logging.getLogger("archive")


class Strangers:
    """Who was turned away for the certificate: by address, between two times that the committer is told."""

    def __init__(self, found: Callable[[Finding], Awaitable[None]], utc_us: Callable[[], int | None]) -> None:
        self._found, self._utc_us = found, utc_us
        self._counted: Counter[str] = Counter()
        self._why = ""
        self._some = asyncio.Event()

    def turned_away(self, address: str, why: str) -> None:
        """Once more."""
        full = len(self._counted) >= _MOST_ADDRESSES and address not in self._counted
        self._counted[_OTHERS if full else address] += 1
        self._why = why
        self._some.set()

    async def run(self, ending: asyncio.Event) -> None:
        """Tell the committer, at once and then at most once a minute, until ``ending``; and what is left then."""
        while not ending.is_set():
            await _first(self._some, ending)
            await self._tell()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_S):
                    await ending.wait()
        await self._tell()

    async def _tell(self) -> None:
        counted, self._counted = self._counted, Counter()
        self._some.clear()
        if not counted:
            return
        address = next(iter(counted))
        fields = {"connections": counted.total(), "addresses": len(counted), "one": address, "why": self._why}
        _log.warning("connections without a certificate of the election were refused", extra={"fields": fields})
        try:
            for address, count in counted.items():
                await self._found(
                    Finding(
                        name=None,
                        subject=f"{Oddity.UNKNOWN_PEER}:{address}",
                        code=Oddity.UNKNOWN_PEER,
                        detail=f"{address}: {self._why}",
                        utc_us=self._utc_us(),
                        count=count,
                    )
                )
        except OSError as error:  # the archive is ending
            _log.error("refused connections were not counted", extra={"fields": {"error": str(error)}})


@contextlib.asynccontextmanager
async def open_door(
    listener: socket.socket, context: ssl.SSLContext, factory: Callable[[], asyncio.Protocol], strangers: Strangers
) -> AsyncIterator[None]:
    """Connections are taken while the block lasts; those that are through the handshake go on behind it."""
    listener.setblocking(False)
    listener.listen(_BACKLOG)
    ending = asyncio.Event()
    greetings: set[asyncio.Task[None]] = set()

    async def accept() -> None:
        loop = asyncio.get_running_loop()
        while True:
            if len(greetings) >= _MOST_GREETINGS:
                # The others wait in the backlog: strangers cost no more memory than this.
                await asyncio.wait(greetings, return_when=asyncio.FIRST_COMPLETED)
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno not in _GONE:
                    _log.error("no connection can be taken", extra={"fields": {"error": str(error)}})
                    await asyncio.sleep(_UNABLE_S)
                continue
            task = asyncio.create_task(_greet(connection, str(address[0]), context, factory, strangers))
            greetings.add(task)
            task.add_done_callback(greetings.discard)

    accepting = asyncio.create_task(accept())
    telling = asyncio.create_task(strangers.run(ending))
    try:
        yield
    finally:
        for task in (accepting, *greetings):
            task.cancel()
        await asyncio.wait({accepting, *greetings})
        listener.close()
        ending.set()
        await telling


async def _greet(
    connection: socket.socket,
    address: str,
    context: ssl.SSLContext,
    factory: Callable[[], asyncio.Protocol],
    strangers: Strangers,
) -> None:
    try:
        await asyncio.get_running_loop().connect_accepted_socket(
            factory, connection, ssl=context, ssl_handshake_timeout=_HANDSHAKE_S, ssl_shutdown_timeout=_GOODBYE_S
        )
    except ssl.SSLCertVerificationError as error:
        strangers.turned_away(address, error.verify_message)
    except ssl.SSLError as error:
        # Anything else is no claim to be a station: a browser, a scan of ports.
        if error.reason == _NO_CERTIFICATE:
            strangers.turned_away(address, "no certificate")
    except OSError:
        pass  # gone, or too slow


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
