"""How live is thinned on a link too thin for the video. Rules only: no clock, no network, no database.

Every ``every``-th segment of each camera goes whole, counted by its index in the run, so that the cameras of a station
are thinned alike and the pattern is regular. The rest follows as backfill.
"""

from collections import deque

from appliance.uplink.pace import SECOND_NS

NEWEST = 8
"""The segments of a camera by which its rate is judged."""
SILENT_LINES = 64
"""A camera that no segment was named of in so many lines makes none: about half a minute."""
MOST_EVERY = 900
"""Half an hour of segments of two seconds."""
FULL, ROOMY = 0.95, 0.75
"""Live takes the first of these shares of the link at most; with less than the second, more of it may go."""


class Made:
    """How fast armed video is made, by the lines that name it."""

    def __init__(self) -> None:
        self._segments: dict[str, deque[tuple[int, int]]] = {}
        self._newest: dict[str, int] = {}

    def add(self, seq: int, camera: str, size_bytes: int, duration_ns: int) -> None:
        """The line ``seq`` names a segment."""
        self._segments.setdefault(camera, deque(maxlen=NEWEST)).append((size_bytes, duration_ns))
        self._newest[camera] = seq

    def bytes_s(self, tail_seq: int) -> int | None:
        """Of all cameras that record, in bytes a second; None where none does. ``tail_seq`` is the newest line."""
        rates = [_rate(self._segments[name]) for name, seq in self._newest.items() if tail_seq - seq < SILENT_LINES]
        return sum(rates) or None


def every(before: int, made_bytes_s: int | None, link_bytes_s: int | None) -> int:
    """Which segments go live: each one (1), or every n-th. ``before`` is what held until now.

    It rises as soon as live fills the link, and falls only when there is room to spare, so that it does not flutter.
    Where one of the rates is not known, all stays as it was.
    """
    if made_bytes_s is None or link_bytes_s is None:
        return before
    least, most = (_needed(made_bytes_s, link_bytes_s, share) for share in (FULL, ROOMY))
    return min(max(before, least), most)


def _needed(made_bytes_s: int, link_bytes_s: int, share: float) -> int:
    whole = made_bytes_s / (share * max(link_bytes_s, 1))
    return min(MOST_EVERY, max(1, -int(-whole // 1)))


def _rate(segments: deque[tuple[int, int]]) -> int:
    duration_ns = sum(duration_ns for _, duration_ns in segments)
    return sum(size_bytes for size_bytes, _ in segments) * SECOND_NS // max(duration_ns, 1)
