"""The sizes of the day line, and where the stretches of its axis lie."""

from collections.abc import Sequence
from dataclasses import dataclass

from evidence.day.line import Stretch

MARGIN = 1.0
"""Left and right of the axis, in CSS pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A size of the picture in CSS pixels. ``words`` says whether there is room for text and pins with heads."""

    width: float
    lane: float
    text: float
    tick: float
    words: bool
    least: float
    """The least width at which anything but video is drawn, so that a short gap can be seen."""

    def least_of(self, count: int) -> float:
        """The least width where a lane holds ``count`` pieces that are not video: many must not drown the video."""
        return max(0.35, min(self.least, 0.2 * self.width / max(1, count)))


PAGE = Size(width=880, lane=24, text=12.5, tick=52, words=True, least=3)
NARROW = Size(width=340, lane=26, text=11.5, tick=46, words=True, least=3)
STRIP = Size(width=480, lane=14, text=0, tick=40, words=False, least=2)
THREAD = Size(width=120, lane=6, text=0, tick=0, words=False, least=1)


def places(stretches: Sequence[Stretch], size: Size) -> tuple[tuple[float, float], ...]:
    """Left and right of each stretch: in proportion to its time, but never so narrow that it vanishes."""
    if not stretches:
        return ()
    margin = MARGIN if size.words else 0.0
    room, count = size.width - 2 * margin, len(stretches)
    between = min(30.0 if size.words else 6.0, 0.3 * room / count)
    room -= between * (count - 1)
    least = min(0.08 * size.width, 0.5 * room / count)
    total = sum(stretch.to_us - stretch.from_us for stretch in stretches)
    found, left = [], margin
    for stretch in stretches:
        width = least + (room - least * count) * ((stretch.to_us - stretch.from_us) / total)
        found.append((left, left + width))
        left += width + between
    return tuple(found)
