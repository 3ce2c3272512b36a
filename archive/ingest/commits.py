"""What those who receive ask of the one committer, in whichever process they run."""

from collections.abc import Sequence
from typing import Protocol

from archive.finding import Finding
from archive.index.rows import NewMedia
from archive.ingest.committer import Committer, FoundWork, StoredWork
from archive.ingest.lines import LineIntake, LinesAnswer
from archive.names import UnitName

MAX_STORED = 256
"""As many media are told of at a time."""


class Commits(Protocol):
    """Each call returns when what it brings is durable and indexed.

    All raise RefusedError, and OSError where the archive is ending or its committer cannot be reached: then it is
    unknown what has become of it, and whoever asks again gets the same answer.
    """

    async def lines(self, name: UnitName, texts: Sequence[bytes], *, branch: int | None, by: str) -> LinesAnswer:
        """Take in what verifies of ``texts``; ``branch`` where the unit announced one.

        ``by`` is the SHA-256 of the certificate that brought them.
        """

    async def line_at(self, name: UnitName, seq: int) -> LinesAnswer:
        """The line at ``seq`` of the branch that the unit is on."""

    async def receipt(self, name: UnitName, media: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
        """A *stored* receipt for ``media``, in ascending order; or None, and those that the archive does not hold."""

    async def stored(self, media: Sequence[NewMedia]) -> None:
        """At most ``MAX_STORED`` media that check against their units' lines are durable in the store. Idempotent."""

    async def found(self, finding: Finding) -> None:
        """Count something that was found, without evidence."""


class OwnCommits:
    """``Commits`` in the committer's own process."""

    def __init__(self, lines: LineIntake, committer: Committer) -> None:
        self._lines, self._committer = lines, committer

    async def lines(self, name: UnitName, texts: Sequence[bytes], *, branch: int | None, by: str) -> LinesAnswer:
        return await self._lines.lines(name, texts, branch=branch, by=by)

    async def line_at(self, name: UnitName, seq: int) -> LinesAnswer:
        return await self._lines.line_at(name, seq)

    async def receipt(self, name: UnitName, media: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
        return await self._lines.receipt(name, media)

    async def stored(self, media: Sequence[NewMedia]) -> None:
        await self._committer.do(StoredWork(media=tuple(media)))

    async def found(self, finding: Finding) -> None:
        await self._committer.do(FoundWork(findings=(finding,)))
