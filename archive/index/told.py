"""A branch's lines as they lie in its file, each with what it says of media: to be judged once more, so quickly."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from archive.index.reading import IndexReader
from archive.index.schema import lines, segments
from archive.names import UnitName
from evidence.lines import Recovered, Segment
from evidence.words import Mode

_AT_ONCE = 4_096
_MODES = {mode.value: mode for mode in Mode}
_LINES = (
    select(
        lines.c.seq,
        lines.c.sha256,
        lines.c.boot_ns,
        lines.c.utc_us,
        lines.c.error_us,
        segments.c.stored,
        segments.c.wanted,
        segments.c.recovered,
        segments.c.session,
        segments.c.camera,
        segments.c.run,
        segments.c.number,
        segments.c.mode,
        segments.c.sha256,
        segments.c.size_bytes,
        segments.c.from_ns,
        segments.c.to_ns,
        segments.c.frames,
        segments.c.dropped_frames,
        segments.c.max_hole_ms,
    )
    .select_from(
        lines.outerjoin(
            segments,
            (segments.c.unit_id == lines.c.unit_id)
            & (segments.c.branch == lines.c.branch)
            & (segments.c.seq == lines.c.seq),
        )
    )
    .where(
        lines.c.unit_id == bindparam("of_unit"),
        lines.c.branch == bindparam("of_branch"),
        lines.c.seq >= bindparam("from_seq"),
        lines.c.seq < bindparam("to_seq"),
    )
    .order_by(lines.c.seq)
)


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A line of a branch: its digest, its stamp as in ``LineRow``, and the media that it names, if any: whether these
    are stored, and whether they are still to come.
    """

    seq: int
    sha256: str
    boot_ns: int
    utc_us: int | None
    error_us: int | None
    segment: Segment | None
    stored: bool
    wanted: bool


def read_told(reader: IndexReader, name: UnitName, branch: int, from_seq: int, to_seq: int) -> Iterator[ToldLine]:
    """A branch's own lines from one ``seq`` to before another; memory for some thousands at a time. Raises OSError."""
    unit = reader._id(name)
    for begin in range(from_seq, to_seq, _AT_ONCE):
        asked = {"of_unit": unit, "of_branch": branch, "from_seq": begin, "to_seq": min(begin + _AT_ONCE, to_seq)}
        with reader._reading() as connection:
            rows = connection.execute(_LINES, asked).all()
        for row in rows:
            seq, sha256, boot_ns, utc_us, error_us, stored, wanted, recovered, session, *named = row
            segment = None if session is None else _segment(recovered, session, *named)
            yield ToldLine(seq, sha256, boot_ns, utc_us, error_us, segment, bool(stored), bool(wanted))


def _segment(
    recovered: bool,
    session: str,
    camera: str,
    run: int,
    number: int,
    mode: str,
    sha256: str,
    size_bytes: int,
    from_ns: int,
    to_ns: int,
    frames: int,
    dropped_frames: int,
    max_hole_ms: int,
) -> Segment:
    if recovered:
        return Recovered(
            session=session,
            camera=camera,
            run=run,
            index=number,
            mode=_MODES[mode],
            sha256=sha256,
            size=size_bytes,
            from_ns=from_ns,
            to_ns=to_ns,
            frames=frames,
            holes=(dropped_frames, max_hole_ms),
        )
    return Segment(
        camera=camera,
        run=run,
        index=number,
        mode=_MODES[mode],
        sha256=sha256,
        size=size_bytes,
        from_ns=from_ns,
        to_ns=to_ns,
        frames=frames,
        holes=(dropped_frames, max_hole_ms),
    )
