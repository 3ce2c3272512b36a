"""How much is taken in at a time, so that memory and the disk's queue stay bounded: backfill waits before live does."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from archive.config import Limits
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from evidence.lines import MAX_SEGMENT_BYTES

BACKFILL_FROM = 4
"""Urgencies from here on (RFC 9218: 0 is the most urgent, 7 the least) are backfill."""
MOST_OF_A_UNIT = MAX_SEGMENT_BYTES
"""What one unit may have in flight: its largest segment, or many of the usual size."""
_LIVE_S, _BACKFILL_S, _FULL_S = 1, 5, 60
_SEGMENT_MIB = MAX_SEGMENT_BYTES >> 20


def share(limits: Limits) -> Limits:
    """What each of ``limits.workers`` admits: one segment always, and together what is allowed, or little more."""
    if limits.workers == 1:
        return limits
    return replace(
        limits,
        in_flight_mib=max(limits.in_flight_mib // limits.workers, _SEGMENT_MIB),
        backfill_mib=max(limits.backfill_mib // limits.workers, min(limits.backfill_mib, _SEGMENT_MIB)),
    )


class Admission:
    """Counts the bytes of bodies that are being received or wait to be kept."""

    def __init__(
        self,
        *,
        most_bytes: int,
        most_backfill_bytes: int,
        least_free_bytes: int,
        free_bytes: Callable[[], int],
        most_of_a_unit: int = MOST_OF_A_UNIT,
    ) -> None:
        self._most = most_bytes
        self._most_backfill = most_backfill_bytes
        self._most_of_a_unit = most_of_a_unit
        self._least_free = least_free_bytes
        self._free_bytes = free_bytes
        self._units: Counter[UnitName] = Counter()
        self.in_flight_bytes = 0

    @contextmanager
    def admit(self, name: UnitName, size_bytes: int, urgency: int) -> Iterator[None]:
        """Room for a body while the block lasts. Raises RefusedError (429, 503) where there is none at the moment."""
        backfill = urgency >= BACKFILL_FROM
        seconds = _BACKFILL_S if backfill else _LIVE_S
        own_bytes = self._units.get(name, 0)
        if own_bytes and own_bytes + size_bytes > self._most_of_a_unit:
            raise RefusedError(429, "busy", "too much of one unit at a time", retry_after_s=seconds)
        if self.in_flight_bytes + size_bytes > (self._most_backfill if backfill else self._most):
            raise RefusedError(503, "busy", "too much at the moment", retry_after_s=seconds)
        if self._free_bytes() < self._least_free + self.in_flight_bytes + size_bytes:
            raise RefusedError(503, "disk-full", "the archive's disk is nearly full", retry_after_s=_FULL_S)
        self.in_flight_bytes += size_bytes
        self._units[name] += size_bytes
        try:
            yield
        finally:
            self.in_flight_bytes -= size_bytes
            self._units[name] -= size_bytes
            if not self._units[name]:
                del self._units[name]
