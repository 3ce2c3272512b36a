"""What can be wrong with a unit, by the number that lamp, console, wall and guide show (docs/reference/faults.md)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """``code`` has four digits: 1 is the disk, 2 a camera, 3 power and heat. ``recording``: whether video goes on."""

    code: int
    what: str
    advice: str
    recording: bool


DISK_READ_ONLY = Fault(
    1001, "The disk takes no writes.", "Replace the card; keep the old one, its record is safe.", False
)
DISK_ERROR = Fault(
    1002, "The disk reports errors.", "Replace the card as soon as there is one; keep the old one.", False
)
DISK_FULL = Fault(1003, "The disk is full.", "Nothing is deleted; recording goes on when there is room.", False)
DISK_SHORT = Fault(
    1004, "The disk will be full soon; the picture is recorded with fewer bits.", "Mend the network.", True
)
DISK_OF_ANOTHER = Fault(
    1005,
    "The disk belongs to another unit; what is recorded now goes into a record of its own.",
    "Put in this unit's card.",
    True,
)
DISK_HANGS = Fault(1006, "The disk no longer answers.", "The unit restarts by itself; replace the card.", False)
DISK_MISSING = Fault(1007, "There is no prepared disk.", "Put in this unit's card, then restart.", False)
CAMERA_SILENT = Fault(2001, "A camera delivers no picture.", "Check its cable; the unit keeps trying.", True)
UNDER_VOLTAGE = Fault(3001, "The supply voltage is too low.", "Use the unit's own power supply and cable.", True)
TOO_HOT = Fault(3002, "The unit is too hot.", "Give it air; keep it out of the sun.", True)

ALL = (
    DISK_READ_ONLY,
    DISK_ERROR,
    DISK_FULL,
    DISK_SHORT,
    DISK_OF_ANOTHER,
    DISK_HANGS,
    DISK_MISSING,
    CAMERA_SILENT,
    UNDER_VOLTAGE,
    TOO_HOT,
)
