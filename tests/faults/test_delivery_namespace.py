"""A day in a network namespace: the uplink is a process of its own, and the network is taken from under it.

Run as a program in that namespace, this file is the uplink: python -m tests.faults.test_delivery_namespace CONFIG
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from appliance.config import load_config
from appliance.delivery import Delivery
from base.clock import SystemClock
from tests.fakes.delivery_day import MINUTE_S, DeliveryDay
from tests.fakes.delivery_site import Site
from tests.fakes.station import SECOND

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
ANSWER_S = 2.0
STOP_S = 10
_CHECKOUT = Path(__file__).parents[2]


class Cabling:
    """A namespace with one interface; beyond its gateway is the address at which the archive is reached."""

    def __init__(self) -> None:
        number = os.getpid()
        self.name = f"unbroken-{number}"
        self._outer, self._inner = f"ub{number}a", f"ub{number}b"
        net = f"{number // 200 % 50 + 200}.{number % 200}"
        self.archive, self.gateway = f"10.{net}.1", f"10.{net}.2"
        self._addresses = [f"10.{net}.6", f"10.{net}.7"]
        _run("netns", "add", self.name)
        try:
            _run("link", "add", self._outer, "type", "veth", "peer", "name", self._inner, "netns", self.name)
            _run("address", "add", f"{self.archive}/32", "dev", self._outer)
            _run("address", "add", f"{self.gateway}/32", "peer", f"{self._addresses[0]}/32", "dev", self._outer)
            _run("link", "set", self._outer, "up")
            self._in("link", "set", self._inner, "up")
            self.address(0)
        except BaseException:
            self.close()
            raise

    def cable(self, *, plugged: bool) -> None:
        _run("link", "set", self._outer, "up" if plugged else "down")
        if plugged:
            self._meet(0)

    def route(self, *, known: bool) -> None:
        if known:
            self._in("route", "add", "default", "via", self.gateway, "dev", self._inner)
        else:
            self._in("route", "del", "default")

    def address(self, which: int) -> None:
        """Another lease: the old address is gone, and with it every route."""
        self._in("address", "flush", "dev", self._inner)
        self._in("address", "add", f"{self._addresses[which]}/32", "peer", f"{self.gateway}/32", "dev", self._inner)
        self._meet(which)
        self.route(known=True)

    def close(self) -> None:
        """Nothing of it is left; whatever runs in it has ended before."""
        _run("netns", "del", self.name, check=False)
        _run("link", "del", self._outer, check=False)

    def _meet(self, which: int) -> None:
        _run("route", "replace", f"{self._addresses[which]}/32", "dev", self._outer)

    def _in(self, *words: str) -> None:
        _run("-n", self.name, *words)


def _run(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


@pytest.fixture
def cabling() -> Iterator[Cabling]:
    try:
        made = Cabling()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespaces here: {getattr(error, 'stderr', '') or error}")
    yield made
    made.close()


@contextlib.asynccontextmanager
async def _uplink(site: Site, cabling: Cabling, folder: Path) -> AsyncIterator[None]:
    """The uplink in the namespace; it must not end by itself."""
    config = folder / "station.toml"
    config.write_text(_toml(site))
    command = [
        "ip",
        "netns",
        "exec",
        cabling.name,
        sys.executable,
        "-m",
        "tests.faults.test_delivery_namespace",
        str(config),
    ]
    with (folder / "uplink.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=_CHECKOUT, stdout=log, stderr=log)
        try:
            yield
            assert process.returncode is None, (folder / "uplink.log").read_text()
        finally:
            if process.returncode is None:
                process.terminate()
            async with asyncio.timeout(STOP_S):
                await process.wait()


def _toml(site: Site) -> str:
    config, uplink = site.config, site.config.uplink
    assert uplink is not None
    sections: dict[str, dict[str, object]] = {
        "[station]": {"election": config.election, "station": config.station, "unit": config.unit},
        "[keys]": {"trust": config.trust, "key": config.key, "certificate": config.certificate},
        "[disk]": {"data": config.data, "run": config.run},
        "[uplink]": {"url": uplink.url, "certificate": uplink.certificate, "key": uplink.key, "data": uplink.data},
        "[[camera]]": {"id": "cam1", "source": "pattern"},
    }
    lines = [
        [name, *(f"{key} = {json.dumps(str(value))}" for key, value in each.items())] for name, each in sections.items()
    ]
    return "\n".join(line for each in lines for line in each) + "\n"


def _why_not(site: Site) -> object:
    """Why there is no connection, as the status file has it; None where there is one, or no file."""
    path = site.station.config.run / "uplink.json"
    return json.loads(path.read_bytes())["why_not"] if path.exists() else None


def test_cable_route_and_address_go_and_come_back_under_the_uplink(ram: Path, cabling: Cabling) -> None:
    async def story() -> None:
        async with DeliveryDay(ram, names=[cabling.archive]) as day:
            site = await day.site(host=cabling.archive)
            site.begin()
            async with _uplink(site, cabling, ram):
                await day.live(5 * MINUTE_S)
                await day.until_complete()

                cabling.cable(plugged=False)
                await day.live(10 * MINUTE_S)
                await day.until(lambda: _why_not(site) is not None, "the cable is missed")
                cabling.cable(plugged=True)
                await day.until_complete()

                cabling.route(known=False)
                await day.live(10 * MINUTE_S)
                await day.until(lambda: "unreachable" in str(_why_not(site)), "the route is missed")
                cabling.route(known=True)
                await day.until_complete()

                taken = site.link.taken
                cabling.address(1)
                await day.live(10 * MINUTE_S)
                await day.until_complete()
                assert site.link.taken > taken, "it has come from its new address"
            assert day.judge() == []

    asyncio.run(story())


async def _briefly(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.05))


if __name__ == "__main__":
    asyncio.run(
        Delivery(
            load_config(Path(sys.argv[1])), SystemClock(), pause=_briefly, answer_s=ANSWER_S, receipt_ns=SECOND // 5
        ).run()
    )
