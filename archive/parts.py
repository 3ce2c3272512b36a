"""What every program of the archive opens: the data folder and what lies in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archive.config import ArchiveConfig
from archive.index.index import Index
from archive.ingest.opening import catch_up
from archive.store.journal import ReceiptJournal
from archive.store.ledgers import LedgerFiles
from archive.store.local import LocalStore
from archive.store.lock import DataLock
from archive.store.store import Store
from base.durable import Disk
from base.errors import OperatorError
from evidence.certificate import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All open. After ``catch_up``, threads share ``disk``, each for folders of its own."""

    config: ArchiveConfig
    disk: Disk
    trust: Trust
    store: Store
    ledgers: LedgerFiles
    journal: ReceiptJournal
    index: Index

    @property
    def sight(self) -> "Sight":
        """What one who receives in this process needs."""
        return Sight(config=self.config, disk=self.disk, trust=self.trust, store=self.store, index=self.index)

    def catch_up(self) -> None:
        """Bring the index up to the files. Raises OperatorError where it is ahead of them."""
        catch_up(
            election=self.config.election,
            trust=self.trust,
            index=self.index,
            ledgers=self.ledgers,
            journal=self.journal,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one who receives needs: ``index`` is read only, ``store`` is put into."""

    config: ArchiveConfig
    disk: Disk
    trust: Trust
    store: Store
    index: Index


@contextmanager
def open_parts(config: ArchiveConfig, disk: Disk) -> Iterator[Parts]:
    """The archive's data, for this process alone while the block lasts. Raises OperatorError."""
    trust = _read_trust(config)
    disk.make_directory(config.data)
    lock = DataLock(config.data)
    try:
        journal = ReceiptJournal(disk, config.data / "receipts.jws")
        try:
            index = Index(config.database, config.election)
            try:
                yield Parts(
                    config=config,
                    disk=disk,
                    trust=trust,
                    store=LocalStore(disk, config.data / "cas"),
                    ledgers=LedgerFiles(disk, config.data / "ledgers"),
                    journal=journal,
                    index=index,
                )
            finally:
                index.close()
        finally:
            journal.close()
    finally:
        lock.close()


@contextmanager
def open_sight(config: ArchiveConfig, disk: Disk) -> Iterator[Sight]:
    """The same data, beside the process that holds ``open_parts`` and has made them. Raises OperatorError."""
    trust = _read_trust(config)
    index = Index(config.database, config.election)
    try:
        yield Sight(config=config, disk=disk, trust=trust, store=LocalStore(disk, config.data / "cas"), index=index)
    finally:
        index.close()


def _read_trust(config: ArchiveConfig) -> Trust:
    paths = [config.trust] if config.revoked is None else [config.trust, config.revoked]
    try:
        return Trust.from_pem(*(path.read_bytes() for path in paths))
    except (OSError, ValueError) as error:
        raise OperatorError(
            f"{', '.join(map(str, paths))}: {error}.", hint="Ask the election authority for root and revocation list."
        ) from error
