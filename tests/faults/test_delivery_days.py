"""Days from the failure stories: each ends with the archive byte-identical to the stations, or the difference named.

UTC+4: the window is from 16:00 on 1 May to 16:00 on 2 May, and a station's clock starts where the story does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from evidence.words import Mode
from tests.fakes.archive import timeless_authority
from tests.fakes.checker import Json
from tests.fakes.delivery_day import HOUR_S, MINUTE_S, DeliveryDay
from tests.fakes.delivery_site import Site
from tests.fakes.station import NOON_US

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
ZONE_H = 4


def play(folder: Path, story: Callable[[DeliveryDay], Awaitable[None]]) -> None:
    """``story`` with an archive that serves."""

    async def all_of_it() -> None:
        async with DeliveryDay(folder) as day:
            await story(day)

    asyncio.run(all_of_it())


def at(hour: int, minute: int, *, day: int = 2) -> int:
    """That time of that day of May in the stations' zone."""
    return NOON_US + ((((day - 1) * 24 + hour - ZONE_H - 12) * 60) + minute) * MINUTE_S * 10**6


def test_the_public_host_is_down_from_half_past_seven_to_twenty_to_eleven(ram: Path) -> None:
    """F1: every station records on, and the whole morning is there afterwards."""

    async def story(day: DeliveryDay) -> None:
        sites = [await day.site(f"57-{number:03}", utc_us=at(7, 20)) for number in (2, 3, 4)]
        for site in sites:
            site.begin()
            await day.go_online(site)
        await day.live(10 * MINUTE_S)
        await day.until_complete()
        before = [day.kept(site.name) for site in sites]
        for site in sites:
            site.link.refuse()
        await day.live(3 * HOUR_S + 10 * MINUTE_S)
        for site in sites:
            await day.until(lambda site=site: _why(site).startswith("no connection"), "it is noticed")  # type: ignore[misc]
        assert [day.kept(site.name) for site in sites] == before
        for site in sites:
            site.link.mend()
        await day.until_complete()
        for site in sites:
            (camera,) = cast("list[Json]", site.verdict()["cameras"])
            assert [gap["cause"] for gap in cast("list[Json]", camera["gaps"])] == ["starting"]
        assert day.judge() == []

    play(ram, story)


def test_the_link_of_one_site_is_dead_all_night_and_nobody_acts(ram: Path) -> None:
    """F2: 23:24 to 07:53. The other site notices nothing, and the proof comes before the pictures."""

    async def story(day: DeliveryDay) -> None:
        dead, good = (
            await day.site("57-002", utc_us=at(23, 14, day=1)),
            await day.site("57-003", utc_us=at(23, 14, day=1)),
        )
        for site in (dead, good):
            site.begin()
            await day.go_online(site)
        await day.live(10 * MINUTE_S)
        await day.until_complete()
        dead.link.black_hole()
        await day.live(HOUR_S)
        await day.until_complete(good)
        good.records = False
        good.station.stop()
        await day.live(7 * HOUR_S + 29 * MINUTE_S)
        await day.until(lambda: not _connected(dead), "it is noticed")
        dead.link.limit(1_000_000)
        dead.link.mend()
        await day.until(lambda: day.current(dead), "the proof is there")
        assert not day.complete(dead)
        dead.link.limit(None)
        await day.until_complete()
        assert day.judge() == []

    play(ram, story)


def test_a_registry_of_stations_that_never_connect_start_early_deliver_errors_or_are_not_enrolled(ram: Path) -> None:
    """F4: what is missing is named, station by station; what came early counts."""

    async def story(day: DeliveryDay) -> None:
        good = await day.site("57-002")
        silent = await day.site("57-003")
        early = await day.site("57-004", utc_us=NOON_US - 40 * MINUTE_S * 10**6)
        wrong = await day.site("57-005")
        stranger = await day.site("57-006", enrolled_by=timeless_authority("another"))
        for site in day.sites:
            site.begin()
        await day.live(20 * MINUTE_S)
        first, second = list(wrong.armed().values())[10:12]
        data = bytearray(first.read_bytes())
        data[-1] ^= 1
        first.write_bytes(data)
        second.write_bytes(second.read_bytes()[:-1])
        for site in (good, early, wrong, stranger):
            await day.go_online(site)
        await day.until_complete(good, early)
        await day.until(lambda: wrong.laid() == len(wrong.armed()) - 2, "all but what is damaged is there")
        await day.until(lambda: _delivery_tries(stranger) > 3, "a stranger tries in vain")
        assert not _connected(stranger)
        assert [len(day.kept(site.name)) for site in day.sites] == [1, 0, 1, 1, 0]
        lines = silent.ledger.count(b"\n")
        segments = len(silent.armed())
        assert day.judge() == [
            f"57-003: {lines} lines are not at the archive",
            f"57-003: {segments} segments are not at the archive",
            f"57-003: {segments} segments have no receipt",
            "57-005: 2 segments are not at the archive",
            "57-005: 2 segments have no receipt",
            f"57-006: {lines} lines are not at the archive",
            f"57-006: {segments} segments are not at the archive",
            f"57-006: {segments} segments have no receipt",
        ]
        assert early.verdict()["modes"] == good.verdict()["modes"]

    play(ram, story)


def test_a_unit_that_comes_late_and_is_armed_late_says_why_there_is_no_picture(ram: Path) -> None:
    """F5: an hour into the window it starts without a camera, gets one, and is armed after that."""

    async def story(day: DeliveryDay) -> None:
        site = await day.site(utc_us=NOON_US + HOUR_S * 10**6)
        camera = site.station.cameras["cam1"]
        camera.failing = "no camera is connected"
        site.begin_unarmed()
        await day.go_online(site)
        await day.live(20 * MINUTE_S)
        await day.until(lambda: day.current(site), "the centre knows of it at once")
        camera.failing = None
        await day.live(15 * MINUTE_S)
        site.station.arm(Mode.LIVE)
        await day.live(30 * MINUTE_S)
        await day.until_complete()
        assert day.judge() == [f"57-002: {15 * MINUTE_S // 12} unarmed segments stay on the unit"]
        record = site.verdict()
        (told,) = cast("list[Json]", record["cameras"])
        (gap,) = cast("list[Json]", told["gaps"])
        assert (gap["cause"], gap["duration_ms"]) == ("starting", [1_204_000, 1_204_000])
        assert [each["event"] for each in cast("list[Json]", record["events"])] == ["armed"]
        assert record["modes"] == {"UNARMED": 900_000, "LIVE": 1_788_000}

    play(ram, story)


def test_a_link_that_is_thinner_than_the_video_carries_the_ledger_all_the_time(ram: Path) -> None:
    """For hours the pictures fall behind and the lines never do; then the link is good, and all of it comes."""

    async def story(day: DeliveryDay) -> None:
        site = await day.site()
        site.begin()
        await day.go_online(site)
        await day.live(2 * MINUTE_S)
        await day.until_complete()
        site.link.limit(120_000)
        behind: list[int] = []
        for _ in range(12):
            await day.live(10 * MINUTE_S)
            await day.until(lambda: day.current(site), "the ledger is current")
            behind.append(len(site.armed()) - site.laid())
        assert behind[-1] > behind[2] > 0
        site.link.limit(None)
        await day.until_complete()
        assert day.judge() == []

    play(ram, story)


def _connected(site: Site) -> bool:
    return site.delivery is not None and site.delivery.state.connected


def _delivery_tries(site: Site) -> int:
    return 0 if site.delivery is None else site.delivery.state.tries


def _why(site: Site) -> str:
    """Why there is no connection, in the uplink's words."""
    if site.delivery is None or site.delivery.state.connected:
        return ""
    return site.delivery.state.why or ""
