"""Making a disk ready, once. Starting never does this: a recorder only ever opens what stands here."""

import errno
import json
from dataclasses import asdict, dataclass

from appliance.store.layout import Layout
from base.durable import Disk
from base.errors import OperatorError
from evidence.members import NAME, nullable, text

_SERIAL = nullable(text(64))


class NoRecordError(OperatorError):
    """The disk is not there, or was never prepared."""


class NoRoomError(OperatorError):
    """The disk is too full to begin a record on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskIdentity:
    """Whose record lies on a disk. ``board`` and ``card`` are serial numbers, None where they could not be read."""

    election: str
    station: str
    unit: str
    board: str | None = None
    card: str | None = None

    def differs(self, other: "DiskIdentity") -> list[str]:
        """What the two do not have in common. A serial number that one of them lacks proves nothing."""
        names = [name for name in ("election", "station", "unit") if getattr(self, name) != getattr(other, name)]
        for name in ("board", "card"):
            here, there = getattr(self, name), getattr(other, name)
            if here is not None and there is not None and here != there:
                names.append(name)
        return names


def prepare(disk: Disk, layout: Layout, identity: DiskIdentity, reserve_bytes: int) -> None:
    """An empty ledger, the reserve and the disk's identity, durable on return.

    The identity is written last, so a disk with one is whole. Raises OperatorError where there is one already.
    """
    if layout.identity.exists():
        raise OperatorError(
            f"{layout.root} is prepared already.",
            hint="Start the recorder; or take an empty folder, if a new record is meant.",
        )
    disk.make_directory(layout.media)
    # Power fails here or below: the next try starts over, because there is no identity yet.
    if not layout.ledger.exists():
        disk.create(layout.ledger).close()
    try:
        disk.set_aside_bytes(layout.reserve, reserve_bytes)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        # What there was of it is room that others need.
        disk.remove(layout.reserve)
        raise NoRoomError(
            f"{layout.root} has no room for a reserve of {reserve_bytes >> 20} MiB: {error.strerror}.",
            hint="Take a larger disk, or lower disk.reserve_mib.",
        ) from error
    disk.sync_directory(layout.root)
    disk.put(layout.identity, json.dumps(asdict(identity)).encode() + b"\n")


def read_disk_identity(layout: Layout) -> DiskIdentity:
    """Whose disk this is. Raises OperatorError where it was never prepared or says nothing of use, OSError where the
    disk does not give it.
    """
    try:
        members = json.loads(layout.identity.read_bytes())
        return DiskIdentity(
            election=NAME(members["election"]),
            station=NAME(members["station"]),
            unit=NAME(members["unit"]),
            board=_SERIAL(members.get("board")),
            card=_SERIAL(members.get("card")),
        )
    except FileNotFoundError as error:
        raise NoRecordError(
            f"{layout.root} holds no record.", hint="Prepare it with: unbroken station init --config station.toml"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(f"{layout.identity} cannot be read: {error}.") from error
