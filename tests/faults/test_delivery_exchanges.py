"""Each exchange of a whole delivery is lost once: its request, its answer, or half of one. Nothing else is the matter.

Whatever is lost, all is at the archive in the end, each segment came in whole once, and nothing was signed twice.
"""

import asyncio
import ssl
from collections import Counter
from pathlib import Path

import pytest

from archive.ingest.peer import server_context
from tests.fakes.delivery_day import MINUTE_S, DeliveryDay
from tests.fakes.exchanges import Exchange, ExchangeLink, Lost

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
ALWAYS = 8
"""Exchanges without which no delivery ends: lines twice, five segments, a receipt."""


async def _deliver(folder: Path, lose: dict[int, Lost]) -> list[Exchange]:
    """A minute's record, from nothing to complete; what went over the line. ``folder`` is new."""
    async with DeliveryDay(folder) as day:
        site = await day.site()
        site.begin()
        await day.live(MINUTE_S + 2)
        there = ssl.create_default_context(cafile=day.archive.config.trust)
        there.load_cert_chain(site.uplink.certificate, site.uplink.key)
        async with ExchangeLink(day.port, here=server_context(day.archive.config), there=there) as line:
            line.lose.update(lose)
            site.url = f"https://127.0.0.1:{line.port}"
            async with site.online():
                await day.until_complete()
            stored = Counter(each.request for each in line.exchanges if each.status == 201)
            assert stored == {f"PUT /v1/media/{sha256}": 1 for sha256 in site.armed()}
            assert day.judge() == []
            return line.exchanges


def test_a_delivery_without_losses_has_each_exchange_once(ram: Path) -> None:
    exchanges = asyncio.run(_deliver(ram / "good", {}))
    media = [each.request for each in exchanges if each.request.startswith("PUT")]
    assert len(set(media)) == len(media) == 5
    assert len(exchanges) >= ALWAYS
    assert {each.status for each in exchanges} == {200, 201}


@pytest.mark.parametrize("what", Lost)
def test_whatever_exchange_is_lost_nothing_is_missing_and_nothing_comes_twice(ram: Path, what: Lost) -> None:
    number, reached = 0, True
    while reached:
        exchanges = asyncio.run(_deliver(ram / f"{number}", {number: what}))
        lost = [each for each in exchanges if each.lost is not None]
        # Behind the last exchange there is nothing to lose.
        reached = bool(lost)
        assert reached or number >= ALWAYS, f"exchange {number} of {exchanges}"
        assert [each.lost for each in lost] in ([], [what])
        number += 1


@pytest.mark.parametrize("what", [Lost.REQUEST, Lost.ANSWER])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_every_third_exchange_is_lost(ram: Path, what: Lost, first: int) -> None:
    # Of every two it could not be: a new connection begins with a question, and the next exchange would always be lost.
    exchanges = asyncio.run(_deliver(ram / "day", dict.fromkeys(range(first, 400, 3), what)))
    assert sum(each.lost is not None for each in exchanges) >= ALWAYS // 3
