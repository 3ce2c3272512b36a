"""When the next level is called. Pure."""

NEXT_US = 120_000_000
"""So long one level has to answer before the next is called, day and night."""
AGAIN_US = 600_000_000
"""Beyond the highest level there is nobody: it is called again, as one level more, until somebody answers."""
FIRST = 1
"""The level that is called at once."""


def next_level(level: int, level_us: int, highest: int, now_us: int) -> int | None:
    """The level to call now, where ``level`` was called at ``level_us``; 0 is none yet. None: nobody now.

    A clock that went back by more than any wait is not waited for.
    """
    if level < FIRST:
        return FIRST
    wait_us = NEXT_US if level < highest else AGAIN_US
    waited_us = now_us - level_us
    return level + 1 if waited_us >= wait_us or waited_us < -AGAIN_US else None


def called(level: int, highest: int) -> int:
    """Which level's people a call to ``level`` reaches: the highest ones for all that lie beyond."""
    return min(level, highest)
