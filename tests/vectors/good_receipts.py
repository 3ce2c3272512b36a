"""Records in which nothing is wrong, and media are gone because the archive acknowledged them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from evidence.keys import SoftwareSigner
from evidence.lines import Pruned
from evidence.receipt import Acknowledged, Receipt, write_receipt
from evidence.words import Cause
from tests.vectors import day, world
from tests.vectors.case import Case, Expected, good
from tests.vectors.record import Record, sha256
from tests.vectors.world import SECOND

STARTING = (("starting", (1_000, 1_000)),)


def acknowledge(
    record: Record,
    indexes: Iterable[int],
    *,
    certs: tuple[bytes, ...] = (),
    by: SoftwareSigner | None = None,
    **bend: Any,
) -> str:
    """A *stored* receipt for segments of the running run, acknowledged now. ``bend`` changes its members."""
    key = world.receipts_key(record.election)
    if not certs:
        valid = {"valid_from": world.MIDNIGHT, "valid_to": world.MIDNIGHT + timedelta(days=1)}
        certs = (world.der(record.authority.certify_receipts(key.public_key(), **valid)),)
    receipt = Receipt(
        kind=Acknowledged.STORED,
        election=record.election,
        station=record.station,
        unit=record.unit,
        archive="centre",
        utc_us=world.FIRST_BOOT_US + record.now_ns // 1000,
        certs=certs,
        media=tuple(sorted(sha256(record.media[record.path(index)]) for index in indexes)),
    )
    return write_receipt(replace(receipt, **bend), by or SoftwareSigner(key, deterministic=True))


def prune(record: Record, indexes: range, receipt: str | None, *, gone: Iterable[int] | None = None) -> None:
    """The line, and segments of the running run deleted: all that it names, or ``gone``."""
    first, last = indexes.start, indexes.stop
    body = Pruned(camera="cam1", session=record.session, run=0, from_index=first, to_index=last, reason="receipted")
    record.line(replace(body, receipt=receipt))
    for index in indexes if gone is None else gone:
        del record.media[record.path(index)]


def held(held_ms: int, *, covered_ms: int) -> Expected:
    """A day of a second's start of which the archive holds a part."""
    return Expected(covered_ms=covered_ms, missing_ms=(1_000, 1_000), gaps=STARTING, held_ms=held_ms)


def receipted() -> Case:
    record = day.armed()
    record.record(count=2)
    first = acknowledge(record, range(2))
    prune(record, range(2), first)
    record.record(count=2)
    record.event("finished")
    prune(record, range(2, 4), acknowledge(record, range(2, 4)))
    record.close()
    title = "A LIVE day that the archive has: every segment pruned on a receipt"
    return good("receipted", title, record, cam1=held(8_000, covered_ms=0))


def receipted_partly() -> Case:
    record = day.armed()
    record.record(count=3)
    # The line prunes three of them; this copy was made before the last of the three was deleted.
    prune(record, range(3), acknowledge(record, range(3)), gone=range(2))
    title = "Segments pruned on a receipt, of which this copy still has one"
    return good("receipted-partly", title, day.finish(record), cam1=held(4_000, covered_ms=4_000))


def receipted_unarmed() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(21 * SECOND, Cause.STARTING)
    record.record(count=2)
    prune(record, range(1), acknowledge(record, range(2)))
    record.close()
    title = "An UNARMED segment pruned on a receipt, which names another one, too"
    return good("receipted-unarmed", title, record, cam1=held(2_000, covered_ms=2_000))


CASES = (
    receipted,
    receipted_partly,
    receipted_unarmed,
)
