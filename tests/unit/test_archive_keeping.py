"""Drafts on their way into the store: what a store that is away, and one that fails, cost."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from archive.finding import Finding
from archive.index.rows import NewMedia
from archive.ingest.keeping import Keeper
from archive.ingest.lines import LinesAnswer
from archive.ingest.refusal import RefusedError
from archive.names import UnitName
from archive.store.local import LocalStore
from archive.store.spool import Draft, Spool
from archive.store.store import StoreAwayError
from base.durable import Disk

ONE = UnitName(station="57-002", unit="u1")


class FallibleStore(LocalStore):
    """Raises ``error`` where there is one."""

    error: Exception | None = None

    def put(self, drafts: Sequence[Draft]) -> Sequence[str]:
        if self.error is not None:
            raise self.error
        return super().put(drafts)


class Told:
    """The committer's part: remembers what it was told, or raises."""

    def __init__(self) -> None:
        self.media: list[NewMedia] = []
        self.error: OSError | None = None

    async def stored(self, media: Sequence[NewMedia]) -> None:
        if self.error is not None:
            raise self.error
        self.media += media

    async def lines(self, name: UnitName, texts: Sequence[bytes], *, branch: int | None, by: str) -> LinesAnswer:
        raise NotImplementedError

    async def line_at(self, name: UnitName, seq: int) -> LinesAnswer:
        raise NotImplementedError

    async def receipt(self, name: UnitName, media: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
        raise NotImplementedError

    async def found(self, finding: Finding) -> None:
        raise NotImplementedError


class Scene:
    def __init__(self, folder: Path) -> None:
        self.store = FallibleStore(Disk(), folder / "cas")
        self.spool = Spool(Disk(), folder / "incoming")
        self.told = Told()
        self.keeper = Keeper(self.store, self.told)

    def draft(self, data: bytes) -> Draft:
        draft = self.spool.begin()
        draft.write(data)
        return draft

    def left(self, folder: Path) -> list[Path]:
        return list((folder / "incoming").iterdir())


def test_what_is_kept_is_in_the_store_before_the_committer_hears_of_it(tmp_path: Path) -> None:
    async def scene() -> None:
        held = Scene(tmp_path)
        running = asyncio.create_task(held.keeper.run())
        data = [b"%d" % number for number in range(200)]
        await asyncio.gather(*(held.keeper.keep(ONE, held.draft(each)) for each in data))
        digests = {hashlib.sha256(each).hexdigest() for each in data}
        assert {each.sha256 for each in held.told.media} == digests
        assert set(held.store.digests()) == digests
        await held.keeper.stop()
        await running
        held.keeper.close()

    asyncio.run(scene())


def test_a_store_that_is_away_costs_the_drafts_and_asks_to_come_again(tmp_path: Path) -> None:
    async def scene() -> None:
        held = Scene(tmp_path)
        running = asyncio.create_task(held.keeper.run())
        held.store.error = StoreAwayError("nobody answers")
        with pytest.raises(RefusedError) as caught:
            await held.keeper.keep(ONE, held.draft(b"one"))
        assert (caught.value.status, caught.value.code, caught.value.retry_after_s) == (503, "store-away", 30)
        assert held.left(tmp_path) == []
        held.store.error = None
        await held.keeper.keep(ONE, held.draft(b"one"))
        assert len(held.told.media) == 1
        await held.keeper.stop()
        await running
        held.keeper.close()

    asyncio.run(scene())


def test_a_store_that_fails_is_final_for_all_who_wait(tmp_path: Path) -> None:
    async def scene() -> None:
        held = Scene(tmp_path)
        held.store.error = OSError("the disk is gone")
        waiting = [asyncio.create_task(held.keeper.keep(ONE, held.draft(b"%d" % number))) for number in range(100)]
        with pytest.raises(OSError, match="the disk is gone"):
            await held.keeper.run()
        for each in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(each, OSError)
        with pytest.raises(OSError, match="ending"):
            await held.keeper.keep(ONE, held.draft(b"late"))
        await held.keeper.stop()
        held.keeper.close()

    asyncio.run(scene())


def test_a_committer_that_cannot_be_told_costs_no_bytes_and_no_life(tmp_path: Path) -> None:
    async def scene() -> None:
        held = Scene(tmp_path)
        running = asyncio.create_task(held.keeper.run())
        held.told.error = OSError("no answer")
        with pytest.raises(OSError, match="no answer"):
            await held.keeper.keep(ONE, held.draft(b"one"))
        assert held.store.has(hashlib.sha256(b"one").hexdigest())
        held.told.error = None
        await held.keeper.keep(ONE, held.draft(b"one"))
        assert (len(held.told.media), held.left(tmp_path)) == (1, [])
        await held.keeper.stop()
        await running
        held.keeper.close()

    asyncio.run(scene())
