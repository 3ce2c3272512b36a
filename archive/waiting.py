"""Programs of the archive start in any order: each waits for what the one before it makes."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from base.errors import OperatorError

T = TypeVar("T")

_LOOK_S = 0.5
_TELL_EVERY = 60
_log = logging.getLogger("archive")


def when_there(make: Callable[[], T], stop: threading.Event) -> T | None:
    """What ``make`` gives once it raises no OperatorError any more; None where ``stop`` comes first.

    What it waits for is logged at once and every half minute: it may be a wrong path as well as a program that is slow.
    """
    tries = 0
    while not stop.is_set():
        try:
            return make()
        except OperatorError as error:
            if tries % _TELL_EVERY == 0:
                _log.warning("waiting", extra={"fields": {"for": str(error)}})
            tries += 1
            stop.wait(_LOOK_S)
    return None
