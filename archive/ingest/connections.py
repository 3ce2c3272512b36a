"""Connections of units: how many one unit may have, and how long one may be open and ask nothing.

Every connection costs memory for TLS, whoever opened it, so a unit that opens a thousand must not take it from others.
A station whose network changes leaves connections behind that are dead and not closed: the newest are the living ones.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable

from archive.ingest.refusal import RefusedError
from archive.names import UnitName

MOST_OF_A_UNIT = 16
"""An uplink has at most 8, and may have left as many behind."""
_log = logging.getLogger("archive")


class Connections:
    """What one process holds open. Where a unit opens one too many, its oldest is cut."""

    def __init__(self, unit: Callable[[bytes], UnitName], most_of_a_unit: int = MOST_OF_A_UNIT) -> None:
        """``unit`` says whose a certificate is, or raises RefusedError."""
        self._unit = unit
        self._most = most_of_a_unit
        self._open: dict[UnitName | bytes, dict[asyncio.Transport, None]] = {}

    def watched(self, factory: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """A factory of the same protocols, for TLS only, whose connections are counted."""
        return lambda: _Watched(factory(), self)

    def count(self, owner: UnitName) -> int:
        """How many a unit has."""
        return len(self._open.get(owner, ()))

    def made(self, transport: asyncio.Transport) -> UnitName | bytes:
        """One more. Returns under whom it counts."""
        owner = self._owner(transport)
        own = self._open.setdefault(owner, {})
        own[transport] = None
        if len(own) > self._most:
            oldest = next(iter(own))
            del own[oldest]
            oldest.abort()
            _log.warning("a unit has too many connections", extra={"fields": {"unit": str(owner)}})
        return owner

    def lost(self, owner: UnitName | bytes, transport: asyncio.Transport) -> None:
        """One less."""
        own = self._open.get(owner, {})
        own.pop(transport, None)
        if not own:
            self._open.pop(owner, None)

    def _owner(self, transport: asyncio.Transport) -> UnitName | bytes:
        connection = transport.get_extra_info("ssl_object")
        der = connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLObject) else None
        try:
            return self._unit(der or b"")
        except RefusedError:
            # Its requests are told why. Those that are nobody's share one place for each certificate.
            return der or b""


class _Watched(asyncio.Protocol):
    """Passes everything on to ``inner``."""

    def __init__(self, inner: asyncio.Protocol, connections: Connections) -> None:
        self._inner, self._connections = inner, connections
        self._made: tuple[UnitName | bytes, asyncio.Transport] | None = None
        # Called for every piece that comes.
        self.data_received = inner.data_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._made = (self._connections.made(transport), transport)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._made is not None:
            self._connections.lost(*self._made)
        self._inner.connection_lost(exc)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
