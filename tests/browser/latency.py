"""How old a live picture is: by the boot clock that the camera's own timestamps and this machine share."""

import re
import time
from datetime import datetime

from evidence.lines import Segment
from tests.browser.watching import Shown, Viewer
from tests.browser.whole import Whole

_ENTRY = re.compile(
    r"#EXT-X-PROGRAM-DATE-TIME:(?P<date>\S+)\n#EXT-X-UNBROKEN:\S*SEQ=(?P<seq>\d+)\S*\n#EXTINF:(?P<length>[0-9.]+)"
)


def taken_ns(whole: Whole, shown: Shown, station: int = 0) -> int:
    """Boot time at which the picture that is shown was taken.

    The page says its date; the live list, which line that date belongs to; the line, the camera's time. So nothing
    depends on whether anybody here knows UTC.
    """
    live = whole.get(f"/hls/{whole.camera(station)}/live.m3u8").decode()
    lines = whole.lines(station)
    for found in _ENTRY.finditer(live):
        into_ms = shown.at_ms - _ms(found["date"])
        body = lines[int(found["seq"])].body
        if 0 <= into_ms <= float(found["length"]) * 1_000 and isinstance(body, Segment):
            return body.from_ns + int(into_ms * 1e6)
    raise AssertionError(f"{shown.at} is in no entry of the list:\n{live}")


def behind_s(whole: Whole, viewing: Viewer, station: int = 0) -> float:
    """Glass to glass: how long ago the picture that is shown now was taken."""
    shown = viewing.camera()
    now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return (now_ns - taken_ns(whole, shown, station)) / 1e9


def _ms(date: str) -> float:
    return datetime.fromisoformat(date).timestamp() * 1_000
