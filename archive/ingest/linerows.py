"""What lines tell the index, as rows."""

from collections.abc import Sequence

from archive.index.rows import LineRow, PrunedRow, RunRow, SegmentRow, StatementRow
from archive.ingest.reading import GoodLine, Reader
from evidence.jws import unseal
from evidence.lines import Config, Event, Gap, Pruned, Recovered, Run, Segment, Start, kind_of


def line_rows(good: Sequence[GoodLine], offset: int) -> tuple[LineRow, ...]:
    """Where each lies in a branch's file, the first at ``offset``."""
    rows: list[LineRow] = []
    for each in good:
        rows.append(
            LineRow(
                seq=each.line.seq,
                sha256=each.sha256,
                offset=offset,
                size_bytes=len(each.text),
                boot_ns=each.line.stamp.boot_ns,
                start=isinstance(each.line.body, Start),
                utc_us=each.line.stamp.utc_us if each.line.stamp.error_us is not None else None,
                error_us=each.line.stamp.error_us,
            )
        )
        offset += len(each.text) + 1
    return tuple(rows)


def segment_rows(good: Sequence[GoodLine], reader: Reader) -> tuple[SegmentRow, ...]:
    """Media that were recovered for a session that nobody enrolled are named by nobody (spec/verify.md, step 6)."""
    rows: list[SegmentRow] = []
    for each in good:
        body = each.line.body
        if not isinstance(body, Segment):
            continue
        session = body.session if isinstance(body, Recovered) else each.session.kid
        boot_id = reader.boots.get(session)
        if boot_id is not None:
            rows.append(SegmentRow(seq=each.line.seq, session=session, boot_id=boot_id, segment=body))
    return tuple(rows)


def run_rows(good: Sequence[GoodLine]) -> tuple[RunRow, ...]:
    """The runs that they begin."""
    return tuple(
        RunRow(session=each.session.kid, run=each.line.body) for each in good if isinstance(each.line.body, Run)
    )


def pruned_rows(good: Sequence[GoodLine]) -> tuple[PrunedRow, ...]:
    """What the unit has deleted."""
    return tuple(_pruned(each.line.body) for each in good if isinstance(each.line.body, Pruned))


def statement_rows(good: Sequence[GoodLine]) -> tuple[StatementRow, ...]:
    """All that names no media to be delivered."""
    return tuple(_statement(each) for each in good if not isinstance(each.line.body, Segment))


def _statement(good: GoodLine) -> StatementRow:
    body = good.line.body
    return StatementRow(
        seq=good.line.seq,
        kind=kind_of(body),
        session=good.session.kid,
        boot_id=good.session.start.boot_id,
        camera=body.camera if isinstance(body, Run | Gap | Event | Config | Pruned) else None,
        run=body.run if isinstance(body, Run | Pruned) else None,
        payload=unseal(good.text).payload.decode(),
    )


def _pruned(body: Pruned) -> PrunedRow:
    return PrunedRow(
        session=body.session,
        camera=body.camera,
        run=body.run,
        from_index=body.from_index,
        to_index=body.to_index,
        receipt=body.receipt,
    )
