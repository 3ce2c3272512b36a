"""How fast: a ceiling that the configuration sets, and the rate that the link really gives."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

SECOND_NS = 1_000_000_000
WINDOW_NS = 60 * SECOND_NS
MOST_MARKS = 4_096
FAST_BYTES = 1_000_000
"""A second."""
BUSY_NS = 20 * SECOND_NS
"""By the newest transfers that together took so long a link is judged."""


class Ceiling:
    """At most so many kilobits in each second, or no limit where ``kbit`` is None. It bridges no pause: time in which
    nothing was sent is not made up for.
    """

    def __init__(self, kbit: int | None, boot_ns: Callable[[], int]) -> None:
        self._kbit = kbit
        self._boot_ns = boot_ns
        self._free_ns = 0
        """When what was sent so far has passed at that rate."""

    @property
    def is_set(self) -> bool:
        """Whether there is a limit."""
        return self._kbit is not None

    def wait_s(self, size_bytes: int) -> float:
        """Book ``size_bytes``; how long to wait before they are sent."""
        if self._kbit is None:
            return 0
        now_ns = self._boot_ns()
        begin_ns = max(now_ns, self._free_ns)
        self._free_ns = begin_ns + size_bytes * 8_000_000 // self._kbit
        return (begin_ns - now_ns) / SECOND_NS


class Rate:
    """Bytes acknowledged in the last minute."""

    def __init__(self, boot_ns: Callable[[], int]) -> None:
        self._boot_ns = boot_ns
        self._marks: deque[tuple[int, int]] = deque(maxlen=MOST_MARKS)

    def add(self, size_bytes: int) -> None:
        """So many bytes have been acknowledged now."""
        self._marks.append((self._boot_ns(), size_bytes))

    def is_fast(self) -> bool:
        """Whether so much has moved that the way there and back, not the link, is what keeps a sender waiting."""
        seconds = self.seconds_for(FAST_BYTES)
        return seconds is not None and seconds <= 1

    def seconds_for(self, size_bytes: int) -> int | None:
        """How long ``size_bytes`` take at the rate of the last minute; None while nothing moves."""
        if size_bytes == 0:
            return 0
        now_ns = self._boot_ns()
        while self._marks and now_ns - self._marks[0][0] > WINDOW_NS:
            self._marks.popleft()
        moved = sum(size for _, size in self._marks)
        if moved == 0:
            return None
        span_ns = max(now_ns - self._marks[0][0], SECOND_NS)
        return -(-size_bytes * span_ns // (moved * SECOND_NS))


class Carried:
    """What one connection carries while something is on its way: time in which nothing was to be sent does not count,
    and several at a time count once. ``add`` is called once something has been answered for.
    """

    def __init__(self, boot_ns: Callable[[], int]) -> None:
        self._boot_ns = boot_ns
        self._going = 0
        self._since_ns = 0
        self._busy_ns = 0
        self._bytes = 0
        self._marks = deque([(0, 0)])

    @contextlib.contextmanager
    def going(self) -> Iterator[None]:
        """Something is on its way meanwhile."""
        if self._going == 0:
            self._since_ns = self._boot_ns()
        self._going += 1
        try:
            yield
        finally:
            self._count()
            self._going -= 1

    def add(self, size_bytes: int) -> None:
        """So many bytes have arrived."""
        self._count()
        self._bytes += size_bytes
        self._marks.append((self._busy_ns, self._bytes))
        while len(self._marks) > MOST_MARKS or (len(self._marks) > 2 and self._busy_ns - self._marks[1][0] >= BUSY_NS):
            self._marks.popleft()

    def bytes_s(self, least_ns: int = 1) -> int | None:
        """A second; None before ``least_ns`` have been looked at."""
        (begin_ns, begin_bytes), (end_ns, end_bytes) = self._marks[0], self._marks[-1]
        span_ns = end_ns - begin_ns
        return (end_bytes - begin_bytes) * SECOND_NS // span_ns if span_ns >= least_ns else None

    def _count(self) -> None:
        now_ns = self._boot_ns()
        if self._going:
            self._busy_ns += now_ns - self._since_ns
            self._since_ns = now_ns
