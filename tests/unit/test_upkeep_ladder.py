"""Which rung is due when, and how often: never sooner than back-off and ceiling allow."""

import pytest

from appliance.upkeep.ladder import (
    HANGING_AFTER_NS,
    LONGEST_NS,
    PROCESS_AFTER_NS,
    REBOOT_UPTIME_NS,
    SECOND,
    CameraState,
    Ladder,
    Rung,
)

HOUR = 3600 * SECOND


def _first_rung(ladder: Ladder, began_ns: int, cameras: list[CameraState], *, until_ns: int) -> tuple[int, Rung] | None:
    """When the first rung is due, from ``began_ns`` on, second by second."""
    for now_ns in range(began_ns, until_ns, SECOND):
        rung = ladder.rung(now_ns, cameras)
        if rung is not None:
            return now_ns - began_ns, rung
    return None


def _silent(since_ns: int, *, hangs: bool = False) -> CameraState:
    return CameraState(silent_since_ns=since_ns, hangs=hangs)


def test_a_minute_without_any_picture_ends_the_process() -> None:
    ladder = Ladder(began_ns=SECOND, restarts=0)
    assert _first_rung(ladder, SECOND, [_silent(SECOND)], until_ns=HOUR) == (PROCESS_AFTER_NS, Rung.PROCESS)


@pytest.mark.parametrize("restarts", range(1, 14))
def test_each_new_process_that_did_not_help_is_given_twice_as_long_up_to_a_ceiling(restarts: int) -> None:
    ladder = Ladder(began_ns=SECOND, restarts=restarts)
    found = _first_rung(ladder, SECOND, [_silent(SECOND)], until_ns=REBOOT_UPTIME_NS)
    assert found == (min(PROCESS_AFTER_NS << restarts, LONGEST_NS), Rung.PROCESS)


def test_a_machine_is_rebooted_only_after_a_new_process_and_half_an_hour_of_uptime() -> None:
    fresh = Ladder(began_ns=REBOOT_UPTIME_NS, restarts=0)
    assert fresh.rung(REBOOT_UPTIME_NS + PROCESS_AFTER_NS, [_silent(REBOOT_UPTIME_NS)]) is Rung.PROCESS
    second = Ladder(began_ns=REBOOT_UPTIME_NS - 2 * PROCESS_AFTER_NS - SECOND, restarts=1)
    silent = [_silent(0)]
    assert second.rung(REBOOT_UPTIME_NS - SECOND, silent) is Rung.PROCESS
    assert second.rung(REBOOT_UPTIME_NS, silent) is Rung.REBOOT


def test_over_a_day_without_a_camera_there_are_at_most_two_reboots_an_hour() -> None:
    reboots: list[int] = []
    wall_ns, boot_began_ns, restarts = 0, 0, 0
    while wall_ns < 24 * HOUR:
        began_ns = wall_ns - boot_began_ns + 5 * SECOND
        ladder = Ladder(began_ns=began_ns, restarts=restarts)
        found = _first_rung(ladder, began_ns, [_silent(began_ns)], until_ns=25 * HOUR)
        assert found is not None
        lasted_ns, rung = found
        wall_ns += lasted_ns + 5 * SECOND
        restarts += 1
        if rung is Rung.REBOOT:
            reboots.append(wall_ns)
            boot_began_ns = wall_ns
    assert reboots
    for at_ns in reboots:
        assert sum(at_ns <= other < at_ns + HOUR for other in reboots) <= 2


def test_while_one_camera_records_the_machine_is_never_rebooted_and_a_dead_cable_ends_no_process() -> None:
    ladder = Ladder(began_ns=0, restarts=0)
    for now_ns in range(0, 24 * HOUR, SECOND):
        assert ladder.rung(now_ns, [_silent(0), _silent(now_ns)]) is None


def test_a_driver_that_hangs_beside_a_camera_that_records_ends_the_process_ever_more_rarely() -> None:
    waits: list[int] = []
    for restarts in range(6):
        ladder = Ladder(began_ns=0, restarts=restarts)
        for now_ns in range(0, 24 * HOUR, SECOND):
            if ladder.rung(now_ns, [_silent(0, hangs=True), _silent(now_ns)]):
                waits.append(now_ns)
                break
    assert waits == [HANGING_AFTER_NS << min(restarts, 3) for restarts in range(6)]


def test_a_camera_that_came_back_ends_nothing() -> None:
    ladder = Ladder(began_ns=0, restarts=5)
    assert ladder.rung(10 * HOUR, [_silent(10 * HOUR - PROCESS_AFTER_NS + 1)]) is None
