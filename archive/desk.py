"""Where a courier hands over: to the archive that serves, through its socket; or else to the data folder itself."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.config import ArchiveConfig
from archive.index.index import Index
from archive.ingest.admission import Admission
from archive.ingest.commitclient import open_commits
from archive.ingest.commits import Commits, OwnCommits
from archive.ingest.keeping import Keeper
from archive.ingest.mediaintake import MediaIntake
from archive.parts import Parts, Sight, open_parts, open_sight
from archive.store.lock import DataLock
from archive.store.spool import Spool
from archive.writing import make_committer, make_lines
from base.clock import Clock
from base.durable import Disk
from base.errors import OperatorError

_FOLDER = "courier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What takes in: the same that takes in what comes over the network."""

    index: Index
    commits: Commits
    media: MediaIntake


@asynccontextmanager
async def open_desk(config: ArchiveConfig, clock: Clock) -> AsyncIterator[Desk]:
    """One courier at a time. Raises OperatorError."""
    disk = Disk()
    disk.make_directory(config.data)
    _require_owner(config.data)
    if _locked(config.data):
        with open_sight(config, disk) as sight:
            async with _served(config.data) as commits, _receiving(sight, commits) as desk:
                yield desk
    else:
        with open_parts(config, disk) as parts:
            parts.catch_up()
            async with _writing(parts, clock) as commits, _receiving(parts.sight, commits) as desk:
                yield desk


@asynccontextmanager
async def _served(data: Path) -> AsyncIterator[Commits]:
    try:
        async with open_commits(data) as commits:
            yield commits
    except OSError as error:
        raise OperatorError(
            f"What works on {data} does not take it: {error}.", hint="Import again when the archive runs, or has ended."
        ) from error


@asynccontextmanager
async def _writing(parts: Parts, clock: Clock) -> AsyncIterator[Commits]:
    committer = make_committer(parts, clock)
    committing = asyncio.create_task(committer.run())
    try:
        yield OwnCommits(make_lines(parts, clock, committer), committer)
    finally:
        await committer.stop()
        try:
            await committing
        finally:
            committer.close()


@asynccontextmanager
async def _receiving(sight: Sight, commits: Commits) -> AsyncIterator[Desk]:
    config, disk = sight.config, sight.disk
    with _alone(config.data / _FOLDER, disk) as spool:
        keeper = Keeper(sight.store, commits)
        most_bytes = config.limits.in_flight_mib << 20
        admission = Admission(
            most_bytes=most_bytes,
            most_backfill_bytes=most_bytes,
            most_of_a_unit=most_bytes,
            least_free_bytes=config.limits.free_mib << 20,
            free_bytes=lambda: disk.free_bytes(config.data),
        )
        media = MediaIntake(index=sight.index, store=sight.store, spool=spool, keeper=keeper, admission=admission)
        keeping = asyncio.create_task(keeper.run())
        try:
            yield Desk(index=sight.index, commits=commits, media=media)
        finally:
            await keeper.stop()
            try:
                await keeping
            finally:
                keeper.close()
                media.close()


@contextmanager
def _alone(folder: Path, disk: Disk) -> Iterator[Spool]:
    """A spool of the courier's own, beside those that the server empties."""
    disk.make_directory(folder)
    try:
        lock = DataLock(folder)
    except OperatorError as error:
        raise OperatorError("Another import runs.", hint="Wait until it has ended.") from error
    try:
        yield Spool(disk, folder)
    finally:
        lock.close()


def _locked(data: Path) -> bool:
    try:
        DataLock(data).close()
    except OperatorError:
        return True
    return False


def _require_owner(data: Path) -> None:
    """What another user writes, the archive could not read."""
    owner = data.stat().st_uid
    if owner != os.geteuid():
        raise OperatorError(f"{data} belongs to user {owner}.", hint=f"Import as that user: sudo -u '#{owner}' ….")
