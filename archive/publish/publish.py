"""The program ``unbroken archive publish``: makes public what is released, until told to stop."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from archive.config import ArchiveConfig
from archive.index.reading import IndexReader
from archive.parts import open_store
from archive.publish.profilefile import ProfileFile
from archive.publish.publications import Publications
from archive.publish.publisher import Publisher
from archive.publish.tree import PublishedTree
from archive.store.lock import DataLock
from archive.store.store import StoreAwayError
from archive.waiting import when_there
from base.clock import Clock, SystemClock
from base.durable import Disk
from base.service import Service

FAILED = 1
_POLL_S = 0.1
_AWAY_S = 5.0
_log = logging.getLogger("archive")


def publish(config: ArchiveConfig) -> int:
    """Publish until SIGTERM or SIGINT: 0. 1 where the disk or a database has failed. Raises OperatorError."""
    stop, service = threading.Event(), Service()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        publisher = when_there(lambda: stack.enter_context(open_publisher(config, SystemClock())), stop)
        service.ready()
        try:
            if publisher is not None:
                run(publisher, stop)
        except OSError as error:
            _log.error("the publisher ends", extra={"fields": {"error": str(error)}})
            return FAILED
    return 0


def run(publisher: Publisher, stop: threading.Event) -> None:
    """Publish what arrives until ``stop``. A store that is away is waited for. Raises OSError."""
    while not stop.is_set():
        try:
            if publisher.step() == 0:
                stop.wait(_POLL_S)
        except StoreAwayError as error:
            _log.warning("the store is away", extra={"fields": {"error": str(error)}})
            stop.wait(_AWAY_S)


@contextmanager
def open_publisher(config: ArchiveConfig, clock: Clock) -> Iterator[Publisher]:
    """The publisher of an archive, the only one while the block lasts. Raises OperatorError."""
    path = config.publish.profile
    profile = None if path is None else ProfileFile(path, config.trust, config.election)
    reader = IndexReader(config.database, config.election)
    try:
        tree = PublishedTree(config.publish.folder)
        lock = DataLock(tree.folder)
        try:
            publications = Publications(config.publish.database, writes=True)
            try:
                yield Publisher(
                    reader=reader,
                    store=open_store(config, Disk()),
                    tree=tree,
                    publications=publications,
                    test=config.publish.test,
                    clock=clock,
                    profile=profile,
                )
            finally:
                publications.close()
        finally:
            lock.close()
    finally:
        reader.close()
