"""The door to the board: serial numbers, under-voltage, temperature and the last reset, read from sysfs.

Everything may be missing, as off a Raspberry Pi, and is None then: nothing is concluded from what cannot be read.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

_BOARD = ("proc/device-tree/serial-number", "sys/firmware/devicetree/base/serial-number")
_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_TEMPERATURE = "sys/class/thermal/thermal_zone0/temp"
_WATCHDOG = "sys/class/watchdog/watchdog0/bootstatus"
_PANIC = "sys/fs/pstore"
_CARDRESET = 0x20
"""WDIOF_CARDRESET of linux/watchdog.h: the watchdog has reset the machine."""
_UNDER_VOLTAGE = 0x1
"""Bit 0 of the firmware's get_throttled: under-voltage now."""
_SERIAL = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What may bring the machine down. ``milli_c`` is the processor's temperature in 1/1000 of a degree Celsius."""

    under_voltage: bool | None
    milli_c: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReset:
    """What the machine knows of how its last run ended."""

    by_watchdog: bool
    by_panic: bool


class Hardware:
    """One board. ``root`` stands in for ``/`` in tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def board_serial(self) -> str | None:
        """The board's serial number."""
        return next((serial for name in _BOARD if (serial := _serial(self._root / name))), None)

    def card_serial(self, path: Path) -> str | None:
        """The serial number of the card or drive that holds ``path``: an SD card's CID, a disk's serial."""
        try:
            number = os.stat(path).st_dev
            place = (self._root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()
        except OSError:
            return None
        # A partition lies in the folder of its disk.
        for folder in (place, place.parent):
            for name in ("device/cid", "device/serial", "serial"):
                if serial := _serial(folder / name):
                    return serial
        return None

    def health(self) -> Health:
        """How the board fares now."""
        throttled = _number(self._root / _THROTTLED, 16)
        return Health(
            under_voltage=None if throttled is None else bool(throttled & _UNDER_VOLTAGE),
            milli_c=_number(self._root / _TEMPERATURE, 10),
        )

    def last_reset(self) -> LastReset:
        """Whether the hardware watchdog or a panic of the kernel ended the boot before."""
        try:
            by_panic = any(path.name.startswith("dmesg-") for path in (self._root / _PANIC).iterdir())
        except OSError:
            by_panic = False
        return LastReset(by_watchdog=bool((_number(self._root / _WATCHDOG, 0) or 0) & _CARDRESET), by_panic=by_panic)


def _serial(path: Path) -> str | None:
    try:
        text = path.read_bytes().strip(b"\0 \n").decode("ascii")
    except (OSError, ValueError):
        return None
    return text if _SERIAL.fullmatch(text) else None


def _number(path: Path, base: int) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").strip(), base)
    except (OSError, ValueError):
        return None
