"""A clock that a test owns."""

import threading

from base.clock import Reading


class FakeClock:
    """Stands still except in ``wait``, which takes no real time and moves both clocks on. Safe between threads."""

    def __init__(self, *, boot_ns: int = 0, utc_us: int | None = None, error_us: int | None = None) -> None:
        self._lock = threading.Lock()
        self._boot_ns = boot_ns
        # UTC as a distance from boot time, so that both advance by the same nanoseconds.
        self._utc_minus_boot_ns = None if utc_us is None else utc_us * 1000 - boot_ns
        self.error_us = error_us

    def boot_ns(self) -> int:
        with self._lock:
            return self._boot_ns

    def read(self) -> Reading:
        with self._lock:
            if self._utc_minus_boot_ns is None:
                return Reading(boot_ns=self._boot_ns, utc_us=None, error_us=None)
            utc_us = (self._boot_ns + self._utc_minus_boot_ns) // 1000
            return Reading(boot_ns=self._boot_ns, utc_us=utc_us, error_us=self.error_us)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if not event.is_set():
            self.advance(round(seconds * 1e9))
        return event.is_set()

    def advance(self, nanoseconds: int) -> None:
        """Let ``nanoseconds`` pass on both clocks."""
        with self._lock:
            self._boot_ns += nanoseconds

    def set_utc(self, utc_us: int | None) -> None:
        """Step the wall clock, or unset it; boot time does not notice."""
        with self._lock:
            self._utc_minus_boot_ns = None if utc_us is None else utc_us * 1000 - self._boot_ns
