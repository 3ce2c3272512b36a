"""What comes again and again is told once, and then counted: one sender costs one work a minute, whatever it does."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from archive.finding import Finding
from archive.names import UnitName

_PAUSE_S = 60
MOST = 4_096
"""Findings that are told apart within a minute; those beyond are counted by unit and code."""
_log = logging.getLogger("archive")


class Tally:
    """Stands before whoever is told of findings. One event loop uses it."""

    def __init__(self, tell: Callable[[Finding], Awaitable[None]]) -> None:
        self._tell = tell
        self._again: dict[tuple[UnitName | None, str], Finding | None] = {}
        """What came within the last minute, and how often since it was told."""

    async def found(self, finding: Finding) -> None:
        """Told on return where it has not come within the last minute; else it waits for ``tell_counted``.

        Raises what telling raises.
        """
        key = finding.name, finding.subject
        if len(self._again) >= MOST and key not in self._again:
            finding = replace(finding, subject=f"{finding.code}:more", detail="and more of them than are told apart")
            key = finding.name, finding.subject
        if key not in self._again:
            self._again[key] = None
            await self._tell(finding)
            return
        before = self._again[key]
        self._again[key] = finding if before is None else replace(finding, count=before.count + finding.count)

    async def tell_counted(self) -> None:
        """Tell what has come again. What has not come since the last time is forgotten."""
        counted = [each for each in self._again.values() if each is not None]
        self._again = dict.fromkeys((each.name, each.subject) for each in counted)
        told = await asyncio.gather(*map(self._tell, counted), return_exceptions=True)
        for error in told:
            if isinstance(error, OSError):  # the archive is ending
                _log.error("findings were not counted", extra={"fields": {"error": str(error)}})
                return
            if error is not None:
                raise error

    @contextlib.asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Once a minute while the block lasts, and at its end."""
        telling = asyncio.create_task(self._each_minute())
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.wait({telling})
            await self.tell_counted()

    async def _each_minute(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE_S)
            await self.tell_counted()
