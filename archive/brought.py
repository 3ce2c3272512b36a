"""What a courier has brought, and what is still missing: as values, and in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive.finding import printable
from archive.names import UnitName

_MOST_SHOWN = 20


@dataclass(slots=True, kw_only=True)
class Brought:
    """Of one record. Texts are for people, each with its place."""

    folder: Path
    name: UnitName | None
    lines_new: int = 0
    lines_known: int = 0
    lines_refused: int = 0
    media_new: int = 0
    media_known: int = 0
    receipts: int = 0
    refused: list[str] = field(default_factory=list)
    """Lines and media that do not verify, and why."""
    unread: list[str] = field(default_factory=list)
    """What could not be read."""
    missing: dict[str, str] = field(default_factory=dict)
    """Media by digest that are not on the card and that the archive lacks, and what they are."""
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all that its ledger names is in the archive."""
        return not (self.lines_refused or self.refused or self.unread or self.missing)


def in_words(brought: Brought) -> Iterator[str]:
    """Lines of text, as they can be printed whatever folders on a card are called."""
    return map(printable, _lines(brought))


def _lines(brought: Brought) -> Iterator[str]:
    yield f"{brought.folder}: {'nobody can tell whose' if brought.name is None else f'unit {brought.name}'}"
    yield f"  lines  {brought.lines_new:>8,} new {brought.lines_known:>8,} known {brought.lines_refused:>8,} refused"
    yield (
        f"  media  {brought.media_new:>8,} new {brought.media_known:>8,} known"
        f" {len(brought.missing):>8,} missing   {brought.receipts:,} receipts"
    )
    yield from _few("Refused", brought.refused)
    yield from _few("Could not be read", brought.unread)
    yield from _few("Missing here, and the archive lacks them", list(brought.missing.values()))
    yield from _few("Notes", brought.notes)
    yield "  All that its ledger names is in the archive." if brought.complete else "  Not complete."


def _few(what: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield f"  {what}: {len(texts):,}"
        yield from (f"    {text}" for text in texts[:_MOST_SHOWN])
        if len(texts) > _MOST_SHOWN:
            yield f"    and {len(texts) - _MOST_SHOWN:,} more"
