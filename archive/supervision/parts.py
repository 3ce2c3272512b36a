"""What the supervision centre is made of: it reads what the site reads, and writes its own tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archive.config import ArchiveConfig
from archive.site.parts import SiteParts, open_site_parts
from archive.supervision.accesslog import AccessLog
from archive.supervision.database import SupervisionDatabase
from archive.supervision.wall.watch import Watch
from archive.supervisionconfig import SupervisionConfig
from archive.trust import Trusted, read_trust
from base.clock import Clock
from base.errors import OperatorError


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionParts:
    """All open. ``watch`` knows how all stations are now; ``trust`` is as its files are now."""

    config: SupervisionConfig
    archive: ArchiveConfig
    public: SiteParts
    database: SupervisionDatabase
    log: AccessLog
    watch: Watch
    trust: Trusted
    clock: Clock

    def now_us(self) -> int:
        """The archive's time, UTC in microseconds; 0 while it has none."""
        return self.clock.read().utc_us or 0


@contextmanager
def open_supervision_parts(config: ArchiveConfig, clock: Clock) -> Iterator[SupervisionParts]:
    """Raises OperatorError where something is not there yet, or cannot be read."""
    if config.supervision is None:
        raise OperatorError(
            "The configuration has no supervision centre.",
            hint="Add the section [supervision] (docs/reference/archive.md).",
        )
    with open_site_parts(config, clock) as public:
        database = SupervisionDatabase(config.supervision.database)
        try:
            yield SupervisionParts(
                config=config.supervision,
                archive=config,
                public=public,
                database=database,
                log=AccessLog(database),
                watch=Watch(public.reader, public.roster, lambda: clock.read().utc_us or 0),
                trust=read_trust(config),
                clock=clock,
            )
        finally:
            database.close()
