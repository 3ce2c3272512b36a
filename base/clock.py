"""Time as the kernel tells it: boot time that only runs forward, and UTC with its state and error.

Media time is CLOCK_BOOTTIME; UTC is an observation beside it and may be absent, wrong or step.
"""

import ctypes
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PLAUSIBLE_AFTER_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z. A wall clock before this software existed has not been set."""

_LOOKS = 8
_TIGHT_NS = 20_000
"""Two looks at boot time this close around one at UTC are good enough."""

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at both clocks. ``utc_us`` is None while the wall clock is unset; ``error_us`` is None unless synced."""

    boot_ns: int
    utc_us: int | None
    error_us: int | None


class Clock(Protocol):
    """The clocks that a program may use; injected, so that tests own time."""

    def boot_ns(self) -> int:
        """Nanoseconds of CLOCK_BOOTTIME."""

    def read(self) -> Reading:
        """Boot time and UTC, taken together."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for ``event`` or until ``seconds`` of this clock have passed; True if the event came."""


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2) on 64-bit Linux."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_sec", ctypes.c_long),
        ("time_usec", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("pps", ctypes.c_byte * 136),
    ]


class SystemClock:
    """The kernel's clocks."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def boot_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def read(self) -> Reading:
        before, utc_ns, after = self._look()
        utc_us = utc_ns // 1000
        timex = _Timex()
        state = self._libc.adjtimex(ctypes.byref(timex))
        synced = state not in (-1, _TIME_ERROR) and not timex.status & _STA_UNSYNC
        plausible = utc_us >= PLAUSIBLE_AFTER_US
        return Reading(
            boot_ns=(before + after) // 2,
            utc_us=utc_us if plausible else None,
            # What a preempted process cannot know of the instant is part of the error.
            error_us=int(timex.maxerror) + (after - before) // 2000 + 1 if synced and plausible else None,
        )

    def _look(self) -> tuple[int, int, int]:
        """Boot time, UTC and boot time again, in nanoseconds: the tightest of a few tries."""
        best: tuple[int, int, int] | None = None
        for _ in range(_LOOKS):
            look = self.boot_ns(), time.clock_gettime_ns(time.CLOCK_REALTIME), self.boot_ns()
            if best is None or look[2] - look[0] < best[2] - best[0]:
                best = look
            if best[2] - best[0] <= _TIGHT_NS:
                break
        assert best is not None
        return best

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)


def kernel_boot_id() -> str:
    """The kernel's random id of this boot, 32 hex digits (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
