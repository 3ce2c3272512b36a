"""Three ways to publish a day, as terms of a profile to begin from."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from evidence.terms import Expected, Publication, Shows, Terms
from evidence.words import Phase


def preset(shows: Shows, phases: Mapping[Phase, int] = MappingProxyType({}), languages: Sequence[str] = ()) -> Terms:
    """Terms that publish what ``shows`` says. ``phases`` are expected beginnings, microseconds of UTC; ``count-only``
    needs that of ``closed``. ``languages`` are all three where none is named.
    """
    expected = tuple(
        Expected(phase=phase, at_us=at_us) for phase, at_us in sorted(phases.items(), key=lambda item: item[1])
    )
    if shows is Shows.COUNT_ONLY and Phase.CLOSED not in phases:
        raise ValueError("count-only needs the time at which voting is to end")
    return Terms(phases=expected, publication=Publication(shows=shows), languages=tuple(languages) or Terms().languages)
