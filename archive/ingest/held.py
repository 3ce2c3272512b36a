"""A unit that deletes on a receipt shows it: what the archive has signed for and has not, it has lost.

An archive that was brought back from an older copy of itself learns so what nobody can give it any more, and counts
again what its store has kept.
"""

import logging
from dataclasses import dataclass

from archive.finding import Finding, lost_by_archive
from archive.index.index import Index
from archive.index.rows import NewLines, NewMedia
from archive.store.store import Store, StoreAwayError
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.receipt import Acknowledged, read_receipt

_log = logging.getLogger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Media that receipts speak of and the index does not count: what the store has, and what it has not."""

    there: tuple[NewMedia, ...]
    lost: tuple[Finding, ...]


class Receipted:
    """What the archive ``name`` of an election has signed for. Any thread may call it."""

    def __init__(self, *, election: str, name: str, index: Index, store: Store) -> None:
        self._election, self._name = election, name
        self._index, self._store = index, store

    def shown(self, new: NewLines, trust: Trust, utc_us: int | None) -> Shown:
        """What ``pruned`` lines of ``new`` show. A receipt that does not verify, or is another's, says nothing here."""
        media: set[str] = set()
        for pruned in new.pruned:
            media |= self._uncounted(new, pruned.receipt, trust)
        lost = self._missing(media)
        return Shown(
            there=tuple(NewMedia(name=new.name, sha256=each) for each in sorted(media - lost)),
            lost=tuple(lost_by_archive(new.name, each, utc_us) for each in sorted(lost)),
        )

    def _uncounted(self, new: NewLines, text: str | None, trust: Trust) -> set[str]:
        if text is None:
            return set()
        try:
            receipt = read_receipt(text, trust)
        except EvidenceError:
            return set()
        whose = receipt.election, receipt.archive, receipt.station, receipt.unit, receipt.kind
        if whose != (self._election, self._name, new.name.station, new.name.unit, Acknowledged.STORED):
            return set()
        return set(receipt.media) - self._index.stored(new.name, receipt.media)

    def _missing(self, media: set[str]) -> set[str]:
        try:
            return self._store.missing(media)
        except StoreAwayError as error:
            # Reading back tells later.
            _log.warning("the store is away", extra={"fields": {"error": str(error)}})
            return set()
