"""How long what is catching up will still take: by how fast it has done so of late."""

from collections.abc import Callable, Iterable, Mapping

from archive.account.state import StationState
from archive.account.stations import StationFacts
from archive.names import UnitName

EVERY_US = 10_000_000
MOST_AT_ONCE = 50
"""Units asked for in one look: an outage of two hundred is gone through in four."""
_LOOKS = 6


class Backlog:
    """Follows the watch, in its thread; any may read. ``lacking`` counts a unit's armed segments that are to come."""

    def __init__(self, lacking: Callable[[UnitName], int]) -> None:
        self._lacking = lacking
        self._counts: dict[UnitName, list[tuple[int, int]]] = {}
        self._finish_s: dict[str, int] = {}

    def told(self, stations: Iterable[StationFacts] | None, at_us: int) -> None:
        """Raises OSError where the index cannot be read."""
        if stations is None:
            return
        catching_up = [each for each in stations if each.state is StationState.BACKFILLING]
        units = [name for each in catching_up for name in each.units]
        self._counts = {name: self._counts.get(name, []) for name in units}
        due = [name for name in units if not self._counts[name] or at_us - self._counts[name][-1][0] >= EVERY_US]
        due.sort(key=lambda name: self._counts[name][-1][0] if self._counts[name] else 0)
        for name in due[:MOST_AT_ONCE]:
            self._counts[name] = [*self._counts[name], (at_us, self._lacking(name))][-_LOOKS:]
        found = {each.name: [_finish_s(self._counts[name]) for name in each.units] for each in catching_up}
        self._finish_s = {
            name: max(value for value in values if value is not None)
            for name, values in found.items()
            if values and None not in values
        }

    def finish_s(self) -> Mapping[str, int]:
        """By station, in seconds; only where it is known."""
        return self._finish_s


def _finish_s(counts: list[tuple[int, int]]) -> int | None:
    if not counts:
        return None
    (first_us, first), (last_us, last) = counts[0], counts[-1]
    if last == 0:
        return 0
    if last >= first:
        return None
    return last * (last_us - first_us) // (first - last) // 1_000_000
