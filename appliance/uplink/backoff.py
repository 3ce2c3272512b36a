"""How long to wait after a failure: longer each time, with jitter, so that a thousand stations do not come at once."""

import random

LEAST_S = 1.0
MOST_S = 60.0


class BackOff:
    """Waits of ``LEAST_S`` to ``MOST_S``. ``chance`` is injected; the same seed gives the same waits."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failures = 0

    def failed(self) -> float:
        """One more failure; the seconds to wait before the next try."""
        self._failures = min(self._failures + 1, 16)
        ceiling_s = min(MOST_S, LEAST_S * 2**self._failures)
        return self._chance.uniform(ceiling_s / 2, ceiling_s)

    def worked(self) -> None:
        """Something was acknowledged: the next failure is the first one again."""
        self._failures = 0
