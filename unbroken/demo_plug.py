"""Who pulls the archive's plug: the clock, or somebody at a terminal."""

import select
import sys
import time

from unbroken.demo_archive import Plug


class Hand:
    """Moves the plug at the given times, in seconds from now, and whenever the Enter key is pressed."""

    def __init__(self, plug: Plug, times_s: tuple[float, float] | None) -> None:
        self._plug = plug
        self._times_s = list(times_s or ())
        self._began_s = time.monotonic()

    def move(self) -> None:
        """Pull the plug, or put it back, if it is time or the key was pressed; say so."""
        due = bool(self._times_s) and time.monotonic() - self._began_s >= self._times_s[0]
        if due:
            self._times_s.pop(0)
        if not due and not _enter():
            return
        if self._plug.plugged:
            self._plug.pull()
            print("--:--:--         the archive's plug is pulled; recording goes on", flush=True)
        else:
            self._plug.plug_in()
            print("--:--:--         the plug is back; first the ledger goes up, then what is missing", flush=True)


def _enter() -> bool:
    """Whether a line was typed."""
    if not sys.stdin.isatty() or not select.select([sys.stdin], [], [], 0)[0]:
        return False
    return sys.stdin.readline() != ""
