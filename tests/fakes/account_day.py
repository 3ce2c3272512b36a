"""A unit's day as it is delivered to a real archive, and those who account for it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from archive.account.account import account
from archive.account.accounts import Accounts
from archive.index.reading import IndexReader
from archive.names import UnitName
from audit.verify import verify
from evidence.day.answer import Record, read_answer
from evidence.words import Cause, Mode
from tests.fakes.archive import ELECTION, RunningArchive, timeless_authority
from tests.fakes.archive_unit import media_of
from tests.fakes.station import SECOND, Station

NAME = UnitName(station="57-002", unit="u1")


class Day:
    """A unit, its archive, and who accounts for it."""

    def __init__(self, folder: Path) -> None:
        self.archive = RunningArchive(folder, timeless_authority())
        self.archive.start()
        self.station = Station(self.archive.by, cameras=("cam-0", "cam-1"))
        self.uplink = self.archive.uplink()
        self._lines = 0
        self.now = 0.0
        self.reader = IndexReader(self.archive.config.database, ELECTION)
        self.accounts = Accounts(self.reader, None, trust=self.archive.trust, seconds=lambda: self.now)

    def close(self) -> None:
        self.reader.close()
        self.archive.stop()

    def lines(self, *, branch: int | None = None) -> None:
        """Deliver lines that the archive has not got."""
        query = "" if branch is None else f"?branch={branch}"
        begin = self._lines if branch is None else branch
        assert self.uplink.lines(self.station.lines[begin:], query).status == 200
        self._lines = len(self.station.lines)

    def media(self, *, only: Callable[[int], bool] = lambda _: True) -> None:
        """Deliver media that it lacks, or some of them."""
        wanted = set(self.reader_wants())
        for number, (sha256, data) in enumerate(media_of(self.station).items()):
            if sha256 in wanted and only(number):
                assert self.uplink.media(data).status == 201

    def reader_wants(self) -> list[str]:
        lacks = self.uplink.lines().json["lacks"]
        assert isinstance(lacks, list)
        return lacks

    def agree(self) -> Record:
        """What everybody says; findings and verdict aside, which differ on purpose."""
        kept = self.accounts.of(NAME)
        assert kept is not None
        assert kept == account(self.reader, NAME, trust=self.archive.trust), "kept, and begun anew"
        (said,) = read_answer(verify([self.archive.config.data], trust=self.archive.trust)).records
        assert replace(kept, findings=(), verdict="") == replace(said, findings=(), verdict="")
        return kept

    def begin(self, mode: Mode = Mode.LIVE) -> None:
        self.station.begin()
        self.station.arm(mode)

    def record(self, count: int) -> None:
        for _ in range(count):
            for camera in self.station.camera_ids:
                self.station.segment(camera)

    def restart(self, before: str) -> None:
        """A new boot after the power came back."""
        self.station.start("power")
        for camera in self.station.camera_ids:
            self.station.gap(camera, to_ns=self.station.boot_ns + SECOND, cause=Cause.POWER, from_boot=before)
            self.station.run(camera)
