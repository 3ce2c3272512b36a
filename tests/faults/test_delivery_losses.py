"""Days on which the archive, the uplink or the trust in a unit is lost, or what answers lies; each loss is named."""

import asyncio
import shutil
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509

from appliance.control.server import ask
from appliance.store.receipted import LOOK_AGAIN_NS
from appliance.upkeep.space import FLOOR_BYTES
from archive.check import check, rebuild
from archive.parts import open_parts
from audit.verify import verify
from base.durable import Disk
from evidence.certificate import Trust
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.courier import bring, counts
from tests.fakes.delivery_day import HOUR_S, MINUTE_S, DeliveryDay
from tests.fakes.delivery_history import (
    archive_verdict,
    at,
    cameras,
    codes,
    covered_ms,
    findings,
    found,
    judge_histories,
    play,
    read_card,
    records,
    stored_media,
    told,
    until_delivered,
)
from tests.fakes.delivery_site import STEP_NS, Site
from tests.fakes.station import private_key

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
LIES: tuple[tuple[str, dict[str, object], str], ...] = (
    ("somebody", {}, "its signature does not check"),
    ("receipts", {"station": "57-009"}, "the receipt is another unit's"),
    ("receipts", {"unit": "u9"}, "the receipt is another unit's"),
    ("receipts", {"election": "az-2031"}, "its key is not a receipt key of its election"),
    ("receipts", {"media": ("0" * 64,)}, "the receipt is for other media than were asked for"),
)
"""Whose key signs, of what the receipts speak (the last was given for something else), and what the station says."""


@pytest.mark.parametrize("lives_on", [False, True])
def test_yesterdays_backup_of_the_archive_is_put_back(ram: Path, lives_on: bool) -> None:
    """What still lies at the station comes again by itself; what was pruned on its receipt, the archive has lost. So
    it is whether the uplink ``lives_on`` or is started anew.
    """

    async def story(day: DeliveryDay) -> None:
        site = await day.site(utc_us=at(7))
        site.begin()
        async with site.online():
            await day.live(HOUR_S)
            await day.until_complete()
            async with day.archive_down():
                copy_archive(day.archive.folder, ram / "backup")
            saved = stored_media(day).keys()
            await day.live(HOUR_S)
            await day.until_complete()
            prune(site)
            await day.live(HOUR_S)
            await until_delivered(day, site)
        if lives_on:
            await day.go_online(site)
        before = read_card(site)
        assert stored_media(day).keys() == before.named.keys()
        pruned = [sha256 for sha256 in before.named if sha256 not in before.media]
        lost = [sha256 for sha256 in pruned if sha256 not in saved]
        assert 0 < len(lost) < len(pruned)
        again = before.media.keys() - saved
        async with day.archive_down():
            copy_archive(ram / "backup", day.archive.folder)
        if not lives_on:
            await day.go_online(site)
        await day.live(10 * MINUTE_S)
        await until_delivered(day, site)
        after = read_card(site)
        assert judge_histories(day, site.name, [after]) == [f"{len(again)} segments were taken twice", *lost]
        await day.until(lambda: told(site).get("media_lost") == len(lost), "the station knows of the loss")
        (record,) = records(archive_verdict(day, site.name))
        (camera,) = cameras(record)
        assert codes(record) == {"open-end": 1}
        assert camera["covered_ms"] == [covered_ms([after], without=lost)] * 2
        assert camera["held_ms"] == [covered_ms([after]) - covered_ms([after], without=lost)] * 2, "by its receipts"
        async with day.archive_down():
            with open_parts(day.archive.config, Disk()) as parts:
                checked = check(parts)
        assert checked.troubles == []
        for rows in (findings(day), checked.findings):
            assert {row.code.value for row in rows} == {"lost-by-archive"}
            assert sorted(row.detail for row in rows) == sorted(lost)

    play(ram, story)


def test_the_archive_loses_its_index_and_the_uplink_its_database(ram: Path) -> None:
    """Both at once, twice: a start heals it, as a rebuild does. What was pruned stays acknowledged, and nothing is sent
    again.
    """

    async def story(day: DeliveryDay) -> None:
        site = await day.site(utc_us=at(7))
        site.begin()
        async with site.online():
            await day.live(HOUR_S)
            await day.until_complete()
            prune(site)
            await day.live(HOUR_S // 2)
            await until_delivered(day, site)
        for rebuilds in (False, True):
            await day.live(10 * MINUTE_S)
            async with day.archive_down():
                for each in (*day.archive.folder.glob("index.sqlite*"), *site.uplink.data.glob("uplink.sqlite*")):
                    each.unlink()
                if rebuilds:
                    with open_parts(day.archive.config, Disk()) as parts:
                        assert rebuild(parts) == len(stored_media(day))
                        assert check(parts).troubles == []
            async with site.online():
                await day.live(10 * MINUTE_S)
                await until_delivered(day, site)
                all_of_it = len(read_card(site).named)
                await day.until(lambda count=all_of_it: told(site).get("media_receipted") == count, "it is known again")  # type: ignore[misc]
            assert judge_histories(day, site.name, [read_card(site)]) == []
            assert found(day) == []

    play(ram, story)


def test_a_unit_is_revoked_in_the_middle_of_the_day(ram: Path) -> None:
    """What came before counts; what comes after is kept aside, whether an uplink or a courier brings it."""

    async def story(day: DeliveryDay) -> None:
        revoked = ram / "revoked.pem"
        nobody = day.by.certify_receipts(private_key("nobody").public_key())
        revoked.write_bytes(day.by.revoke(nobody, moment(at(7))))
        async with day.archive_down():
            day.archive.config = replace(day.archive.config, revoked=revoked)
        day.archive.clock.set_utc(at(9))
        site = await day.site(utc_us=at(9))
        site.begin()
        async with site.online():
            await day.live(HOUR_S)
            await day.until_complete()
            before = read_card(site)
            unit = x509.load_der_x509_certificate(site.station._unit.certs[0])
            revoked.write_bytes(day.by.revoke(unit, moment(at(10, 5))))
            await day.live(10 * MINUTE_S)
            refused = before.ledger.count(b"\n")
            why = f"lines: the archive refuses line {refused}: cert-revoked: "
            await day.until(lambda: why in str(told(site).get("wrong")), "the station is told why")
        site.station.stop()
        late = site.ledger.removeprefix(before.ledger).splitlines()
        assert judge_histories(day, site.name, [before]) == []
        (brought,) = await asyncio.to_thread(bring, day.archive, site.station.config.data)
        assert counts(brought) == (0, refused, len(late), 0, len(before.named), 0)
        assert f"line {refused}: The unit's certificate had been revoked" in brought.refused[0]
        assert judge_histories(day, site.name, [before]) == []
        assert [each[:3] for each in found(day)] == [("57-002/u1", "cert-revoked", refused)]
        aside = [path.read_bytes().splitlines() for path in (day.archive.config.data / "aside").rglob("*.lines")]
        assert Counter(line for lines in aside for line in lines) == Counter(late), "each once"
        trust = Trust.from_pem(day.by.root_pem + revoked.read_bytes())
        (kept,) = records(verify([day.archive.config.data], trust=trust))
        (own,) = records(verify([site.station.config.data], trust=trust))
        assert codes(kept) == {"open-end": 1}
        assert codes(own) == {"cert-revoked": 1, "open-end": 1}

    play(ram, story)


def test_what_answers_lies_all_day_and_the_honest_archive_gets_everything_afterwards(ram: Path) -> None:
    """Nothing is deleted on what it says, however full the card is, and the station is told what it is."""

    async def story(day: DeliveryDay) -> None:
        site = await day.site(utc_us=at(8))
        site.begin()
        async with ArchivePeer(day.by, ram / "liar") as liar:
            site.url = liar.url
            liar.faults.forget = True
            async with site.online():
                await day.live(10 * MINUTE_S)
                await day.until(
                    lambda: told(site).get("quarantined") == len(site.armed()), "it forgets, again and again"
                )
                assert "acknowledged it again and again, and lacks it" in str(told(site)["quarantine"])
                starve(site)
                liar.faults.forget = False
                for key, members, why in LIES:
                    liar.faults.receipt_key, liar.faults.receipt_for = key, members
                    await day.live(10 * MINUTE_S)
                    await day.until(lambda why=why: why in str(told(site).get("wrong")), why)  # type: ignore[misc]
                    starve(site)
                assert cast("int", told(site)["receipts_refused"]) >= len(LIES)
        assert site.receipted() == set()
        card = read_card(site)
        assert card.media.keys() == card.named.keys()
        site.url = None
        async with site.online():
            await day.until(site.config.uplink_socket.exists, "the uplink listens")
            await asyncio.to_thread(ask, site.config.uplink_socket, {"verb": "release"})
            await day.until_complete()
        assert day.judge() == []

    play(ram, story)


def copy_archive(of: Path, to: Path) -> None:
    """Its data folder and its index, nothing else; what was there before is gone."""
    shutil.rmtree(to / "data", ignore_errors=True)
    for each in to.glob("index.sqlite*"):
        each.unlink()
    shutil.copytree(of / "data", to / "data")
    for each in of.glob("index.sqlite*"):
        shutil.copy(each, to)


def prune(site: Site) -> None:
    """The card is nearly full until all that lies there is gone by its receipts; recording goes on."""
    card = read_card(site)
    old = [site.station.layout.segment(*card.places[sha256]) for sha256 in card.media]
    site.station.clock.advance(LOOK_AGAIN_NS)
    site.station.disk.room_bytes = FLOOR_BYTES - 1
    for _ in old:
        # An entry goes at a time, and who knows how many of them there are.
        site.station.run(4, step_ns=STEP_NS)
        if not any(path.exists() for path in old):
            break
    site.station.disk.room_bytes = None
    assert not any(path.exists() for path in old)


def starve(site: Site) -> None:
    """The card is full, and nothing may go; then there is room again."""
    site.station.clock.advance(LOOK_AGAIN_NS)
    site.station.disk.room_bytes = FLOOR_BYTES - 1
    site.station.run(MINUTE_S, step_ns=STEP_NS)
    site.station.disk.room_bytes = None


def moment(utc_us: int) -> datetime:
    """For certificates and lists."""
    return datetime.fromtimestamp(utc_us / 10**6, UTC)
