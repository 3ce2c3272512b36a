"""A replay list from index and publications as they are now. Blocking: one thread calls it."""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from archive.index.rows import MOST_SEGMENTS, HeldSegment
from archive.names import UnitName
from archive.site.lists.hours import HOUR_US, Hour, UtcHour
from archive.site.lists.replay import replay
from archive.site.lists.times import Stamps, Times

LATE_US = 120_000_000
"""So long after its end an hour still grows in any case: a live segment may take a minute to arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which list."""

    name: UnitName
    camera: str
    hour: Hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A list in gzip; ``digest`` is of its text. ``whole`` where it is not expected to change."""

    packed: bytes
    digest: str
    whole: bool

    def text(self) -> bytes:
        """As it is without gzip."""
        return zlib.decompress(self.packed, 31)


class Rows(Stamps, Protocol):
    """What is asked of the index; OSError where it fails."""

    def segments(
        self,
        name: UnitName,
        *,
        camera: str | None = None,
        boot_id: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
    ) -> list[HeldSegment]:
        """What lines name that shares time with the interval."""


class Public(Protocol):
    """What is asked of the publications; OSError where their database fails."""

    def published(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> set[int]:
        """Which lines from one ``seq`` to before another have public media."""


class HourLists:
    """Makes lists of hours. ``utc_us`` is the site's clock, None while it is not set."""

    def __init__(self, rows: Rows, public: Public, utc_us: Callable[[], int | None]) -> None:
        self._rows, self._public, self._utc_us = rows, public, utc_us
        self._times = Times(rows)

    def make(self, wanted: Wanted) -> Made | None:
        """The list as things stand; None where nothing of the hour is public. Raises OSError."""
        times = self._times.of(wanted.name)
        if times is None:
            return None
        rows: list[HeldSegment] = []
        for boot_id, from_ns, to_ns in times.windows(wanted.hour):
            if len(rows) >= MOST_SEGMENTS:
                break
            rows += self._rows.segments(
                wanted.name, camera=wanted.camera, boot_id=boot_id, from_ns=from_ns, to_ns=to_ns
            )
        found = replay(rows, wanted.hour, way=times.way, utc=times.utc, public=self._public_of(wanted.name, rows))
        if found is None:
            return None
        text = found.text.encode("ascii")
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        return Made(
            packed=packer.compress(text) + packer.flush(),
            digest=hashlib.sha256(text).hexdigest(),
            whole=found.whole and self._is_over(wanted.hour),
        )

    def _public_of(self, name: UnitName, rows: list[HeldSegment]) -> set[tuple[int, int]]:
        seqs: dict[int, list[int]] = {}
        for row in rows:
            seqs.setdefault(row.branch, []).append(row.seq)
        return {
            (branch, seq)
            for branch, some in seqs.items()
            for seq in self._public.published(name, branch, min(some), max(some) + 1)
        }

    def _is_over(self, hour: Hour) -> bool:
        """Boot time has no end that anybody would know."""
        now_us = self._utc_us()
        return isinstance(hour, UtcHour) and now_us is not None and now_us > (hour.number + 1) * HOUR_US + LATE_US
