"""UTC of a boot time, as an interval, from what synchronised lines say (spec/verify.md, section 3).

Arithmetic. All values are integers in units of 1/2,000,000 microsecond, in which 500 ppm of one nanosecond is one
unit. A synced line at boot time ``b`` says that UTC minus boot time at ``t`` lies between ``low - |t - b|`` and
``high + |t - b|``, where ``low`` and ``high`` are ``utc_us - b / 1000`` minus and plus ``error_us``.

- The intersection of all lines is bounded above by the lowest of the cones ``high + |t - b|``. A cone that lies
  nowhere below the others is dropped: the kernel's bound itself grows by 500 ppm between two answers of a time server,
  so what remains is about one cone for each answer. Past ``MOST_CONES`` those that matter least are dropped, too. To
  drop a cone can only widen the interval, so it always contains the true one.
- The hull of all lines needs no list: ``low - |t - b|`` is the lesser of ``low + b - t`` and ``low - b + t``, so its
  lowest value at any ``t`` follows from the lowest ``low + b`` and the lowest ``low - b`` alone.
- Whether a line contradicts an earlier one of its boot needs no list either, as boot time only grows: the bounds of
  all earlier lines at ``b`` are the least ``high - b`` plus ``b`` and the greatest ``low + b`` minus ``b``.
"""

from bisect import bisect_left

from evidence.codes import Code
from evidence.lines import Stamp
from evidence.words import ClockState

_UNIT = 2_000_000
"""Units in a microsecond."""
_UNITS_PER_NS = 2_000
MOST_CONES = 1_024


class _Cones:
    """The lowest of ``height + |t - place|`` over all cones that were added."""

    __slots__ = ("_heights", "_places")

    def __init__(self) -> None:
        self._places: list[int] = []
        self._heights: list[int] = []

    def add(self, place: int, height: int) -> None:
        """One more cone."""
        places, heights = self._places, self._heights
        at = len(places) if not places or places[-1] < place else bisect_left(places, place)
        if at and heights[at - 1] + place - places[at - 1] <= height:
            return
        if at < len(places) and heights[at] + places[at] - place <= height:
            return
        first = at
        while first and height + place - places[first - 1] <= heights[first - 1]:
            first -= 1
        last = at
        while last < len(places) and height + places[last] - place <= heights[last]:
            last += 1
        places[first:last], heights[first:last] = [place], [height]
        if len(places) > MOST_CONES:
            self._thin()

    def at(self, place: int) -> int:
        """The lowest cone at ``place``; one must have been added. The nearest on either side decides."""
        at = bisect_left(self._places, place)
        return min(self._heights[i] + abs(place - self._places[i]) for i in (at - 1, at) if 0 <= i < len(self._places))

    def _thin(self) -> None:
        """Drop a quarter: those whose neighbours stand in for them best."""
        places, heights = self._places, self._heights

        def rise(i: int) -> int:
            left = heights[i - 1] + places[i] - places[i - 1]
            right = heights[i + 1] + places[i + 1] - places[i]
            return min(left, right) - heights[i]

        least = set(sorted(range(1, len(places) - 1, 2), key=rise)[: MOST_CONES // 4])
        self._places = [place for i, place in enumerate(places) if i not in least]
        self._heights = [height for i, height in enumerate(heights) if i not in least]


class _Bounds:
    """What all lines so far allow at a place that is not before any of them."""

    __slots__ = ("_high", "_low")

    def __init__(self) -> None:
        self._high: int | None = None
        self._low: int | None = None

    def add(self, place: int, low: int, high: int) -> None:
        self._high = high - place if self._high is None else min(self._high, high - place)
        self._low = low + place if self._low is None else max(self._low, low + place)

    def allow(self, place: int, low: int, high: int) -> bool:
        """Whether an interval at ``place`` agrees with every line before."""
        if self._high is None or self._low is None:
            return True
        return low <= self._high + place and high >= self._low - place


class _Boot:
    __slots__ = ("contradicted", "hull", "last", "lower", "overall", "recent", "told", "upper")

    def __init__(self, place: int, low: int, high: int) -> None:
        self.upper, self.lower = _Cones(), _Cones()
        self.overall, self.recent = _Bounds(), _Bounds()
        self.hull = (low + place, low - place, high - place, high + place)
        self.last = place
        self.told = self.contradicted = False

    def add(self, place: int, low: int, high: int) -> None:
        self.upper.add(place, high)
        self.lower.add(place, -low)
        self.overall.add(place, low, high)
        self.recent.add(place, low, high)
        a, b, c, d = self.hull
        self.hull = (min(a, low + place), min(b, low - place), max(c, high - place), max(d, high + place))
        self.last = max(self.last, place)

    def interval(self, place: int) -> tuple[int, int]:
        if not self.contradicted:
            low, high = -self.lower.at(place), self.upper.at(place)
            if low <= high:
                return low, high
        a, b, c, d = self.hull
        return min(a - place, b + place), max(c + place, d - place)


class Utc:
    """What is known of UTC in each kernel boot. Memory is bounded for each boot."""

    def __init__(self) -> None:
        self._boots: dict[str, _Boot] = {}

    def observe(self, boot_id: str, stamp: Stamp, *, told: bool = False) -> Code | None:
        """Take in a line's stamp; ``told`` says that the line reports a step of the clock.

        Returns ``clock-contradiction`` where it contradicts an earlier line of the boot, or ``clock-step`` where a
        reported step explains that. Then the boot's UTC is the hull of all statements.
        """
        boot = self._boots.get(boot_id)
        if told and boot is not None:
            boot.recent, boot.told = _Bounds(), True
        if stamp.state is not ClockState.SYNCED:
            return None
        assert stamp.utc_us is not None
        assert stamp.error_us is not None
        place = stamp.boot_ns
        offset = stamp.utc_us * _UNIT - place * _UNITS_PER_NS
        low, high = offset - stamp.error_us * _UNIT, offset + stamp.error_us * _UNIT
        if boot is None:
            boot = self._boots[boot_id] = _Boot(place, low, high)
        code: Code | None = None
        if place >= boot.last and not boot.overall.allow(place, low, high):
            boot.contradicted = True
            if not boot.recent.allow(place, low, high):
                code = Code.CLOCK_CONTRADICTION
                boot.recent = _Bounds()
            elif boot.told:
                code = Code.CLOCK_STEP
                boot.told = False
        boot.add(place, low, high)
        return code

    def at(self, boot_id: str, boot_ns: int) -> tuple[int, int] | None:
        """UTC at a boot time as ``(least, most)`` microseconds, rounded outwards; None where nothing is known."""
        boot = self._boots.get(boot_id)
        if boot is None:
            return None
        low, high = boot.interval(boot_ns)
        now = boot_ns * _UNITS_PER_NS
        return (low + now) // _UNIT, -(-(high + now) // _UNIT)
