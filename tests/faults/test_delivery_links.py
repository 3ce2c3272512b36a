"""Days on which the link is the fault: it flaps, dies without a word, stalls, lies, or leads elsewhere.

After each all is at the archive, byte for byte, and no segment came in whole twice.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from base.clock import Reading, SystemClock
from tests.fakes.archive import timeless_authority
from tests.fakes.checker import Json
from tests.fakes.delivery_day import HOUR_S, MINUTE_S, DeliveryDay
from tests.fakes.delivery_site import Site
from tests.fakes.link import PAGE, EmulatedLink, Portal
from tests.fakes.station import NOON_US, private_key

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
FLAPS = 20
FLAP_BYTES = 30_000
"""So much passes before the link fails again: a few segments."""


class NoClock(SystemClock):
    """Counts on from the start of the machine and knows no date."""

    def read(self) -> Reading:
        return Reading(boot_ns=self.boot_ns(), utc_us=None, error_us=None)


def play(folder: Path, story: Callable[[DeliveryDay, Site], Awaitable[None]]) -> None:
    """``story`` with one station that records and delivers, and is complete when it begins; judged at its end."""

    async def all_of_it() -> None:
        async with DeliveryDay(folder) as day:
            site = await day.site()
            site.begin()
            await day.go_online(site)
            await day.live(5 * MINUTE_S)
            await day.until_complete()
            await story(day, site)
            await day.until_complete()
            assert day.judge() == []

    asyncio.run(all_of_it())


def test_a_link_that_flaps_every_few_seconds_carries_all_of_it(ram: Path) -> None:
    async def story(day: DeliveryDay, site: Site) -> None:
        link = site.link
        link.limit(200_000)
        for flap in range(FLAPS):
            await day.live(2 * MINUTE_S)
            carried = link.line.up.carried
            await day.until(lambda carried=carried: link.line.up.carried >= carried + FLAP_BYTES, "some of it passes")  # type: ignore[misc]
            taken = link.taken
            (link.reset, link.refuse, link.half_open)[flap % 3]()
            await day.until(lambda taken=taken: link.taken > taken or not _connected(site), "the uplink notices")  # type: ignore[misc]
            link.mend()
        link.limit(None)

    play(ram, story)


def test_connections_that_die_without_a_word_are_found_out_and_made_anew(ram: Path) -> None:
    async def story(day: DeliveryDay, site: Site) -> None:
        for size_s in (12, 10 * MINUTE_S, 20 * MINUTE_S):
            carried = site.link.line.up.carried
            site.link.half_open()
            await day.live(size_s)
            await day.until(lambda carried=carried: site.link.line.up.carried > carried, "a new connection")  # type: ignore[misc]
            await day.until(lambda: _connected(site), "it works")
            # Perhaps in the middle of what is on its way.
            site.link.half_open()
            await day.live(12)
            await day.until_complete()

    play(ram, story)


def test_a_link_that_takes_everything_and_then_stalls_is_left(ram: Path) -> None:
    async def story(day: DeliveryDay, site: Site) -> None:
        for size_s in (12, 10 * MINUTE_S):
            site.link.stall()
            await day.live(size_s)
            await day.until(lambda: "did not move" in _why(site), "it is told")
            site.link.mend()
            await day.until_complete()

    play(ram, story)


def test_a_captive_portal_in_the_morning_gets_nothing_and_is_taken_for_no_archive(ram: Path) -> None:
    async def story(day: DeliveryDay, site: Site) -> None:
        portals = [Portal(), Portal(answer=PAGE), Portal(context=_another_authority(ram))]
        for portal in portals:
            before, taken = day.kept(site.name), site.link.taken
            carried = site.link.line.up.carried
            site.link.capture(portal)
            await day.live(10 * MINUTE_S)
            await day.until(lambda taken=taken: site.link.taken > taken + 2, "some tries")  # type: ignore[misc]
            assert "captive portal" in _why(site)
            assert (day.kept(site.name), site.link.line.up.carried) == (before, carried)
            site.link.mend()
            await day.until_complete()
            assert site.delivery is not None
            assert site.delivery.state.receipts_refused == 0

    play(ram, story)


def test_a_black_hole_swallows_nothing_for_good(ram: Path) -> None:
    async def story(day: DeliveryDay, site: Site) -> None:
        for size_s in (12, HOUR_S):
            site.link.black_hole()
            await day.live(size_s)
            await day.until(lambda: not _connected(site), "it is noticed")
            site.link.mend()
            await day.until_complete()

    play(ram, story)


def test_a_broken_link_of_one_station_is_felt_by_no_other(ram: Path) -> None:
    """Each has another fault at the same time; the good one is complete while all of them stand."""

    async def story(day: DeliveryDay, site: Site) -> None:
        broken = [await day.site(f"57-00{number}") for number in range(3, 7)]
        for each in broken:
            each.begin()
            await day.go_online(each)
        await day.live(2 * MINUTE_S)
        await day.until_complete()
        await day.live(MINUTE_S)
        broken[0].link.stall()
        broken[1].link.half_open()
        broken[2].link.black_hole()
        broken[3].link.capture(Portal())
        await day.live(10 * MINUTE_S)
        await day.until_complete(site)
        for each in broken:
            each.link.mend()

    play(ram, story)


def test_names_fail_and_lead_elsewhere_and_the_clock_is_unset_all_morning(
    ram: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive moves to another address in the middle of the day; nobody knows the date until noon."""
    names = _Names(monkeypatch)

    async def story() -> None:
        async with DeliveryDay(ram) as day:
            site = await day.site(utc_us=None)
            site.clock = NoClock()
            site.url = f"https://localhost:{site.link.port}"
            names.lead_to = None
            site.begin()
            await day.go_online(site)
            await day.live(HOUR_S)
            await day.until(lambda: _why(site) == "the name localhost cannot be resolved", "it is told")
            names.lead_to = "127.0.0.1"
            await day.until_complete()
            async with EmulatedLink(day.port, host="127.0.0.2", at=site.link.port) as elsewhere:
                names.lead_to = None
                site.link.refuse()
                await day.live(10 * MINUTE_S)
                await day.until(lambda: _why(site) == "the name localhost cannot be resolved", "it is told again")
                names.lead_to = "127.0.0.2"
                await day.until_complete()
                assert elsewhere.taken > 0
                site.station.clock.set_utc(NOON_US + 2 * HOUR_S * 10**6)
                await day.live(10 * MINUTE_S)
                await day.until_complete()
                assert day.judge() == []
        states = [each["state"] for each in cast("list[Json]", site.verdict()["clock"])]
        assert states == ["unset", "synced"]

    asyncio.run(story())


class _Names:
    """What the name localhost leads to: an address, or None where no name server answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lead_to: str | None = None
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._ask)

    def _ask(self, host: str | None, port: int | str | None, *args: int, **more: int) -> object:
        if host != "localhost":
            return self._real(host, port, *args, **more)
        if self.lead_to is None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return self._real(self.lead_to, port, *args, **more)


def _another_authority(folder: Path) -> ssl.SSLContext:
    """A portal's TLS, with a certificate for the archive's address from somebody nobody trusts."""
    key = private_key("portal")
    certificate = timeless_authority("portal").certify_archive(key.public_key(), ["127.0.0.1"])
    (folder / "portal.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "portal.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "portal.pem", folder / "portal.key")
    return context


def _connected(site: Site) -> bool:
    return site.delivery is not None and site.delivery.state.connected


def _why(site: Site) -> str:
    """Why there is no connection, in the uplink's words."""
    return "" if site.delivery is None or _connected(site) else site.delivery.state.why or ""
