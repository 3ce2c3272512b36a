"""What is done about cameras that stay silent although they were started anew (design, invariant 8).

camera   started anew by its keeper, after 1, 2, 4 … 30 s                        while it delivers nothing
process  ended, for the service manager to start again                           when that has not helped
reboot   asked of the service manager                                            when no camera records even so

Pure: what it knows it is told, what it decides is put on record and done by others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SECOND = 1_000_000_000
PROCESS_AFTER_NS = 60 * SECOND
"""No camera records for so long: a new process. Doubled each time that the one before did not help."""
LONGEST_NS = 15 * 60 * SECOND
HANGING_AFTER_NS = 10 * 60 * SECOND
"""A camera whose driver does not answer is borne for so long while another records: a new process interrupts that."""
REBOOT_AFTER_NS = 5 * 60 * SECOND
REBOOT_UPTIME_NS = 30 * 60 * SECOND
"""The machine has been up so long before it is rebooted: then it is never rebooted more than twice an hour."""


class Rung(StrEnum):
    """What the recorder ends for; the word is the name of the ``event`` line that is its last."""

    PROCESS = "process-restart"
    REBOOT = "reboot"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraState:
    """A camera as the ladder sees it: since when without a picture, and whether its driver no longer answers."""

    silent_since_ns: int
    hangs: bool


class Ladder:
    """For one process. ``restarts`` counts the processes before it that ended for this and recorded nothing since."""

    def __init__(self, *, began_ns: int, restarts: int) -> None:
        self._began_ns = began_ns
        self._restarts = restarts

    def rung(self, now_ns: int, cameras: Sequence[CameraState]) -> Rung | None:
        """What is due now, by boot time."""
        silent_ns = [now_ns - camera.silent_since_ns for camera in cameras]
        patience_ns = min(PROCESS_AFTER_NS << min(self._restarts, 10), LONGEST_NS)
        lasting_ns = now_ns - self._began_ns
        if min(silent_ns) >= PROCESS_AFTER_NS and lasting_ns >= patience_ns:
            reboot = now_ns >= REBOOT_UPTIME_NS and (self._restarts or lasting_ns >= REBOOT_AFTER_NS)
            return Rung.REBOOT if reboot else Rung.PROCESS
        hanging = [ns for ns, camera in zip(silent_ns, cameras, strict=True) if camera.hangs]
        if hanging and max(hanging) >= HANGING_AFTER_NS and lasting_ns >= HANGING_AFTER_NS << min(self._restarts, 3):
            return Rung.PROCESS
        return None
