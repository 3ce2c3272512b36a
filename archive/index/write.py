"""How changes get into the tables. Each function is part of the caller's transaction."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, and_, bindparam, func, select, update

from archive.index.rows import NewLines, PrunedRow, ReceiptRow, SegmentRow
from archive.index.schema import branches, lines, receipts, runs, segments, statements, units
from archive.names import UnitName
from evidence.lines import Recovered
from evidence.words import Mode

# Made once: these are the statements of every line and segment, and making one costs more than executing it.
_STORED = (
    update(segments)
    .where(segments.c.unit_id == bindparam("of_unit"), segments.c.sha256 == bindparam("named"), ~segments.c.stored)
    .values(stored=True, wanted=False, arrival=bindparam("as_number"), stored_us=bindparam("at_us"))
)
_HELD = select(segments.c.sha256, segments.c.stored_us).where(
    segments.c.unit_id == bindparam("of_unit"),
    segments.c.sha256.in_(bindparam("named", expanding=True)),
    segments.c.stored,
)
_GROWN = update(branches).where(branches.c.unit_id == bindparam("of_unit"), branches.c.number == bindparam("of_number"))
_GIVEN = select(receipts.c.offset).where(
    receipts.c.unit_id == bindparam("of_unit"),
    receipts.c.kind == bindparam("of_kind"),
    receipts.c.subject == bindparam("of_subject"),
)
_CHANGED = update(units).where(units.c.id == bindparam("of_unit")).values(changed=bindparam("as_number"))
_HEARD = update(units).where(units.c.id == bindparam("of_unit")).values(heard_us=bindparam("at_us"))
_BEGUN, _LINES, _SEGMENTS, _RECEIPTS = branches.insert(), lines.insert(), segments.insert(), receipts.insert()
_STATEMENTS = statements.insert()
_AT_ONCE = 500
"""Values in one statement: SQLite's oldest limit is 999."""


class Numbers:
    """Numbers that only grow, over everything that the database has ever held: commits, and media as they arrive."""

    def __init__(self, connection: Connection) -> None:
        self._changed = int(connection.scalar(select(func.max(units.c.changed))) or 0)
        self._arrival = int(connection.scalar(select(func.max(segments.c.arrival))) or 0)

    def change(self) -> int:
        """The number of the next commit."""
        self._changed += 1
        return self._changed

    def arrive(self) -> int:
        """The number of what comes next."""
        self._arrival += 1
        return self._arrival


def unit_id(connection: Connection, election: str, name: UnitName) -> int:
    """The unit's number; it is given one where it has none."""
    found = connection.execute(
        select(units.c.id).where(
            units.c.election == election, units.c.station == name.station, units.c.unit == name.unit
        )
    ).scalar()
    if found is None:
        row = units.insert().values(election=election, station=name.station, unit=name.unit, state="open")
        key = connection.execute(row).inserted_primary_key
        assert key is not None
        found = key[0]
    return int(found)


def change_units(connection: Connection, numbers: Numbers, changed: Collection[int]) -> None:
    """These units are not what they were."""
    if changed:
        number = numbers.change()
        connection.execute(_CHANGED, [{"of_unit": unit, "as_number": number} for unit in sorted(changed)])


def add_lines(connection: Connection, unit: int, new: NewLines, numbers: Numbers, utc_us: int | None) -> None:
    """A branch has grown, or has begun."""
    branch = new.branch
    if new.lines and utc_us is not None:
        connection.execute(_HEARD, {"of_unit": unit, "at_us": utc_us})
    values = {
        "parent": branch.parent,
        "from_seq": branch.from_seq,
        "head_seq": branch.head_seq,
        "head_sha256": branch.head_sha256,
        "size_bytes": branch.size_bytes,
        "closed": branch.closed,
        "used": branch.used,
    }
    if not connection.execute(_GROWN, {"of_unit": unit, "of_number": branch.number, **values}).rowcount:
        connection.execute(_BEGUN, {"unit_id": unit, "number": branch.number, **values})
    if branch.closed:
        connection.execute(update(units).where(units.c.id == unit).values(state="closed"))
    if new.lines:
        connection.execute(
            _LINES,
            [
                {
                    "unit_id": unit,
                    "branch": branch.number,
                    "seq": line.seq,
                    "sha256": line.sha256,
                    "offset": line.offset,
                    "size_bytes": line.size_bytes,
                    "boot_ns": line.boot_ns,
                    "start": line.start,
                    "utc_us": line.utc_us,
                    "error_us": line.error_us,
                }
                for line in new.lines
            ],
        )
    _add_statements(connection, unit, new, utc_us)
    _add_runs(connection, unit, new)
    _add_segments(connection, unit, branch.number, new.segments, numbers)
    for pruned in new.pruned:
        _prune(connection, unit, pruned)


def add_media(connection: Connection, media: Sequence[tuple[int, str, int | None]], numbers: Numbers) -> None:
    """The store holds digests that lines of these units name, each since some time."""
    if media:
        connection.execute(
            _STORED,
            [
                {"of_unit": unit, "named": sha256, "as_number": numbers.arrive(), "at_us": utc_us}
                for unit, sha256, utc_us in media
            ],
        )


def lose_media(connection: Connection, unit: int, digests: Sequence[str]) -> None:
    """The store does not hold these any more: the unit is asked for what it still may have."""
    had = and_(segments.c.mode != Mode.UNARMED, ~segments.c.pruned)
    for some in _parts(digests):
        named = (segments.c.unit_id == unit) & segments.c.sha256.in_(some)
        connection.execute(update(segments).where(named).values(stored=False, wanted=had, arrival=None))


def add_receipt(connection: Connection, unit: int, new: ReceiptRow) -> None:
    """A receipt was given. Where one was given for the same before, that one stays."""
    of_receipt = {"of_unit": unit, "of_kind": new.kind, "of_subject": new.subject}
    if connection.execute(_GIVEN, of_receipt).first() is None:
        place = {"offset": new.offset, "size_bytes": new.size_bytes}
        connection.execute(_RECEIPTS, {"unit_id": unit, "kind": new.kind, "subject": new.subject, **place})


def _add_runs(connection: Connection, unit: int, new: NewLines) -> None:
    """Where a session signed two different runs of one number, the first stays; ``verify`` tells of the other."""
    for each in new.runs:
        run = each.run
        key = {"unit_id": unit, "session": each.session, "camera": run.camera, "run": run.run}
        there = select(runs.c.fps).where(*(runs.c[column] == value for column, value in key.items()))
        if connection.execute(there).first() is None:
            stream = {"width": run.width, "height": run.height, "timescale": run.timescale, "fps": run.fps}
            connection.execute(runs.insert().values(**key, **stream, init_sha256=run.init_sha256))


def _add_statements(connection: Connection, unit: int, new: NewLines, utc_us: int | None) -> None:
    if new.statements:
        connection.execute(
            _STATEMENTS,
            [
                {
                    "unit_id": unit,
                    "branch": new.branch.number,
                    "seq": each.seq,
                    "kind": each.kind,
                    "session": each.session,
                    "boot_id": each.boot_id,
                    "camera": each.camera,
                    "run": each.run,
                    "heard_us": utc_us,
                    "payload": each.payload,
                }
                for each in new.statements
            ],
        )


def _add_segments(connection: Connection, unit: int, branch: int, new: Sequence[SegmentRow], numbers: Numbers) -> None:
    if not new:
        return
    stored: dict[str, int | None] = {}
    for some in _parts([each.segment.sha256 for each in new]):
        rows = connection.execute(_HELD, {"of_unit": unit, "named": some})
        stored |= {row.sha256: row.stored_us for row in rows}
    values = []
    for each in new:
        segment = each.segment
        held = segment.sha256 in stored
        values.append(
            {
                "unit_id": unit,
                "branch": branch,
                "seq": each.seq,
                "session": each.session,
                "boot_id": each.boot_id,
                "camera": segment.camera,
                "run": segment.run,
                "number": segment.index,
                "sha256": segment.sha256,
                "size_bytes": segment.size,
                "from_ns": segment.from_ns,
                "to_ns": segment.to_ns,
                "mode": segment.mode,
                "frames": segment.frames,
                "dropped_frames": segment.dropped_frames,
                "max_hole_ms": segment.max_hole_ms,
                "stored": held,
                "wanted": not held and segment.mode is not Mode.UNARMED,
                "recovered": isinstance(segment, Recovered),
                "arrival": numbers.arrive() if held else None,
                "stored_us": stored.get(segment.sha256),
            }
        )
    connection.execute(_SEGMENTS, values)


def _prune(connection: Connection, unit: int, pruned: PrunedRow) -> None:
    gone = (
        (segments.c.unit_id == unit)
        & (segments.c.session == pruned.session)
        & (segments.c.camera == pruned.camera)
        & (segments.c.run == pruned.run)
        & (segments.c.number >= pruned.from_index)
        & (segments.c.number < pruned.to_index)
    )
    connection.execute(update(segments).where(gone).values(wanted=False, pruned=True))


def _parts(values: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
