"""The board as sysfs shows it, or does not; and which of it becomes a line."""

import os
from pathlib import Path

import pytest

from appliance.upkeep.hardware import Hardware, Health, LastReset
from appliance.upkeep.health import COOL_MILLI_C, STEADY_NS, TOO_HOT_MILLI_C, HealthWatch


def _write(root: Path, name: str, text: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text)


def _pi(root: Path, disk: Path) -> None:
    """What a Raspberry Pi shows, with ``disk`` on the second partition of its card."""
    _write(root, "proc/device-tree/serial-number", b"10000000abcdef01\0")
    _write(root, "sys/devices/platform/soc/soc:firmware/get_throttled", b"50005\n")
    _write(root, "sys/class/thermal/thermal_zone0/temp", b"61234\n")
    _write(root, "sys/class/watchdog/watchdog0/bootstatus", b"32\n")
    _write(root, "sys/devices/mmc0/block/mmcblk0/device/cid", b"1b534d4542315154301a2b3c4d013100\n")
    (root / "sys/devices/mmc0/block/mmcblk0/mmcblk0p2").mkdir()
    number = os.stat(disk).st_dev
    link = root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
    link.parent.mkdir(parents=True)
    link.symlink_to(root / "sys/devices/mmc0/block/mmcblk0/mmcblk0p2")


def test_a_pi_shows_who_it_is_and_how_it_fares(tmp_path: Path) -> None:
    _pi(tmp_path / "root", tmp_path)
    board = Hardware(tmp_path / "root")
    assert board.board_serial() == "10000000abcdef01"
    assert board.card_serial(tmp_path) == "1b534d4542315154301a2b3c4d013100"
    assert board.health() == Health(under_voltage=True, milli_c=61234)
    assert board.last_reset() == LastReset(by_watchdog=True, by_panic=False)


def test_a_kernel_that_panicked_left_a_trace(tmp_path: Path) -> None:
    _write(tmp_path, "sys/fs/pstore/dmesg-ramoops-0", b"Kernel panic")
    assert Hardware(tmp_path).last_reset() == LastReset(by_watchdog=False, by_panic=True)


def test_of_a_machine_that_shows_nothing_nothing_is_concluded(tmp_path: Path) -> None:
    board = Hardware(tmp_path)
    assert board.board_serial() is None
    assert board.card_serial(tmp_path) is None
    assert board.card_serial(tmp_path / "nothing") is None
    assert board.health() == Health(under_voltage=None, milli_c=None)
    assert board.last_reset() == LastReset(by_watchdog=False, by_panic=False)


@pytest.mark.parametrize("rubbish", [b"", b"\xff\xfe", b"a b", b"x" * 65, b"../../etc"])
def test_rubbish_is_no_serial_number(tmp_path: Path, rubbish: bytes) -> None:
    _write(tmp_path, "proc/device-tree/serial-number", rubbish)
    assert Hardware(tmp_path).board_serial() is None


def test_this_machine_can_be_asked() -> None:
    board = Hardware()
    board.health()
    board.last_reset()
    board.card_serial(Path("/"))


def test_low_voltage_is_told_at_once_and_its_end_once_it_has_lasted() -> None:
    watch = HealthWatch()
    low, good = Health(under_voltage=True, milli_c=None), Health(under_voltage=False, milli_c=None)
    assert watch.changes(good, 0) == []
    assert [event.data for event in watch.changes(low, 1)] == [{"under_voltage": 1}]
    assert watch.changes(low, 2) == []
    for flicker in range(10):
        assert watch.changes(good, 3 + flicker) == []
        assert watch.changes(low, 3 + flicker) == []
    assert watch.changes(good, 100) == []
    assert watch.changes(good, 99 + STEADY_NS) == []
    assert [event.data for event in watch.changes(good, 100 + STEADY_NS)] == [{"under_voltage": 0}]


def test_heat_is_told_with_its_degrees_and_ends_well_below() -> None:
    watch = HealthWatch()

    def told(milli_c: int | None, now_ns: int) -> list[dict[str, str | int | None]]:
        return [event.data for event in watch.changes(Health(under_voltage=None, milli_c=milli_c), now_ns)]

    assert told(TOO_HOT_MILLI_C - 1, 0) == []
    assert told(TOO_HOT_MILLI_C, 1) == [{"too_hot": 1, "milli_c": TOO_HOT_MILLI_C}]
    assert told(COOL_MILLI_C, 2) == []
    assert told(COOL_MILLI_C - 1, 3) == []
    assert told(None, 4) == []
    assert told(COOL_MILLI_C - 1, 3 + STEADY_NS) == [{"too_hot": 0, "milli_c": COOL_MILLI_C - 1}]
