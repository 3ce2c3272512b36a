"""What the kernel's clocks say, read so that nothing is claimed that was not seen."""

import threading
import time

import pytest

from base.clock import PLAUSIBLE_AFTER_US, SystemClock, kernel_boot_id


def test_boot_time_runs_forward_and_readings_fit_in_between() -> None:
    clock = SystemClock()
    before = clock.boot_ns()
    readings = [clock.read() for _ in range(100)]
    after = clock.boot_ns()
    times = [before, *(reading.boot_ns for reading in readings), after]
    assert times == sorted(times)


def test_utc_is_the_wall_clock_and_an_error_only_comes_with_it() -> None:
    reading = SystemClock().read()
    now_us = time.time_ns() // 1000
    if now_us < PLAUSIBLE_AFTER_US:
        assert (reading.utc_us, reading.error_us) == (None, None)
    else:
        assert reading.utc_us is not None
        assert abs(reading.utc_us - now_us) < 10_000_000
        assert reading.error_us is None or reading.error_us > 0


def test_a_wall_clock_from_before_this_software_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.clock_gettime_ns
    monkeypatch.setattr(
        time, "clock_gettime_ns", lambda which: 86_400 * 10**9 if which == time.CLOCK_REALTIME else real(which)
    )
    reading = SystemClock().read()
    assert (reading.utc_us, reading.error_us) == (None, None)


class _Scripted(SystemClock):
    """A clock whose looks are given; ``maxerror`` is what the kernel says."""

    def __init__(self, boot_ns: list[int]) -> None:
        super().__init__()
        self._boot_ns = boot_ns
        self._libc = self  # type: ignore[assignment]

    def boot_ns(self) -> int:
        return self._boot_ns.pop(0)

    @staticmethod
    def adjtimex(timex: object) -> int:
        timex._obj.maxerror = 4_000  # type: ignore[attr-defined]
        return 0


def test_the_tightest_look_counts_when_the_process_is_held_up() -> None:
    clock = _Scripted([1_000, 9_000_000, 20_000_000, 20_010_000])
    reading = clock.read()
    assert reading.boot_ns == 20_005_000
    assert reading.error_us == 4_000 + 5 + 1


def test_what_even_the_tightest_look_leaves_open_is_part_of_the_error() -> None:
    looks = [time_ns for number in range(8) for time_ns in (number * 10**9, number * 10**9 + 2_000_000)]
    reading = _Scripted(looks).read()
    assert reading.boot_ns == 1_000_000
    assert reading.error_us == 4_000 + 1_000 + 1


def test_waiting_ends_with_the_event_or_the_time() -> None:
    clock, event = SystemClock(), threading.Event()
    assert not clock.wait(event, 0.001)
    event.set()
    assert clock.wait(event, 60)


def test_the_kernels_boot_id_is_32_hexadecimal_digits() -> None:
    assert len(bytes.fromhex(kernel_boot_id())) == 16
    assert kernel_boot_id() == kernel_boot_id()
