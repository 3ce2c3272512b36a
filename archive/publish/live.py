"""What goes on a live list: the newest of each camera, never anything older. Values only.

Backfilled media have a lower place in the ledger than what is live, and are left to replay. So is what comes late of a
unit that has nothing newer to send: a list says "live" of seconds, not of hours.
"""

from archive.index.rows import HeldSegment
from archive.publish.dating import Dating
from archive.publish.publications import LiveEntry, NewEntry

MOST_AGE_US = 90_000_000
"""What is older when it is published is not live. A thin link may hold a segment up for a minute."""
MOST_BEHIND = 256
"""Lines that a unit may be ahead of a segment whose time is not known: some two minutes of two cameras."""


def is_newer(held: HeldSegment, last: LiveEntry | NewEntry | None) -> bool:
    """Whether ``held`` stands behind ``last`` in the unit's ledger."""
    return last is None or (held.branch, held.seq) > (last.branch, last.seq)


def is_live(held: HeldSegment, dating: Dating, *, head_seq: int, now_us: int) -> bool:
    """Whether ``held`` is of now, by the archive's time ``now_us``; ``head_seq`` is its branch's newest line."""
    arrived_us = now_us if held.stored_us is None else held.stored_us
    if now_us - arrived_us > MOST_AGE_US:
        return False
    if dating.arrival:
        return head_seq - held.seq <= MOST_BEHIND
    return now_us - dating.at(held.segment.to_ns) <= MOST_AGE_US


def follows(held: HeldSegment, offset_us: int, last: LiveEntry | NewEntry) -> bool:
    """Whether a player may go on without a break: the next of the same run, dated in the same way."""
    segment = held.segment
    return (held.session, segment.run, segment.index, offset_us) == (
        last.session,
        last.run,
        last.number + 1,
        last.offset_us,
    )


def entry(held: HeldSegment, dating: Dating, last: LiveEntry | NewEntry | None) -> NewEntry | None:
    """``held`` as an entry behind ``last``; None where its run or session is not known: nobody could play it."""
    segment = held.segment
    if held.init_sha256 is None or held.run_seq is None or held.start_seq is None:
        return None
    return NewEntry(
        name=held.name,
        camera=segment.camera,
        branch=held.branch,
        seq=held.seq,
        sha256=segment.sha256,
        init_sha256=held.init_sha256,
        duration_us=(segment.to_ns - segment.from_ns) // 1_000,
        date_us=dating.at(segment.from_ns),
        arrival=dating.arrival,
        discontinuity=last is not None and not follows(held, dating.offset_us, last),
        mode=segment.mode,
        run_seq=held.run_seq,
        start_seq=held.start_seq,
        session=held.session,
        boot_id=held.boot_id,
        run=segment.run,
        number=segment.index,
        offset_us=dating.offset_us,
    )
