"""How much is taken in at a time, so that memory and the disk's queue stay bounded: backfill waits before live does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from archive.ingest.refusal import RefusedError

BACKFILL_FROM = 4
"""Urgencies from here on (RFC 9218: 0 is the most urgent, 7 the least) are backfill."""
_LIVE_S, _BACKFILL_S, _FULL_S = 1, 5, 60


class Admission:
    """Counts the bytes of bodies that are being received or wait for the committer."""

    def __init__(
        self, *, most_bytes: int, most_backfill_bytes: int, least_free_bytes: int, free_bytes: Callable[[], int]
    ) -> None:
        self._most = most_bytes
        self._most_backfill = most_backfill_bytes
        self._least_free = least_free_bytes
        self._free_bytes = free_bytes
        self.in_flight_bytes = 0

    @contextmanager
    def admit(self, size_bytes: int, urgency: int) -> Iterator[None]:
        """Room for a body while the block lasts. Raises RefusedError (503) where there is none at the moment."""
        backfill = urgency >= BACKFILL_FROM
        if self.in_flight_bytes + size_bytes > (self._most_backfill if backfill else self._most):
            seconds = _BACKFILL_S if backfill else _LIVE_S
            raise RefusedError(503, "busy", "too much at the moment", retry_after_s=seconds)
        if self._free_bytes() < self._least_free + self.in_flight_bytes + size_bytes:
            raise RefusedError(503, "disk-full", "the archive's disk is nearly full", retry_after_s=_FULL_S)
        self.in_flight_bytes += size_bytes
        try:
            yield
        finally:
            self.in_flight_bytes -= size_bytes
