"""Days on which a unit has more than one history, or a station more than one unit: what differs is named exactly."""

from pathlib import Path
from typing import cast

import pytest

from tests.fakes.checker import Json
from tests.fakes.delivery_day import HOUR_S, MINUTE_S, DeliveryDay
from tests.fakes.delivery_history import (
    archive_verdict,
    at,
    cameras,
    codes,
    covered_ms,
    found,
    judge_histories,
    play,
    put_in,
    read_card,
    records,
    replace_unit,
    stored_media,
    take_out,
    until_delivered,
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
GOP_S, GOP_MS = 12, 12_000


def test_the_power_takes_lines_from_the_card_that_the_archive_has_already(ram: Path) -> None:
    """Both histories are kept and count; what only the lost lines name, never delivered, is missing, signed."""

    async def story(day: DeliveryDay) -> None:
        site = await day.site(utc_us=at(9))
        site.begin()
        async with site.online():
            await day.live(10 * MINUTE_S)
            await day.until_complete()
            stood = site.ledger
            found_again, lost = await _one_more(day), await _one_more(day)
            await day.until_complete()
            # So thin that lines pass and hardly a segment behind them.
            site.link.limit(500)
            late = [await _one_more(day), await _one_more(day)]
            await day.until(lambda: day.current(site), "the lines are there")
            site.link.refuse()
        before = read_card(site)
        never = [sha256 for sha256 in late if sha256 not in stored_media(day)]
        assert never
        site.station.session.storage.close()
        site.station.lose_power()
        site.station.layout.ledger.write_bytes(stood)
        for sha256 in (lost, *late):
            site.station.layout.segment(*before.places[sha256]).unlink()
        site.station.start()
        site.link.limit(None)
        site.link.mend()
        async with site.online():
            await day.live(10 * MINUTE_S)
            await until_delivered(day, site)
        after = read_card(site)
        assert found_again in after.named
        assert not {lost, *late} & after.named.keys()
        assert judge_histories(day, site.name, [before, after]) == never
        assert found(day) == [("57-002/u1", "tail-lost", stood.count(b"\n"), 1)]
        (record,) = records(archive_verdict(day, site.name))
        assert codes(record) == {"tail-lost": 1, "media-missing": len(never), "open-end": 1}
        (camera,) = cameras(record)
        counted = len(before.named.keys() | after.named.keys()) - len(never)
        assert (camera["segments"], camera["recovered"]) == (counted, 1)
        assert camera["covered_ms"] == [covered_ms([before, after], without=never)] * 2 == [counted * GOP_MS] * 2

    play(ram, story)


def test_an_older_image_of_the_card_is_put_in(ram: Path) -> None:
    """The unit goes on from the state of an hour before: a finding, and all of both histories is there."""

    async def story(day: DeliveryDay) -> None:
        site = await day.site(utc_us=at(8))
        site.begin()
        async with site.online():
            await day.live(HOUR_S)
            await day.until_complete()
        # Copied while it records, as a card does that forgets.
        take_out(site, ram / "image")
        fork = site.ledger.count(b"\n")
        async with site.online():
            await day.live(HOUR_S)
            await until_delivered(day, site)
        newer = read_card(site)
        site.station.session.storage.close()
        site.station.lose_power()
        put_in(ram / "image", site)
        site.station.start()
        async with site.online():
            await day.live(HOUR_S)
            await until_delivered(day, site)
        older = read_card(site)
        assert judge_histories(day, site.name, [newer, older]) == []
        assert found(day) == [("57-002/u1", "rolled-back", fork, 1)]
        (record,) = records(archive_verdict(day, site.name))
        assert codes(record) == {"rolled-back": 1, "open-end": 1}
        (camera,) = cameras(record)
        assert camera["covered_ms"] == [covered_ms([newer, older])] * 2

    play(ram, story)


def test_a_cloned_card_runs_in_a_second_unit_at_the_same_time(ram: Path) -> None:
    """Whoever clones a card can have it say of its board what he likes. Neither keeps the other from being recorded."""

    async def story(day: DeliveryDay) -> None:
        site = await day.site(utc_us=at(8))
        site.begin()
        async with site.online():
            await day.live(HOUR_S // 2)
            await day.until_complete()
        site.station.stop()
        before = read_card(site)
        take_out(site, ram / "image")
        twin = await day.site(folder="twin", utc_us=at(8, 31))
        put_in(ram / "image", twin)
        # A session's key and a boot's id are random; here they are counted.
        twin.station.sessions = twin.station.boots = 100
        for each in (site, twin):
            each.station.start()
            each.records = True
        async with site.online(), twin.online():
            for _ in range(3):
                await day.live(10 * MINUTE_S)
                for each in (site, twin):
                    await until_delivered(day, each)
        assert judge_histories(day, site.name, [read_card(site), read_card(twin)]) == []
        assert found(day) == [("57-002/u1", "equivocation", before.ledger.count(b"\n"), 1)]
        (record,) = records(archive_verdict(day, site.name))
        assert codes(record) == {"equivocation": 1, "open-end": 1}
        (camera,) = cameras(record)
        assert camera["covered_ms"] == [covered_ms([before])] * 2, "nothing behind the fork is attributed"

    play(ram, story)


def test_a_unit_dies_and_another_goes_on(ram: Path) -> None:
    """u1 dies at 11:40, u2 begins at 12:05: the verifier says what both cover and what is missing between."""

    async def story(day: DeliveryDay) -> None:
        first = await day.site(utc_us=at(11))
        first.begin()
        async with first.online():
            await day.live(40 * MINUTE_S)
            await day.until_complete()
        first.station.kill()
        first.records = False
        second = await day.site(folder="second", utc_us=at(12, 5))
        replace_unit(second, "u2")
        second.begin()
        async with second.online():
            await day.live(HOUR_S)
            await until_delivered(day, second)
        assert judge_histories(day, first.name, [read_card(first), read_card(second)]) == []
        answer = archive_verdict(day, first.name)
        assert found(day) == []
        assert [codes(record) for record in records(answer)] == [{"open-end": 1}] * 2
        ((camera,),) = [cameras(station) for station in cast("list[Json]", answer["stations"])]
        (hole,) = cast("list[Json]", camera["between"])
        assert (hole["after"], hole["before"]) == ("u1", "u2")
        # From 11:39:52, where the last whole segment ends, to 12:05:04, each known to 5 ms.
        assert hole["duration_ms"] == [1_511_990, 1_512_010]
        assert camera["covered_ms"] == covered_ms([read_card(first), read_card(second)])

    play(ram, story)


async def _one_more(day: DeliveryDay) -> str:
    """One more segment is committed; its digest."""
    (site,) = day.sites
    known = set(site.armed())
    await day.live(GOP_S)
    (sha256,) = site.armed().keys() - known
    return sha256
