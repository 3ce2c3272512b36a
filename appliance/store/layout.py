"""Where things lie under a unit's folder (spec/segment.md, section 2)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one unit's disk."""

    root: Path

    @property
    def identity(self) -> Path:
        """Whose disk this is; written when it is prepared."""
        return self.root / "unit.json"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.jws"

    @property
    def snapshot(self) -> Path:
        """The state of the ledger up to some line, for a fast start; it can be deleted."""
        return self.root / "state.json"

    @property
    def reserve(self) -> Path:
        """Space kept so that a full disk can still write its own gap."""
        return self.root / "reserve"

    @property
    def aside(self) -> Path:
        """What was found and does not count."""
        return self.root / "aside"

    @property
    def guests(self) -> Path:
        """Records of other units that found this disk in their place, a folder each, laid out like this one."""
        return self.root / "guests"

    @property
    def media(self) -> Path:
        return self.root / "media"

    def run(self, session: str, camera: str, run: int) -> Path:
        """The folder of a run."""
        return self.media / session / camera / str(run)

    def init(self, session: str, camera: str, run: int) -> Path:
        return self.run(session, camera, run) / "init.mp4"

    def segment(self, session: str, camera: str, run: int, index: int) -> Path:
        return self.run(session, camera, run) / f"{index:06d}.m4s"


def part_of(path: Path) -> Path:
    """The name of a file that is still being written."""
    return path.with_name(path.name + ".part")
