"""What the pages read: nothing of it is written here, and media only in the published tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.config import ArchiveConfig
from archive.index.reading import IndexReader
from archive.publish.publications import Publications
from archive.publish.tree import PublishedTree
from archive.roster import Roster, read_roster
from archive.trust import read_trust
from base.clock import Clock
from evidence.certificate import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteParts:
    """All open; of media only what is public, in ``tree``. ``trust`` is as it was at the start."""

    config: ArchiveConfig
    reader: IndexReader
    publications: Publications
    tree: PublishedTree
    roster: Roster
    trust: Trust
    clock: Clock

    @property
    def ledgers(self) -> Path:
        """The folder of all ledgers, ``STATION/UNIT/BRANCH.jws``."""
        return self.config.data / "ledgers"

    @property
    def receipts(self) -> Path:
        """The journal of receipts."""
        return self.config.data / "receipts.jws"


@contextmanager
def open_site_parts(config: ArchiveConfig, clock: Clock) -> Iterator[SiteParts]:
    """Raises OperatorError where something is not there yet, or cannot be read."""
    roster = Roster(stations=()) if config.site.roster is None else read_roster(config.site.roster)
    trust = read_trust(config).now()
    reader = IndexReader(config.database, config.election)
    try:
        publications = Publications(config.publish.database, writes=False)
        try:
            yield SiteParts(
                config=config,
                reader=reader,
                publications=publications,
                tree=PublishedTree(config.publish.folder),
                roster=roster,
                trust=trust,
                clock=clock,
            )
        finally:
            publications.close()
    finally:
        reader.close()
