"""The newest time of which this unit has proof, and how certificates are judged by it (spec/upload.md, section 6)."""

from collections.abc import Iterable
from dataclasses import dataclass

from base.clock import Reading
from evidence.certificate import BEGINNING_US, END_US, Certified


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenTime:
    """It is ``utc_us`` or later; ``now`` says that it is just that, to within ``error_us``."""

    utc_us: int
    now: bool = False
    error_us: int = 0


def proven_time(reading: Reading, marks: Iterable[int]) -> ProvenTime:
    """What a synchronised clock says, else the newest of ``marks``: instants that are past for sure.

    A clock that is behind a mark is wrong, whatever it says of itself.
    """
    newest_us = max(marks)
    if reading.utc_us is None or reading.error_us is None or reading.utc_us + reading.error_us < newest_us:
        return ProvenTime(utc_us=newest_us)
    return ProvenTime(utc_us=reading.utc_us, now=True, error_us=reading.error_us)


def refusal(certified: Certified, time: ProvenTime) -> str | None:
    """Why a certificate is refused for its dates or its revocation, or None."""
    if certified.to_us < END_US and time.utc_us - time.error_us > certified.to_us:
        return "its certificate has expired"
    if time.now and certified.from_us > BEGINNING_US and time.utc_us + time.error_us < certified.from_us:
        return "its certificate is not yet valid"
    # Revoked is revoked: a unit that knows no time does not wait for the date that the list names.
    if certified.revoked_us is not None and (not time.now or time.utc_us + time.error_us >= certified.revoked_us):
        return "its certificate has been revoked"
    return None
