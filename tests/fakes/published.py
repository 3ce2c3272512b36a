"""What is published, in memory, as lists ask for it."""

from archive.names import UnitName
from archive.publish.publications import LiveEntry
from evidence.words import Mode

UNIT = UnitName(station="57-002", unit="u1")
BEGIN_US = 1_801_976_400_000_000
"""2027-02-07T05:00:00Z."""


def live_entry(
    msn: int,
    *,
    name: UnitName = UNIT,
    camera: str = "cam1",
    position: int | None = None,
    duration_us: int = 2_000_000,
    discontinuity: bool = False,
    discontinuities: int = 0,
    init: str = "0",
    arrival: bool = False,
) -> LiveEntry:
    """An entry whose digest and line follow from its number."""
    return LiveEntry(
        name=name,
        camera=camera,
        branch=0,
        seq=10 + msn,
        sha256=f"{msn:064x}",
        init_sha256=init * 64,
        duration_us=duration_us,
        date_us=BEGIN_US + msn * 2_000_000,
        arrival=arrival,
        discontinuity=discontinuity,
        mode=Mode.LIVE,
        run_seq=3,
        start_seq=0,
        session="s",
        boot_id="b" * 32,
        run=0,
        number=msn,
        offset_us=0,
        position=msn + 1 if position is None else position,
        msn=msn,
        discontinuities=discontinuities,
        published_us=BEGIN_US,
    )


class FakePublications:
    """``entries`` in the order of publication. With ``failing`` every question is an OSError."""

    def __init__(self) -> None:
        self.entries: list[LiveEntry] = []
        self.public: set[tuple[UnitName, int, int]] = set()
        self.failing = False

    def live(self, name: UnitName, camera: str, most: int) -> list[LiveEntry]:
        self._ask()
        return [entry for entry in self.entries if (entry.name, entry.camera) == (name, camera)][-most:]

    def cameras(self) -> list[tuple[UnitName, str]]:
        self._ask()
        return sorted({(entry.name, entry.camera) for entry in self.entries})

    def entries_after(self, position: int, most: int) -> list[LiveEntry]:
        self._ask()
        return [entry for entry in self.entries if entry.position > position][:most]

    def published(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> set[int]:
        self._ask()
        return {seq for seq in range(from_seq, to_seq) if (name, branch, seq) in self.public}

    def _ask(self) -> None:
        if self.failing:
            raise OSError("what is published cannot be read")
