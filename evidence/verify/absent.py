"""Named segments that are not there: packed, since a delivered day may lack as many as it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from evidence.lines import Segment
from evidence.verify.findings import Place
from evidence.words import Mode

_PACKED = Struct("<QQQQ16s16sB32s")
_MODES = tuple(Mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A named segment that was not found. ``digest`` is of 32 bytes, ``at`` the line that names it."""

    camera: str
    run: int
    index: int
    mode: Mode
    from_ns: int
    to_ns: int
    boot_id: str
    digest: bytes
    at: Place


def absence_of(segment: Segment, boot_id: str, at: Place) -> Absence:
    """A segment that was not found, recorded in ``boot_id``."""
    return Absence(
        camera=segment.camera,
        run=segment.run,
        index=segment.index,
        mode=segment.mode,
        from_ns=segment.from_ns,
        to_ns=segment.to_ns,
        boot_id=boot_id,
        digest=bytes.fromhex(segment.sha256),
        at=at,
    )


class Absences:
    """The absent segments of one run, by index; about 200 bytes for each. Branches may name several at one index."""

    __slots__ = ("_camera", "_packed", "_run")

    def __init__(self, camera: str, run: int) -> None:
        self._camera, self._run = camera, run
        self._packed: dict[int, bytes] = {}

    def __len__(self) -> int:
        return sum(len(packed) for packed in self._packed.values()) // _PACKED.size

    def __iter__(self) -> Iterator[Absence]:
        return (absence for index, packed in self._packed.items() for absence in self._unpacked(index, packed))

    def copy(self) -> "Absences":
        """Others that say the same."""
        absences = Absences(self._camera, self._run)
        absences._packed = dict(self._packed)
        return absences

    def add(self, absence: Absence) -> None:
        """One more; the same digest at the same index is told once."""
        at = absence.at
        assert at.seq is not None
        assert at.boot_ns is not None
        assert at.boot_id is not None
        boots = bytes.fromhex(absence.boot_id), bytes.fromhex(at.boot_id)
        mode = _MODES.index(absence.mode)
        packed = _PACKED.pack(at.seq, at.boot_ns, absence.from_ns, absence.to_ns, *boots, mode, absence.digest)
        self._packed[absence.index] = self._others(absence) + packed

    def within(self, from_index: int, to_index: int) -> list[Absence]:
        """Those from ``from_index`` up to, not including, ``to_index``."""
        packed = self._packed
        if to_index - from_index < len(packed):
            indexes = [index for index in range(from_index, to_index) if index in packed]
        else:
            indexes = [index for index in packed if from_index <= index < to_index]
        return [absence for index in indexes for absence in self._unpacked(index, packed[index])]

    def discard(self, absence: Absence) -> None:
        """It is explained."""
        others = self._others(absence)
        if others:
            self._packed[absence.index] = others
        else:
            del self._packed[absence.index]

    def _others(self, absence: Absence) -> bytes:
        """What else is absent at its index."""
        packed = self._packed.get(absence.index, b"")
        entries = [packed[at : at + _PACKED.size] for at in range(0, len(packed), _PACKED.size)]
        return b"".join(entry for entry in entries if not entry.endswith(absence.digest))

    def _unpacked(self, index: int, packed: bytes) -> Iterator[Absence]:
        for seq, at_ns, from_ns, to_ns, boot, at_boot, mode, digest in _PACKED.iter_unpack(packed):
            yield Absence(
                camera=self._camera,
                run=self._run,
                index=index,
                mode=_MODES[mode],
                from_ns=from_ns,
                to_ns=to_ns,
                boot_id=boot.hex(),
                digest=digest,
                at=Place(seq=seq, camera=self._camera, boot_id=at_boot.hex(), boot_ns=at_ns),
            )
