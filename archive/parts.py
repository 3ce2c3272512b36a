"""What every program of the archive opens: the data folder and what lies in it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from archive.config import ArchiveConfig
from archive.index.index import Index
from archive.ingest.opening import catch_up, find_again
from archive.store.aside import AsideFiles
from archive.store.bucket import Bucket
from archive.store.journal import ReceiptJournal
from archive.store.ledgers import LedgerFiles
from archive.store.local import LocalStore
from archive.store.lock import DataLock
from archive.store.s3 import S3Store
from archive.store.store import Store, StoreAwayError
from archive.trust import Trusted, read_trust
from base.durable import Disk
from base.errors import OperatorError

_log = logging.getLogger("archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All open. After ``catch_up``, threads share ``disk``, each for folders of its own."""

    config: ArchiveConfig
    disk: Disk
    trust: Trusted
    store: Store
    ledgers: LedgerFiles
    aside: AsideFiles
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
        find_again(self.index, self.ledgers, self.aside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one who receives needs: ``index`` is read only, ``store`` is put into."""

    config: ArchiveConfig
    disk: Disk
    trust: Trusted
    store: Store
    index: Index


@contextmanager
def open_parts(config: ArchiveConfig, disk: Disk) -> Iterator[Parts]:
    """The archive's data, for this process alone while the block lasts. Raises OperatorError."""
    disk.make_directory(config.data)
    lock = DataLock(config.data)
    try:
        trust = read_trust(config, disk)
        journal = ReceiptJournal(disk, config.data / "receipts.jws")
        try:
            store = open_store(config, disk)
            if isinstance(store, S3Store):
                _probe(store)
            index = Index(config.database, config.election)
            try:
                yield Parts(
                    config=config,
                    disk=disk,
                    trust=trust,
                    store=store,
                    ledgers=LedgerFiles(disk, config.data / "ledgers"),
                    aside=AsideFiles(disk, config.data / "aside"),
                    journal=journal,
                    index=index,
                )
            except StoreAwayError as error:
                raise OperatorError(
                    f"The store cannot be reached: {error}.", hint="Try again when it can; nothing is lost by that."
                ) from error
            finally:
                index.close()
        finally:
            journal.close()
    finally:
        lock.close()


@contextmanager
def open_sight(config: ArchiveConfig, disk: Disk) -> Iterator[Sight]:
    """The same data, beside the process that holds ``open_parts`` and has made them. Raises OperatorError."""
    trust = read_trust(config)
    store = open_store(config, disk)
    index = Index(config.database, config.election, writes=False)
    try:
        yield Sight(config=config, disk=disk, trust=trust, store=store, index=index)
    finally:
        index.close()


def open_store(config: ArchiveConfig, disk: Disk) -> Store:
    """Where media lie, by the configuration."""
    return LocalStore(disk, config.data / "cas") if config.s3 is None else S3Store(Bucket(config.s3))


def _probe(store: S3Store) -> None:
    """A bucket that cannot be reached is no reason to refuse lines; media wait until it can."""
    try:
        store.probe()
    except StoreAwayError as error:
        _log.error("the bucket is away", extra={"fields": {"error": str(error)}})
