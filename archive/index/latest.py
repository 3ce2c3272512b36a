"""The newest of every unit that has changed, by a few small questions for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from sqlalchemy import Connection, Row, Select, bindparam, case, exists, func, select

from archive.index.reading import IndexReader, _statement
from archive.index.rows import Statement
from archive.index.schema import branches, lines, segments, statements, units
from archive.names import UnitName
from evidence.words import Mode

_Row: TypeAlias = "Row[tuple[object, ...]]"
RECENT = 64
"""Lines of which the media are counted: a minute of two cameras."""
_KINDS = ("start", "run", "gap", "event", "clock", "close")

_at_head = (lines.c.unit_id == branches.c.unit_id) & (lines.c.branch == branches.c.number)
_at_head &= lines.c.seq == branches.c.head_seq
# Looked up by its key for each branch: joined, SQLite would go through all lines of the unit.
_BRANCHES = (
    select(
        units.c.id,
        units.c.station,
        units.c.unit,
        units.c.state,
        units.c.heard_us,
        units.c.changed,
        branches.c.number,
        branches.c.head_seq,
        select(lines.c.boot_ns).where(_at_head).scalar_subquery().label("boot_ns"),
        select(lines.c.utc_us).where(_at_head).scalar_subquery().label("utc_us"),
        select(lines.c.error_us).where(_at_head).scalar_subquery().label("error_us"),
        exists().where(segments.c.unit_id == branches.c.unit_id, segments.c.wanted).label("lacks"),
    )
    .select_from(units.join(branches, branches.c.unit_id == units.c.id))
    .where(units.c.election == bindparam("of_election"), units.c.changed > bindparam("after"))
    .order_by(units.c.changed, units.c.id, branches.c.used)
)
_SEGMENTS = (
    select(
        segments.c.camera,
        segments.c.boot_id,
        segments.c.mode,
        func.max(segments.c.seq).label("seq"),
        func.max(segments.c.to_ns).label("to_ns"),
        func.max(case((segments.c.stored, segments.c.to_ns))).label("here_ns"),
        func.count().label("named"),
        func.count(case((segments.c.stored, 1))).label("here"),
    )
    .where(
        segments.c.unit_id == bindparam("of_unit"),
        segments.c.branch == bindparam("of_branch"),
        segments.c.seq > bindparam("behind"),
    )
    .group_by(segments.c.camera, segments.c.boot_id, segments.c.mode)
)
# Grouped, SQLite would go through all segments in the order of units.
_ARRIVALS = (
    select(segments.c.unit_id, segments.c.stored_us)
    .where(segments.c.arrival > bindparam("behind"), segments.c.stored_us.is_not(None))
    .order_by(segments.c.arrival)
)
_STATEMENTS = (
    select(statements)
    .where(
        statements.c.unit_id == bindparam("of_unit"),
        statements.c.branch == bindparam("of_branch"),
        statements.c.seq > bindparam("behind"),
        statements.c.kind.in_(_KINDS),
    )
    .order_by(statements.c.seq)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLatest:
    """Of the last ``RECENT`` lines those that name a camera's media of one boot and mode: ``named`` of them, of which
    ``here`` are stored; the newest line and its end, and the end of the newest that is stored.
    """

    camera: str
    boot_id: str
    mode: Mode
    seq: int
    to_ns: int
    here_ns: int | None
    named: int
    here: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLatest:
    """A unit as it stands. ``branch`` is the one that it is on; its newest line is ``head_seq``, made at ``boot_ns``,
    with ``utc_us`` and ``error_us`` where the clock was synchronised.

    ``arrived_us`` is when media came last, of those behind the number that was asked for; ``lacks`` says that some
    armed media are still to come. ``statements`` are new ``start``, ``run``, ``gap``, ``event``, ``clock`` and
    ``close`` lines, branch by branch, that which the unit is on last; ``heads`` is up to where they go.
    """

    name: UnitName
    closed: bool
    heard_us: int | None
    changed: int
    branch: int
    head_seq: int
    boot_ns: int
    utc_us: int | None
    error_us: int | None
    arrived_us: int | None
    lacks: bool
    cameras: tuple[CameraLatest, ...]
    statements: tuple[Statement, ...]
    heads: Mapping[int, int]


def read_latest(
    reader: IndexReader,
    after: int,
    seen: Mapping[UnitName, Mapping[int, int]] = MappingProxyType({}),
    *,
    arrival: int = 0,
) -> list[UnitLatest]:
    """The units that a commit behind ``after`` concerned, in the order of these. Raises OSError.

    ``seen`` is, of each unit, the ``heads`` that it came with last: what stands before them is not told again.
    ``arrival`` is the number behind which media are looked at for when they came.
    """
    found: dict[UnitName, list[_Row]] = {}
    with reader._reading() as connection:
        for row in _all(connection, _BRANCHES, {"of_election": reader._election, "after": after}):
            found.setdefault(UnitName(station=row.station, unit=row.unit), []).append(row)
        came = _all(connection, _ARRIVALS, {"behind": arrival}) if found else ()
        arrived = {row.unit_id: row.stored_us for row in came}
        return [
            _latest(connection, name, rows, seen.get(name, {}), arrived.get(rows[0].id)) for name, rows in found.items()
        ]


def _latest(
    connection: Connection, name: UnitName, rows: "list[_Row]", seen: Mapping[int, int], arrived_us: int | None
) -> UnitLatest:
    told: list[Statement] = []
    for row in rows:
        behind = seen.get(row.number, -1)
        if behind < row.head_seq:
            of = {"of_unit": row.id, "of_branch": row.number, "behind": behind}
            told += [_statement(each) for each in _all(connection, _STATEMENTS, of)]
    current = rows[-1]
    of = {"of_unit": current.id, "of_branch": current.number, "behind": current.head_seq - RECENT}
    return UnitLatest(
        name=name,
        closed=current.state == "closed",
        heard_us=current.heard_us,
        changed=current.changed,
        branch=current.number,
        head_seq=current.head_seq,
        boot_ns=current.boot_ns,
        utc_us=current.utc_us,
        error_us=current.error_us,
        arrived_us=arrived_us,
        lacks=bool(current.lacks),
        cameras=tuple(_camera(each) for each in _all(connection, _SEGMENTS, of)),
        statements=tuple(told),
        heads={row.number: row.head_seq for row in rows},
    )


def _all(connection: Connection, query: "Select[tuple[object, ...]]", asked: Mapping[str, object]) -> "Sequence[_Row]":
    return connection.execute(query, asked).all()


def _camera(row: "_Row") -> CameraLatest:
    return CameraLatest(
        camera=row.camera,
        boot_id=row.boot_id,
        mode=Mode(row.mode),
        seq=row.seq,
        to_ns=row.to_ns,
        here_ns=row.here_ns,
        named=row.named,
        here=row.here,
    )
