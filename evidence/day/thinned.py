"""What came over a thin link, as stretches: a day of it has tens of thousands of pieces, which nobody could look at."""

from collections.abc import Sequence

from evidence.coverage import State
from evidence.day.answer import Span

PIECE_NS = 60 * 10**9
"""A longer piece stands for itself: a link so thin is no link, and so much in a row was no every n-th segment."""
LEAST_PIECES = 5
"""So many turns between here and missing are a stretch; fewer may be anything."""
_HERE = (State.SEGMENT, State.RECOVERED)


def join_thinned(spans: Sequence[Span]) -> tuple[Span, ...]:
    """``spans``, in order, with each stretch of short ones that are by turns here and missing as one, ``thinned``.

    A stretch is of one mode, within one boot, and without a hole; it begins and ends with what is here.
    """
    out: list[Span] = []
    run: list[Span] = []
    for span in spans:
        if run and not _goes_on(run[-1], span):
            out += _told(run)
            run = []
        if run or (_is_short(span) and span.state in _HERE):
            run.append(span)
        else:
            out.append(span)
    return (*out, *_told(run))


def _goes_on(last: Span, span: Span) -> bool:
    turned = (last.state in _HERE) != (span.state in _HERE) and State.MISSING in (last.state, span.state)
    return turned and _is_short(span) and (last.end, last.mode) == (span.start, span.mode)


def _is_short(span: Span) -> bool:
    inside = span.start.boot_id == span.end.boot_id
    return inside and span.end.boot_ns - span.start.boot_ns <= PIECE_NS


def _told(run: list[Span]) -> list[Span]:
    last = run.pop() if run and run[-1].state == State.MISSING else None
    rest = [] if last is None else [last]
    if len(run) < LEAST_PIECES:
        return run + rest
    return [Span(start=run[0].start, end=run[-1].end, state=State.THINNED, mode=run[0].mode, cause=None), *rest]
