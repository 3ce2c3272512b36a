"""A recorder that cannot write waits, shows why, and tries again: a red light and a code, not a restart loop."""

import contextlib
import errno
import json
import os
import threading
from pathlib import Path

from appliance.status import standing_by
from appliance.upkeep.faults import DISK_ERROR, DISK_FULL, DISK_READ_ONLY, Fault
from appliance.upkeep.ladder import REBOOT_UPTIME_NS
from base.clock import Clock
from base.durable import Disk, publish
from base.service import Service

POLL_S = 1.0
AGAIN_AFTER_S = 60
"""A disk that reports errors is tried again after so long."""
SOONEST_S = 5
"""A disk on which a start found no room, whatever it says of its room, is not tried more often than this."""
LONGEST_S = 1800
ENOUGH_BYTES = 16 << 20
"""Room for a start and its lines."""


def fault_of(error: OSError) -> Fault:
    """What an error of the disk means for people."""
    match error.errno:
        case errno.EROFS:
            return DISK_READ_ONLY
        case errno.ENOSPC | errno.EDQUOT:
            return DISK_FULL
        case _:
            return DISK_ERROR


def stand_by(
    fault: Fault, *, data: Path, run: Path, clock: Clock, service: Service, enough_bytes: int = ENOUGH_BYTES
) -> bool:
    """Wait until writing may work again, half an hour at the most; on a full disk, until ``enough_bytes`` are free.
    Nothing is held open meanwhile.

    True where a reboot, which repairs the file system, is the better try: the disk took lines in this boot, takes none
    now, and the machine has been up for so long that it is not rebooted more than twice an hour.
    """
    worked = (run / "head.json").exists()
    never = threading.Event()
    began_ns = clock.boot_ns()
    while True:
        # Said again and again, because the panel may have been started meanwhile.
        with contextlib.suppress(OSError):
            publish(run / "status.json", json.dumps(standing_by(fault, clock.read())).encode())
        service.status(f"fault {fault.code}: {fault.what}")
        service.wait_longer(10 * POLL_S)
        clock.wait(never, POLL_S)
        now_ns = clock.boot_ns()
        waited_s = (now_ns - began_ns) / 1_000_000_000
        if fault is DISK_READ_ONLY and worked and now_ns >= REBOOT_UPTIME_NS and service.supervised:
            return True
        if waited_s >= LONGEST_S or _may_work(fault, data, waited_s, enough_bytes):
            return False


def _may_work(fault: Fault, data: Path, waited_s: float, enough_bytes: int) -> bool:
    try:
        if fault is DISK_READ_ONLY:
            return not os.statvfs(data).f_flag & os.ST_RDONLY and _takes_files(data)
        if fault is DISK_FULL:
            return waited_s >= SOONEST_S and Disk().free_bytes(data) >= enough_bytes
    except OSError:
        pass
    return waited_s >= AGAIN_AFTER_S


def _takes_files(data: Path) -> bool:
    """Tried, not only asked: since Linux 6.15 an ext4 that turned read-only by itself is still called writable."""
    disk, probe = Disk(), data / "standby.part"
    try:
        disk.remove(probe)
        disk.create(probe).close()
        disk.remove(probe)
    except OSError as error:
        if error.errno == errno.EROFS:
            return False
        raise
    return True
