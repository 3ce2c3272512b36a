"""A recorder whose disk takes no writes waits, shows why, and neither loops nor gives up."""

import errno
import json
import os
from pathlib import Path

import pytest

from appliance.standby import AGAIN_AFTER_S, ENOUGH_BYTES, LONGEST_S, SOONEST_S, fault_of, stand_by
from appliance.upkeep.faults import ALL, DISK_ERROR, DISK_FULL, DISK_READ_ONLY, Fault
from appliance.upkeep.ladder import REBOOT_UPTIME_NS, SECOND
from base.durable import Disk
from base.service import Service
from tests.fakes.clock import FakeClock


class Told(Service):
    """Remembers what the service manager would be told."""

    def __init__(self, *, active: bool = True) -> None:
        super().__init__()
        self._active = active
        self.messages: list[str] = []

    def _notify(self, state: str) -> bool:
        self.messages.append(state)
        return True


def _wait(
    tmp_path: Path, fault: Fault, *, began_ns: int = 0, active: bool = True
) -> tuple[bool, float, list[str], dict[str, object]]:
    """Stand by; what it answered, how long it took, what the service manager was told, what the status says."""
    clock, service = FakeClock(boot_ns=began_ns), Told(active=active)
    answer = stand_by(fault, data=tmp_path, run=tmp_path, clock=clock, service=service)
    status = json.loads((tmp_path / "status.json").read_bytes())
    return answer, (clock.boot_ns() - began_ns) / SECOND, service.messages, status


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file system is read-only."""
    real = os.statvfs

    class ReadOnly:
        def __init__(self, path: Path) -> None:
            self.f_flag = real(path).f_flag | os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", ReadOnly)


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (errno.EROFS, DISK_READ_ONLY),
        (errno.ENOSPC, DISK_FULL),
        (errno.EDQUOT, DISK_FULL),
        (errno.EIO, DISK_ERROR),
        (errno.ENODEV, DISK_ERROR),
    ],
)
def test_each_error_of_a_disk_has_its_code(number: int, fault: Fault) -> None:
    assert fault_of(OSError(number, "…")) is fault


def test_codes_are_four_digits_and_none_is_used_twice() -> None:
    assert len({fault.code for fault in ALL}) == len(ALL)
    assert all(1000 <= fault.code <= 9999 for fault in ALL)


def test_a_disk_with_errors_is_tried_again_after_a_minute(tmp_path: Path) -> None:
    answer, seconds, _, status = _wait(tmp_path, DISK_ERROR)
    assert (answer, seconds) == (False, AGAIN_AFTER_S)
    assert (status["recording"], status["fault"]) == (False, 1002)


@pytest.mark.usefixtures("read_only")
def test_a_read_only_card_is_waited_for_and_the_watchdog_is_put_off_and_never_fed(tmp_path: Path) -> None:
    answer, seconds, messages, status = _wait(tmp_path, DISK_READ_ONLY)
    assert (answer, seconds) == (False, LONGEST_S)
    assert status["fault"] == 1001
    assert messages[0] == f"STATUS=fault 1001: {DISK_READ_ONLY.what}"
    assert "WATCHDOG=1" not in messages
    assert "READY=1" not in messages
    assert messages.count("EXTEND_TIMEOUT_USEC=10000000\nWATCHDOG_USEC=10000000") == LONGEST_S


def test_a_card_that_takes_writes_again_ends_the_wait_at_once(tmp_path: Path) -> None:
    assert _wait(tmp_path, DISK_READ_ONLY)[:2] == (False, 1)


def test_a_full_disk_is_waited_for_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "free_bytes", lambda disk, path: ENOUGH_BYTES)
    assert _wait(tmp_path, DISK_FULL)[:2] == (False, SOONEST_S)
    monkeypatch.setattr(Disk, "free_bytes", lambda disk, path: 0)
    assert _wait(tmp_path, DISK_FULL)[1] >= AGAIN_AFTER_S


@pytest.mark.usefixtures("read_only")
def test_a_card_that_worked_in_this_boot_is_worth_a_reboot_but_not_more_than_twice_an_hour(tmp_path: Path) -> None:
    (tmp_path / "head.json").write_text("{}")
    began_ns = REBOOT_UPTIME_NS - 100 * SECOND
    assert _wait(tmp_path, DISK_READ_ONLY, began_ns=began_ns)[:2] == (True, 100)


@pytest.mark.usefixtures("read_only")
def test_a_card_that_never_worked_in_this_boot_and_a_recorder_without_a_supervisor_ask_for_no_reboot(
    tmp_path: Path,
) -> None:
    assert _wait(tmp_path, DISK_READ_ONLY, began_ns=2 * REBOOT_UPTIME_NS)[0] is False
    (tmp_path / "head.json").write_text("{}")
    assert _wait(tmp_path, DISK_READ_ONLY, began_ns=2 * REBOOT_UPTIME_NS, active=False)[0] is False


def test_where_more_room_is_needed_than_a_start_takes_it_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Disk, "free_bytes", lambda disk, path: ENOUGH_BYTES)
    clock = FakeClock(boot_ns=0)
    enough_bytes = ENOUGH_BYTES + 1
    stand_by(DISK_FULL, data=tmp_path, run=tmp_path, clock=clock, service=Told(), enough_bytes=enough_bytes)
    assert clock.boot_ns() == LONGEST_S * SECOND


def test_where_nobody_can_be_shown_the_fault_the_disk_is_tried_again_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "status.json" / "in the way").mkdir(parents=True)
    assert not stand_by(DISK_ERROR, data=tmp_path, run=tmp_path, clock=FakeClock(boot_ns=0), service=Told())
