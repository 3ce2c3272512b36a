"""Whoever is refused again and again costs the committer one work a minute, and is counted to the last time."""

import asyncio
from collections import Counter

from archive.finding import Finding
from archive.ingest.tally import MOST, Tally
from archive.names import UnitName
from evidence.codes import Code

UNIT = UnitName(station="57-002", unit="u1")


def finding(number: int = 0, *, utc_us: int = 5) -> Finding:
    return Finding(name=UNIT, subject=f"s{number}", code=Code.CERT_REVOKED, detail=f"d{number}", utc_us=utc_us)


class Told:
    def __init__(self) -> None:
        self.works: list[Finding] = []
        self.broken = False

    async def tell(self, found: Finding) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise OSError("the archive is ending")
        self.works.append(found)

    @property
    def counted(self) -> Counter[str]:
        return sum((Counter({each.subject: each.count}) for each in self.works), Counter())


def test_the_first_is_told_at_once_and_the_others_together() -> None:
    async def play() -> None:
        told = Told()
        tally = Tally(told.tell)
        await asyncio.gather(*(tally.found(finding(utc_us=at)) for at in range(1_000)))
        assert [(each.count, each.utc_us) for each in told.works] == [(1, 0)]
        await tally.tell_counted()
        assert [(each.count, each.utc_us) for each in told.works] == [(1, 0), (999, 999)]
        await tally.found(finding())
        assert len(told.works) == 2, "it goes on, so it waits for the next round"
        await tally.tell_counted()
        await tally.tell_counted()
        await tally.found(finding())
        assert [each.count for each in told.works] == [1, 999, 1, 1], "after a quiet minute it is news again"

    asyncio.run(play())


def test_nothing_is_lost_where_it_ends() -> None:
    async def play() -> None:
        told = Told()
        tally = Tally(told.tell)
        async with tally.telling():
            for _ in range(3):
                await tally.found(finding(1))
                await tally.found(finding(2))
        assert told.counted == {"s1": 3, "s2": 3}

    asyncio.run(play())


def test_what_is_told_apart_is_bounded_and_all_is_counted() -> None:
    async def play() -> None:
        told = Told()
        tally = Tally(told.tell)
        for number in range(MOST + 50):
            await tally.found(finding(number))
        assert len(told.works) == MOST + 1
        await tally.tell_counted()
        assert told.counted.total() == MOST + 50
        assert told.counted["cert-revoked:more"] == 50

    asyncio.run(play())


def test_an_archive_that_ends_is_no_failure_of_counting() -> None:
    async def play() -> None:
        told = Told()
        tally = Tally(told.tell)
        await tally.found(finding())
        await tally.found(finding())
        told.broken = True
        await tally.tell_counted()

    asyncio.run(play())
