"""The index: what the archive has, in one database. One thread writes; any reads. It is a copy: files are the truth."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Connection, Row, Select, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError

from archive.finding import FindingRow, lost_by_archive
from archive.index import write
from archive.index.engine import claim, database_url, open_engine, words
from archive.index.findings import add_finding, select_findings
from archive.index.rows import BranchRow, Changes, LineRow, PlaceRow
from archive.index.schema import branches, clear, lines, migrate, receipts, runs, segments, units
from archive.names import UnitName
from base.errors import OperatorError
from evidence.lines import Segment
from evidence.receipt import Acknowledged
from evidence.verify.media import Expected
from evidence.words import Mode

# Made once: these are the questions of every line and segment, and making one costs more than asking it.
_LINES = select(lines.c.branch, lines.c.seq, lines.c.sha256).where(
    lines.c.unit_id == bindparam("of_unit"), lines.c.seq >= bindparam("from_seq"), lines.c.seq < bindparam("to_seq")
)
_WANTED = (
    select(segments.c.sha256)
    .where(segments.c.unit_id == bindparam("of_unit"), segments.c.wanted)
    .order_by(segments.c.seq.desc())
    .limit(bindparam("most"))
)
_RECEIPT = select(receipts.c.offset, receipts.c.size_bytes).where(
    receipts.c.unit_id == bindparam("of_unit"),
    receipts.c.kind == bindparam("of_kind"),
    receipts.c.subject == bindparam("of_subject"),
)
_NAMED = (
    select(segments, runs.c.width, runs.c.height, runs.c.timescale, runs.c.fps, runs.c.init_sha256)
    .select_from(
        segments.outerjoin(
            runs,
            (runs.c.unit_id == segments.c.unit_id)
            & (runs.c.session == segments.c.session)
            & (runs.c.camera == segments.c.camera)
            & (runs.c.run == segments.c.run),
        )
    )
    .where(segments.c.unit_id == bindparam("of_unit"), segments.c.sha256 == bindparam("named"))
)
_SQLITE = "unbroken archive check --rebuild makes a new one."
_SERVER = "Look at disk.database, and whether the server runs and lets the archive in."


class Index:
    """Every method is one transaction. Any thread may read, one writes.

    ``commit`` is durable on return. A database that fails is an OSError; while writing, it is final.
    """

    def __init__(self, url: str, election: str, *, writes: bool = True) -> None:
        """Opens the database. Who ``writes`` does it alone, and brings the tables up to date. Raises OperatorError."""
        self._election = election
        self._ids: dict[UnitName, int] = {}
        self._writing_now = Lock()
        self._writer: Connection | None = None
        self._numbers: write.Numbers | None = None
        hint = _SQLITE if url.startswith("sqlite") else _SERVER
        try:
            self._engine = open_engine(database_url(url))
            try:
                if writes:
                    # Its own connection until the end: another one would not hold the lock.
                    self._writer = self._engine.connect()
                    claim(self._writer)
                    with self._writer.begin():
                        migrate(self._writer)
                        self._numbers = write.Numbers(self._writer)
            except BaseException:
                self.close()
                raise
        except SQLAlchemyError as error:
            raise OperatorError(f"The index cannot be opened: {words(error)}.", hint=hint) from error

    def close(self) -> None:
        """Give all connections back."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._engine.dispose()

    def rebuild(self) -> None:
        """Forget everything but the numbers: whoever has followed them goes on from there."""
        with self._writing() as connection:
            clear(connection)
            migrate(connection)
        self._ids.clear()

    def commit(self, changes: Changes) -> None:
        """All of ``changes``, or nothing, is durable on return. Raises OSError; then it is unknown which."""
        with self._writing() as connection:
            self._apply(connection, changes)

    def _apply(self, connection: Connection, changes: Changes) -> None:
        known: dict[UnitName, int] = {}
        numbers, utc_us = self._numbers, changes.utc_us
        assert numbers is not None

        def unit(name: UnitName) -> int:
            if name not in known:
                known[name] = self._ids.get(name) or write.unit_id(connection, self._election, name)
            return known[name]

        for grown in changes.lines:
            write.add_lines(connection, unit(grown.name), grown, numbers, utc_us)
        media = [(unit(new.name), new.sha256, utc_us if new.utc_us is None else new.utc_us) for new in changes.media]
        write.add_media(connection, media, numbers)
        write.change_units(connection, numbers, known.values())
        for receipt in changes.receipts:
            write.add_receipt(connection, unit(receipt.name), receipt)
        for finding in changes.findings:
            add_finding(connection, self._election, finding)

    def lose(self, name: UnitName, digests: Sequence[str], utc_us: int | None = None) -> None:
        """The store does not hold these any more; that is a finding, whoever finds it."""
        with self._writing() as connection:
            unit = write.unit_id(connection, self._election, name)
            write.lose_media(connection, unit, digests)
            assert self._numbers is not None
            write.change_units(connection, self._numbers, [unit])
            for sha256 in digests:
                add_finding(connection, self._election, lost_by_archive(name, sha256, utc_us))

    def findings(self, station: str | None = None) -> list[FindingRow]:
        """What was found, of all or of one station, by station, unit and number of the line."""
        with self._reading() as connection:
            return select_findings(connection, self._election, station)

    def units(self) -> list[UnitName]:
        """Every unit that the index knows."""
        rows = select(units.c.station, units.c.unit).where(units.c.election == self._election)
        with self._reading() as connection:
            return sorted(UnitName(station=row.station, unit=row.unit) for row in connection.execute(rows))

    def branches(self, name: UnitName) -> list[BranchRow]:
        """The unit's branches, by number."""
        rows = select(branches).where(branches.c.unit_id == self._id(name)).order_by(branches.c.number)
        return [
            BranchRow(
                number=row.number,
                parent=row.parent,
                from_seq=row.from_seq,
                head_seq=row.head_seq,
                head_sha256=row.head_sha256,
                size_bytes=row.size_bytes,
                closed=row.closed,
                used=row.used,
            )
            for row in self._rows(rows)
        ]

    def lines(self, name: UnitName, from_seq: int, to_seq: int) -> dict[tuple[int, str], int]:
        """The branch of each line of the unit from one ``seq`` to before another, by ``seq`` and digest."""
        asked = {"of_unit": self._id(name), "from_seq": from_seq, "to_seq": to_seq}
        return {(row.seq, row.sha256): row.branch for row in self._rows(_LINES, asked)}

    def line(self, name: UnitName, branch: int, seq: int) -> LineRow | None:
        """A branch's own line at ``seq``; None where it has none there."""
        rows = select(lines).where(lines.c.unit_id == self._id(name), lines.c.branch == branch, lines.c.seq == seq)
        return next((_line(row) for row in self._rows(rows)), None)

    def starts(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> list[LineRow]:
        """A branch's own ``start`` lines from one ``seq`` to before another, in order."""
        rows = select(lines).where(
            lines.c.unit_id == self._id(name),
            lines.c.start,
            lines.c.branch == branch,
            lines.c.seq >= from_seq,
            lines.c.seq < to_seq,
        )
        return [_line(row) for row in self._rows(rows.order_by(lines.c.seq))]

    def span(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> tuple[int, int, bool] | None:
        """Least and greatest boot time of a branch's own lines from one ``seq`` to before another, and whether one is a
        ``start``; None where there are none.
        """
        own = (lines.c.unit_id == self._id(name)) & (lines.c.branch == branch)
        own &= (lines.c.seq >= from_seq) & (lines.c.seq < to_seq)
        ends = select(func.min(lines.c.boot_ns), func.max(lines.c.boot_ns)).where(own)
        with self._reading() as connection:
            least, most = connection.execute(ends).one()
            start = connection.execute(select(lines.c.seq).where(own, lines.c.start).limit(1)).first()
        return None if least is None else (least, most, start is not None)

    def named(self, name: UnitName, sha256: str) -> list[tuple[Expected, bool]]:
        """What the unit's lines say of a digest, and whether the store has it for the unit."""
        asked = {"of_unit": self._id(name), "named": sha256}
        return [(self._expected(name, row), row.stored) for row in self._rows(_NAMED, asked)]

    def wanted(self, name: UnitName, most: int) -> list[str]:
        """Digests of media that the unit's lines name and the archive lacks, the newest first, each once."""
        rows = self._rows(_WANTED, {"of_unit": self._id(name), "most": most})
        return list(dict.fromkeys(row.sha256 for row in rows))

    def stored(self, name: UnitName, digests: Sequence[str] | None = None) -> set[str]:
        """Which of ``digests`` (at most 500; all if left out) the store holds for this unit."""
        rows = select(segments.c.sha256).where(segments.c.unit_id == self._id(name), segments.c.stored)
        if digests is not None:
            rows = rows.where(segments.c.sha256.in_(digests))
        return {row.sha256 for row in self._rows(rows)}

    def stored_behind(self, name: UnitName, sha256: str, most: int) -> list[str]:
        """The first ``most`` digests behind ``sha256`` that the store holds for this unit, in order, each once."""
        rows = select(segments.c.sha256).where(
            segments.c.unit_id == self._id(name), segments.c.sha256 > sha256, segments.c.stored
        )
        return [row.sha256 for row in self._rows(rows.distinct().order_by(segments.c.sha256).limit(most))]

    def places_behind(self, name: UnitName, sha256: str, most: int) -> list[PlaceRow]:
        """Where the unit has recorded the first ``most`` armed digests behind ``sha256``, in their order."""
        armed = (segments.c.unit_id == self._id(name)) & (segments.c.mode != Mode.UNARMED)
        first = select(segments.c.sha256).where(armed, segments.c.sha256 > sha256).distinct()
        digests = first.order_by(segments.c.sha256).limit(most).scalar_subquery()
        rows = select(segments).where(armed, segments.c.sha256.in_(digests)).order_by(segments.c.sha256, segments.c.seq)
        return [
            PlaceRow(
                sha256=row.sha256,
                size_bytes=row.size_bytes,
                session=row.session,
                camera=row.camera,
                run=row.run,
                index=row.number,
                stored=row.stored,
            )
            for row in self._rows(rows)
        ]

    def digests(self, name: UnitName) -> Iterable[tuple[str, int]]:
        """Every digest that the unit's lines name, with its size."""
        rows = select(segments.c.sha256, segments.c.size_bytes).where(segments.c.unit_id == self._id(name)).distinct()
        return [(row.sha256, row.size_bytes) for row in self._rows(rows)]

    def receipt(self, name: UnitName, kind: Acknowledged, subject: str) -> tuple[int, int] | None:
        """Where the receipt for ``subject`` lies in the journal (offset and size), where there is one."""
        asked = {"of_unit": self._id(name), "of_kind": kind, "of_subject": subject}
        return next(((row.offset, row.size_bytes) for row in self._rows(_RECEIPT, asked)), None)

    def journal_end(self) -> int:
        """Up to where the journal's receipts are known here."""
        newest = select(receipts.c.offset, receipts.c.size_bytes).order_by(receipts.c.offset.desc()).limit(1)
        return next((row.offset + row.size_bytes + 1 for row in self._rows(newest)), 0)

    def _expected(self, name: UnitName, row: "Row[tuple[object, ...]]") -> Expected:
        stream = None if row.fps is None else (row.width, row.height, row.timescale, row.fps)
        segment = Segment(
            camera=row.camera,
            run=row.run,
            index=row.number,
            mode=Mode(row.mode),
            sha256=row.sha256,
            size=row.size_bytes,
            from_ns=row.from_ns,
            to_ns=row.to_ns,
            frames=row.frames,
            holes=(row.dropped_frames, row.max_hole_ms),
        )
        return Expected(
            election=self._election,
            station=name.station,
            unit=name.unit,
            boot_id=row.boot_id,
            session=row.session,
            segment=segment,
            stream=stream,
            init_sha256=row.init_sha256,
        )

    def _id(self, name: UnitName) -> int:
        """The unit's number, or 0, which none has."""
        if name not in self._ids:
            rows = select(units.c.id).where(
                units.c.election == self._election, units.c.station == name.station, units.c.unit == name.unit
            )
            with self._reading() as connection:
                found = connection.execute(rows).scalar()
            if found is None:
                return 0
            self._ids[name] = found
        return self._ids[name]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._writing_now:
            if self._writer is None:
                raise OSError("the index is not open for writing")
            try:
                with self._writer.begin():
                    yield self._writer
            except SQLAlchemyError as error:
                # It would connect anew when used again, without the lock.
                self._writer.invalidate()
                self._writer.close()
                self._writer = None
                raise OSError(f"the index has failed: {words(error)}") from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise OSError(f"the index cannot be read: {words(error)}") from error

    def _rows(
        self, query: "Select[tuple[object, ...]]", asked: Mapping[str, object] | None = None
    ) -> "Sequence[Row[tuple[object, ...]]]":
        with self._reading() as connection:
            return connection.execute(query, asked).all()


def _line(row: "Row[tuple[object, ...]]") -> LineRow:
    return LineRow(
        seq=row.seq,
        sha256=row.sha256,
        offset=row.offset,
        size_bytes=row.size_bytes,
        boot_ns=row.boot_ns,
        start=row.start,
    )
