"""What is public since when, in one database: one publisher writes it, any number of sites read."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from archive.index.engine import database_url, open_engine, open_following, words
from archive.names import UnitName
from archive.publish.release import Ground, Release
from archive.publish.schema import METADATA, entries, notices, progress, segments, units, withheld
from base.errors import OperatorError
from evidence.terms import Hold
from evidence.words import Mode

_KEPT = 64
"""Entries of a camera that stay; a live list shows ten."""
_AGAIN_US = 120_000_000
"""So much of the newest is linked again at a start: links are not synced one by one, and a power cut may take some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A live entry about to be published. The media's last members are what continuity is judged by."""

    name: UnitName
    camera: str
    branch: int
    seq: int
    sha256: str
    init_sha256: str
    duration_us: int
    date_us: int
    arrival: bool
    discontinuity: bool
    mode: Mode
    run_seq: int
    start_seq: int
    session: str
    boot_id: str
    run: int
    number: int
    offset_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEntry(NewEntry):
    """An entry of a live list, as it was published and stays.

    ``position`` grows over all cameras, ``msn`` by one for each entry of a camera; ``discontinuities`` counts those of
    the camera up to this one. ``arrival`` says that ``date_us`` comes from when the media reached the archive.
    """

    position: int
    msn: int
    discontinuities: int
    published_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSegment:
    """A line whose media are in the published tree; ``arrival`` is the index's number for them."""

    name: UnitName
    branch: int
    seq: int
    arrival: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldSegment:
    """A line whose media are held back. ``judged`` is the digest of the profile that said so."""

    name: UnitName
    branch: int
    seq: int
    sha256: str
    release: Release
    judged: str


class Publications:
    """Every method is one transaction; any thread reads, one writes. A database that fails is an OSError."""

    def __init__(self, url: str, *, writes: bool) -> None:
        """Who ``writes`` is the only one, and makes the tables. Raises OperatorError."""
        self._engine = (open_engine if writes else open_following)(database_url(url))
        try:
            if writes:
                METADATA.create_all(self._engine)
            else:
                with self._engine.connect() as connection:
                    connection.execute(select(progress.c.arrival)).all()
        except SQLAlchemyError as error:
            self.close()
            raise OperatorError(
                f"What is published cannot be read: {words(error)}.",
                hint="unbroken archive publish makes the database: start it first.",
            ) from error

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def add(
        self,
        public: Sequence[PublicSegment],
        new: Sequence[NewEntry],
        arrival: int,
        utc_us: int,
        held_back: Sequence[WithheldSegment] = (),
    ) -> None:
        """Media of ``public`` are in the tree, those of ``held_back`` wait, and the index was seen up to ``arrival``.

        Durable on return. Idempotent. What is public is held back no more.
        """
        with self._writing() as connection:
            names = _names(public, new) | {each.name for each in held_back}
            ids = {name: _unit_id(connection, name) for name in sorted(names)}
            _forget(connection, [(ids[each.name], each.branch, each.seq) for each in public])
            _forget(connection, [(ids[each.name], each.branch, each.seq) for each in held_back])
            _withhold(connection, [(ids[each.name], each) for each in held_back])
            _put(connection, [(ids[each.name], each) for each in public], utc_us)
            _append(connection, [(ids[each.name], each) for each in new], utc_us)
            if not connection.execute(update(progress).values(arrival=arrival)).rowcount:
                connection.execute(insert(progress).values(id=1, arrival=arrival))

    def newest(self, most: int) -> list[PublicSegment]:
        """What was published last by the index's numbers, the oldest first, and of an older index nothing behind it."""
        query = (
            select(segments.c.branch, segments.c.seq, segments.c.arrival, units.c.station, units.c.unit)
            .join(units, units.c.id == segments.c.unit_id)
            .where(segments.c.arrival <= select(progress.c.arrival).scalar_subquery())
            .order_by(segments.c.arrival.desc())
            .limit(most)
        )
        return [
            PublicSegment(
                name=UnitName(station=row.station, unit=row.unit), branch=row.branch, seq=row.seq, arrival=row.arrival
            )
            for row in self._rows(query)
        ][::-1]

    def seen(self) -> int:
        """Up to which number the index was seen."""
        with self._reading() as connection:
            return int(connection.scalar(select(progress.c.arrival)) or 0)

    def begin(self) -> int:
        """From which number on the index is to be seen: a little before where it was left."""
        with self._reading() as connection:
            seen = connection.scalar(select(progress.c.arrival)) or 0
            newest = connection.scalar(select(func.max(segments.c.published_us))) or 0
            late = select(func.min(segments.c.arrival)).where(segments.c.published_us > newest - _AGAIN_US)
            first = connection.scalar(late)
        return int(seen if first is None else min(seen, first - 1))

    def published(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> set[int]:
        """Which lines of a branch from one ``seq`` to before another have their media in the published tree."""
        query = select(segments.c.seq).where(
            segments.c.unit_id == _id_of(name).scalar_subquery(),
            segments.c.branch == branch,
            segments.c.seq >= from_seq,
            segments.c.seq < to_seq,
        )
        return {row.seq for row in self._rows(query)}

    def withheld(self, name: UnitName, branch: int, from_seq: int, to_seq: int) -> set[int]:
        """Which lines of a branch from one ``seq`` to before another have media that are stored and held back."""
        query = select(withheld.c.seq).where(
            withheld.c.unit_id == _id_of(name).scalar_subquery(),
            withheld.c.branch == branch,
            withheld.c.seq >= from_seq,
            withheld.c.seq < to_seq,
        )
        return {row.seq for row in self._rows(query)}

    def due(self, judged: str, now_us: int, most: int) -> list[WithheldSegment]:
        """What a profile holds back no longer, in the order of release, then of the ledger."""
        query = _WITHHELD.where(withheld.c.judged == judged, withheld.c.until_us <= now_us)
        order = (withheld.c.until_us, withheld.c.unit_id, withheld.c.branch, withheld.c.seq)
        return [_withheld(row) for row in self._rows(query.order_by(*order).limit(most))]

    def unjudged(self, judged: str, most: int) -> list[WithheldSegment]:
        """What another profile than this one holds back: it is to be judged again before it is released."""
        return [_withheld(row) for row in self._rows(_WITHHELD.where(withheld.c.judged != judged).limit(most))]

    def held_digests(self, digests: Sequence[str]) -> dict[str, list[WithheldSegment]]:
        """The lines that are held back and name one of these digests."""
        found: dict[str, list[WithheldSegment]] = {}
        for row in self._rows(_WITHHELD.where(withheld.c.sha256.in_(digests))):
            found.setdefault(row.sha256, []).append(_withheld(row))
        return found

    def drop(self, gone: Sequence[WithheldSegment]) -> None:
        """The index does not have them any more; where they come again, they are judged again."""
        with self._writing() as connection:
            ids = {name: _unit_id(connection, name) for name in sorted({each.name for each in gone})}
            _forget(connection, [(ids[each.name], each.branch, each.seq) for each in gone])

    def announce(self, holds: Sequence[Hold]) -> None:
        """These are the holds in force, for pages to tell."""
        with self._writing() as connection:
            connection.execute(delete(notices))
            for number, hold in enumerate(holds):
                reason = json.dumps(hold.reason, ensure_ascii=False)
                values = {"from_us": hold.from_us, "to_us": hold.to_us, "until_us": hold.until_us, "reason": reason}
                connection.execute(insert(notices).values(number=number, **values))

    def holds(self) -> list[Hold]:
        """The holds in force."""
        return [
            Hold(from_us=row.from_us, to_us=row.to_us, until_us=row.until_us, reason=json.loads(row.reason))
            for row in self._rows(select(notices).order_by(notices.c.from_us, notices.c.number))
        ]

    def live(self, name: UnitName, camera: str, most: int) -> list[LiveEntry]:
        """The newest entries of a camera, the oldest first."""
        query = _ENTRIES.where(units.c.station == name.station, units.c.unit == name.unit, entries.c.camera == camera)
        return [_entry(row) for row in self._rows(query.order_by(entries.c.msn.desc()).limit(most))][::-1]

    def cameras(self) -> list[tuple[UnitName, str]]:
        """Every camera that has a live list."""
        query = select(units.c.station, units.c.unit, entries.c.camera).join(units, units.c.id == entries.c.unit_id)
        rows = self._rows(query.distinct().order_by(units.c.station, units.c.unit, entries.c.camera))
        return [(UnitName(station=row.station, unit=row.unit), row.camera) for row in rows]

    def entries_after(self, position: int, most: int) -> list[LiveEntry]:
        """The first ``most`` entries behind a position, of all cameras, in the order of publication."""
        query = _ENTRIES.where(entries.c.position > position).order_by(entries.c.position).limit(most)
        return [_entry(row) for row in self._rows(query)]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise OSError(f"what is published cannot be written: {words(error)}") from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise OSError(f"what is published cannot be read: {words(error)}") from error

    def _rows(self, query: "Select[tuple[object, ...]]") -> "Sequence[Row[tuple[object, ...]]]":
        with self._reading() as connection:
            return connection.execute(query).all()


# Made once: making a statement costs more than executing it.
_OF_CAMERA = (entries.c.unit_id == bindparam("of_unit")) & (entries.c.camera == bindparam("of_camera"))
_NEWEST = select(entries.c.msn, entries.c.discontinuities).where(_OF_CAMERA).order_by(entries.c.msn.desc()).limit(1)
_OLD = delete(entries).where(_OF_CAMERA, entries.c.msn < bindparam("first"))
_AGAIN = (
    update(segments)
    .where(
        segments.c.unit_id == bindparam("of_unit"),
        segments.c.branch == bindparam("of_branch"),
        segments.c.seq == bindparam("of_seq"),
    )
    .values(arrival=bindparam("as_arrival"))
)
_NEW_SEGMENTS, _NEW_ENTRIES = insert(segments), insert(entries)
_UNIT = select(units.c.id).where(units.c.station == bindparam("of_station"), units.c.unit == bindparam("of_name"))
_WITHHELD = select(withheld, units.c.station, units.c.unit).join(units, units.c.id == withheld.c.unit_id)
_FORGET = delete(withheld).where(
    withheld.c.unit_id == bindparam("of_unit"),
    withheld.c.branch == bindparam("of_branch"),
    withheld.c.seq == bindparam("of_seq"),
)
_ENTRIES = select(entries, units.c.station, units.c.unit).join(units, units.c.id == entries.c.unit_id)


def _names(public: Sequence[PublicSegment], new: Sequence[NewEntry]) -> set[UnitName]:
    return {each.name for each in public} | {each.name for each in new}


def _id_of(name: UnitName) -> "Select[tuple[int]]":
    return select(units.c.id).where(units.c.station == name.station, units.c.unit == name.unit)


def _unit_id(connection: Connection, name: UnitName) -> int:
    found = connection.execute(_UNIT, {"of_station": name.station, "of_name": name.unit}).first()
    if found is not None:
        return int(found.id)
    key = connection.execute(insert(units).values(station=name.station, unit=name.unit)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _forget(connection: Connection, lines: Sequence[tuple[int, int, int]]) -> None:
    if lines:
        keys = [{"of_unit": unit, "of_branch": branch, "of_seq": seq} for unit, branch, seq in lines]
        connection.execute(_FORGET, keys)


def _withhold(connection: Connection, held_back: Sequence[tuple[int, WithheldSegment]]) -> None:
    rows = {
        (unit, each.branch, each.seq): {
            "unit_id": unit,
            "branch": each.branch,
            "seq": each.seq,
            "sha256": each.sha256,
            "until_us": each.release.at_us,
            "ground": each.release.ground,
            "judged": each.judged,
        }
        for unit, each in held_back
    }
    if rows:
        connection.execute(insert(withheld), list(rows.values()))


def _withheld(row: "Row[tuple[object, ...]]") -> WithheldSegment:
    return WithheldSegment(
        name=UnitName(station=row.station, unit=row.unit),
        branch=row.branch,
        seq=row.seq,
        sha256=row.sha256,
        release=Release(at_us=row.until_us, ground=Ground(row.ground)),
        judged=row.judged,
    )


def _put(connection: Connection, public: Sequence[tuple[int, PublicSegment]], utc_us: int) -> None:
    """The first time counts: a page says since when something is here."""
    new: dict[tuple[int, int, int], dict[str, int]] = {}
    for unit, each in public:
        key = {"of_unit": unit, "of_branch": each.branch, "of_seq": each.seq}
        if not connection.execute(_AGAIN, {**key, "as_arrival": each.arrival}).rowcount:
            new[unit, each.branch, each.seq] = {
                "unit_id": unit,
                "branch": each.branch,
                "seq": each.seq,
                "arrival": each.arrival,
                "published_us": utc_us,
            }
    if new:
        connection.execute(_NEW_SEGMENTS, list(new.values()))


def _append(connection: Connection, new: Sequence[tuple[int, NewEntry]], utc_us: int) -> None:
    counted: dict[tuple[int, str], tuple[int, int]] = {}
    rows: list[dict[str, object]] = []
    for unit, entry in new:
        camera = (unit, entry.camera)
        if camera not in counted:
            last = connection.execute(_NEWEST, {"of_unit": unit, "of_camera": entry.camera}).first()
            counted[camera] = (-1, 0) if last is None else (last.msn, last.discontinuities)
        msn, discontinuities = counted[camera][0] + 1, counted[camera][1] + entry.discontinuity
        counted[camera] = msn, discontinuities
        values = {each.name: getattr(entry, each.name) for each in fields(NewEntry) if each.name != "name"}
        row = {"unit_id": unit, "msn": msn, "discontinuities": discontinuities, "published_us": utc_us}
        rows.append(values | row)
    if rows:
        connection.execute(_NEW_ENTRIES, rows)
    for (unit, camera_name), (msn, _) in counted.items():
        connection.execute(_OLD, {"of_unit": unit, "of_camera": camera_name, "first": msn - _KEPT})


def _entry(row: "Row[tuple[object, ...]]") -> LiveEntry:
    return LiveEntry(
        name=UnitName(station=row.station, unit=row.unit),
        camera=row.camera,
        branch=row.branch,
        seq=row.seq,
        sha256=row.sha256,
        init_sha256=row.init_sha256,
        duration_us=row.duration_us,
        date_us=row.date_us,
        arrival=row.arrival,
        discontinuity=row.discontinuity,
        mode=Mode(row.mode),
        run_seq=row.run_seq,
        start_seq=row.start_seq,
        session=row.session,
        boot_id=row.boot_id,
        run=row.run,
        number=row.number,
        offset_us=row.offset_us,
        position=row.position,
        msn=row.msn,
        discontinuities=row.discontinuities,
        published_us=row.published_us,
    )
