"""When media become public: at the latest time that delay, hold or preset asks. Values only.

Judged on the interval of UTC in which a segment was certainly recorded. What may lie in a hold is held.

Nothing proves how late media without any UTC come: their unit may have kept them for days. Certain is only that they
were recorded before they came. So a hold that had begun by then holds them back as well; and only-the-count never shows
them.
"""

from dataclasses import dataclass
from enum import StrEnum

from evidence.terms import Shows, Terms


class Ground(StrEnum):
    """Why media are held back."""

    DELAY = "delay"
    HOLD = "hold"
    COUNT_ONLY = "count-only"
    EVIDENCE_ONLY = "evidence-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """When a segment was recorded, microseconds of UTC: not before ``least_us`` where anything proves that, and not
    after ``most_us``.
    """

    least_us: int | None
    most_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """``at_us``: when; None for never by these terms."""

    at_us: int | None
    ground: Ground

    def is_after(self, other: "Release | None") -> bool:
        """Whether this one asks for more."""
        if other is None or other.at_us is None:
            return other is None
        return self.at_us is None or self.at_us > other.at_us


def recorded(begin: tuple[int, int] | None, end: tuple[int, int] | None, stored_us: int) -> Recorded:
    """From UTC of both ends of a segment, where it is known, and when the archive had it.

    A unit that claims a time which had not come is not believed: its clock is wrong, and nothing is known.
    """
    if begin is None or end is None or begin[0] > stored_us:
        return Recorded(least_us=None, most_us=stored_us)
    return Recorded(least_us=begin[0], most_us=end[1])


def release(terms: Terms, when: Recorded) -> Release | None:
    """When a segment may be published; None where nothing holds it back."""
    asked: list[Release] = []
    publication, closing_us = terms.publication, terms.closing_us
    if publication.shows is Shows.EVIDENCE_ONLY:
        asked.append(Release(at_us=None, ground=Ground.EVIDENCE_ONLY))
    elif publication.shows is Shows.COUNT_ONLY and (
        closing_us is None or when.least_us is None or when.least_us < closing_us
    ):
        asked.append(Release(at_us=None, ground=Ground.COUNT_ONLY))
    asked += [
        Release(at_us=hold.until_us, ground=Ground.HOLD)
        for hold in publication.holds
        if (when.least_us is None or when.least_us < hold.to_us) and when.most_us >= hold.from_us
    ]
    if publication.delay_s:
        asked.append(Release(at_us=when.most_us + publication.delay_s * 1_000_000, ground=Ground.DELAY))
    latest: Release | None = None
    for each in asked:
        if each.is_after(latest):
            latest = each
    return latest
