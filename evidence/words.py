"""The closed vocabularies of the ledger (spec/ledger.md, section 3)."""

from enum import StrEnum


class Mode(StrEnum):
    """What a recording counts as. Stamped on every frame before it is encoded."""

    UNARMED = "UNARMED"
    TEST = "TEST"
    LIVE = "LIVE"


class ClockState(StrEnum):
    """What the kernel says of the wall clock (adjtimex(2))."""

    SYNCED = "synced"
    """The kernel clock is disciplined; the error bound counts."""
    UNSYNCED = "unsynced"
    """The clock shows a plausible time that nobody vouches for."""
    UNSET = "unset"
    """The clock shows a time from before this software was built; UTC is null."""


class Cause(StrEnum):
    """Why a camera has no picture for an interval."""

    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    POWER = "power"
    CRASH = "crash"
    CAMERA = "camera"
    OVERLOAD = "overload"
    DISK_FULL = "disk-full"
    DISK_ERROR = "disk-error"
    THERMAL = "thermal"
    PAUSED = "paused"
    RECONFIGURED = "reconfigured"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """What the commission declares of the day."""

    OPENED = "opened"
    CLOSED = "closed"
    COUNTING = "counting"
    PROTOCOL_SHOWN = "protocol-shown"
    FINISHED = "finished"


class ClockChange(StrEnum):
    """What a ``clock`` line reports."""

    GAINED = "gained"
    LOST = "lost"
    STEP = "step"
