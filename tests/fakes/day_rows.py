"""A unit's day as rows of the index: what happens to it is told step by step, and rows, branches and stamps follow."""

from dataclasses import replace

from archive.index.rows import BranchRow, HeldSegment, StampRow
from archive.names import UnitName
from evidence.lines import Segment
from evidence.words import Mode
from tests.fakes.published import BEGIN_US, UNIT

SECOND = 10**9


class DayRows:
    """One camera, ``cam1``. ``rows`` and ``stamps`` are of all branches; ``public`` holds what is published.

    It answers what lists ask of the index. ``utc_us`` is the true UTC at boot time 0, None while no UTC is known.
    """

    def __init__(self, begin_us: int = BEGIN_US, *, known: bool = True) -> None:
        self.rows: list[HeldSegment] = []
        self._stamps: list[StampRow] = []
        self._branches = [self._branch_row(0, None, 0)]
        self.public: set[tuple[int, int]] = set()
        self.now_ns, self.known, self.utc_us = 20 * SECOND, known, begin_us - 20_000_000
        self.boot, self.session, self.run, self.index = 0, 0, 0, 0
        self.branch, self.seq = 0, 10
        self.error_us = 4_000

    @property
    def boot_id(self) -> str:
        return f"{self.boot:032x}"

    def segments(self, count: int, *, public: bool = True, mode: Mode = Mode.LIVE, seconds: float = 2) -> None:
        """Segments without a hole between them."""
        for _ in range(count):
            end_ns = self.now_ns + int(seconds * SECOND)
            segment = Segment(
                camera="cam1",
                run=self.run,
                index=self.index,
                mode=mode,
                sha256=f"{len(self.rows):064x}",
                size=1,
                from_ns=self.now_ns,
                to_ns=end_ns,
                frames=1,
            )
            self.now_ns, self.index = end_ns, self.index + 1
            self.keep(self._row(segment), public=public)
            self._stamp()

    def keep(self, row: HeldSegment, *, public: bool = True) -> None:
        """One more row, as it is."""
        self.rows.append(row)
        if public:
            self.public.add((row.branch, row.seq))
        self.seq = row.seq + 1

    def again(self, row: HeldSegment) -> None:
        """The same media in another line of the branch that the unit is on."""
        self.keep(replace(row, branch=self.branch, seq=self.seq))

    def hole(self, seconds: float) -> None:
        """Nothing is recorded."""
        self.now_ns += int(seconds * SECOND)
        self.seq += 1

    def new_run(self) -> None:
        """The camera begins anew."""
        self.run, self.index, self.seq = self.run + 1, 0, self.seq + 1

    def restart(self) -> None:
        """The recorder begins anew."""
        self.session, self.run, self.index, self.seq = self.session + 1, 0, 0, self.seq + 2

    def reboot(self, off_s: int = 60) -> None:
        """The power fails and comes back."""
        self.utc_us += self.now_ns // 1000 + off_s * 1_000_000 - 20_000_000
        self.boot, self.now_ns = self.boot + 1, 20 * SECOND
        self.restart()

    def step(self, seconds: float) -> None:
        """The clock is set: what the unit says of UTC from here on is another time."""
        self.utc_us += int(seconds * 1_000_000)

    def fork(self, lost: int, *, back_s: int = 0) -> None:
        """The unit has lost its last lines and goes on after a reboot, its clock so far behind."""
        parent, from_seq = self.branch, max(self.seq - lost, self._branches[self.branch].from_seq + 1)
        self.branch = len(self._branches)
        self._branches.append(self._branch_row(self.branch, parent, from_seq))
        self.reboot()
        self.utc_us -= back_s * 1_000_000
        self.seq = from_seq + 1

    def branches(self, name: UnitName) -> list[BranchRow]:
        """With their heads as they are."""
        if name != UNIT:
            return []
        heads = dict.fromkeys(range(len(self._branches)), 0)
        for row in self.rows:
            heads[row.branch] = max(heads[row.branch], row.seq)
        return [replace(row, head_seq=max(heads[row.number], row.from_seq)) for row in self._branches]

    def stamps(self, name: UnitName, branch: int | None = None, after: int = -1) -> list[StampRow]:
        """Of one branch or all."""
        assert name == UNIT
        return [row for row in self._stamps if branch in (None, row.branch) and row.seq > after]

    def segments_of(
        self,
        name: UnitName,
        *,
        camera: str | None = None,
        boot_id: str | None = None,
        from_ns: int | None = None,
        to_ns: int | None = None,
    ) -> list[HeldSegment]:
        """By branch and ``seq``."""
        assert name == UNIT
        found = [
            row
            for row in self.rows
            if camera in (None, row.segment.camera)
            and boot_id in (None, row.boot_id)
            and (from_ns is None or row.segment.to_ns > from_ns)
            and (to_ns is None or row.segment.from_ns < to_ns)
        ]
        return sorted(found, key=_place)

    def published(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> set[int]:
        """Of one branch."""
        assert name == UNIT
        return {seq for of, seq in self.public if of == branch and from_seq <= seq < to_seq}

    def _row(self, segment: Segment) -> HeldSegment:
        return HeldSegment(
            name=UNIT,
            branch=self.branch,
            seq=self.seq,
            session=f"s{self.session}",
            boot_id=self.boot_id,
            segment=segment,
            stored=True,
            wanted=False,
            pruned=False,
            stored_us=BEGIN_US,
            arrival=1,
            init_sha256=f"{self.session:032x}{self.run:032x}",
            run_seq=2,
            start_seq=0,
        )

    def _stamp(self) -> None:
        if self.known:
            self._stamps.append(
                StampRow(
                    branch=self.branch,
                    seq=self.seq - 1,
                    boot_id=self.boot_id,
                    boot_ns=self.now_ns,
                    utc_us=self.utc_us + self.now_ns // 1000,
                    error_us=self.error_us,
                )
            )

    @staticmethod
    def _branch_row(number: int, parent: int | None, from_seq: int) -> BranchRow:
        return BranchRow(
            number=number,
            parent=parent,
            from_seq=from_seq,
            head_seq=from_seq,
            head_sha256="h",
            size_bytes=1,
            closed=False,
            used=number + 1,
        )


def _place(row: HeldSegment) -> tuple[int, int]:
    return row.branch, row.seq
