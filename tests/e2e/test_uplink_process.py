"""``unbroken station uplink`` as a process of its own, beside a record that grows."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.archive import timeless_authority
from tests.fakes.archive_peer import ArchivePeer
from tests.fakes.delivering import WAIT_S, Delivering
from tests.fakes.stepped import SteppedStation

CHECKOUT = Path(__file__).parents[2]
CONFIG = """\
[station]
election = "az-2026"
station = "57-002"
unit = "u1"

[keys]
trust = "{trust}"
key = "no-such.key"
certificate = "no-such.pem"

[disk]
data = "{data}"
run = "{run}"

[uplink]
url = "{url}"
certificate = "{certificate}"
key = "{key}"
data = "{uplink}"

[[camera]]
id = "cam1"
source = "pattern"
"""


def _config(folder: Path, delivering: Delivering) -> Path:
    config = delivering.config
    assert config.uplink is not None
    path = folder / "station.toml"
    text = CONFIG.format(
        trust=config.trust,
        data=config.data,
        run=config.run,
        url=config.uplink.url,
        certificate=config.uplink.certificate,
        key=config.uplink.key,
        uplink=config.uplink.data,
    )
    path.write_text(text)
    return path


def _station(folder: Path) -> SteppedStation:
    folder.mkdir()
    station = SteppedStation(folder, by=timeless_authority())
    station.start()
    station.run(2)
    station.arm()
    station.run(8)
    return station


@asynccontextmanager
async def _process(config: Path, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-m", "unbroken", "station", "uplink", "--config", str(config)]
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=errors, cwd=CHECKOUT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_killed_in_the_middle_and_started_again_it_sends_everything_once(ram: Path) -> None:
    station, log = _station(ram / "unit"), ram / "uplink.log"

    async def scene() -> None:
        async with ArchivePeer(station.authority, ram / "archive") as archive:
            delivering = Delivering(ram, station, archive)
            config = _config(ram, delivering)
            async with _process(config, log) as process:
                await _until(lambda: len(archive.media) >= 2)
                process.send_signal(signal.SIGKILL)
            station.run(4)
            async with _process(config, log) as process:
                await _until(delivering.complete)
                await _until(lambda: delivering.status().get("connected") is True)
                shown = await asyncio.to_thread(_status, config, station.config.run)
                assert shown["uplink"]["connected"] is True
                assert shown["uplink"]["quarantined"] == 0
                for words, code, told in (
                    (["--all"], 0, "0 segments"),
                    (["0" * 64], 2, "not held back"),
                    (["x"], 2, "no digest"),
                    ([], 2, "Which segments?"),
                ):
                    done = await asyncio.to_thread(_verb, "release", config, *words)
                    assert (done.returncode, told in done.stdout + done.stderr) == (code, True), done
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
            assert set(archive.sent.values()) == {1}, log.read_text()
            assert delivering.status() == {}, "what was told of the link is true no longer"
            done = await asyncio.to_thread(_verb, "release", config, "--all")
            assert (done.returncode, "The uplink does not answer" in done.stderr) == (2, True)

    asyncio.run(scene())


def _status(config: Path, run: Path) -> dict[str, dict[str, object]]:
    """What the verb shows. The recorder of this test answers no socket: it is made to look like one that stands by."""
    (run / "status.json").write_text(json.dumps({"recording": False}))
    shown: dict[str, dict[str, object]] = json.loads(_verb("status", config).stdout)
    return shown


def _verb(verb: str, config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "unbroken", "station", verb, "--config", str(config), *words]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=WAIT_S, check=False)


def test_it_needs_an_archive_to_deliver_to_and_a_key_to_open_connections(ram: Path) -> None:
    station = _station(ram / "unit")
    delivering = Delivering(ram, station, ArchivePeer(station.authority, ram / "archive"))
    config = _config(ram, delivering)
    text = config.read_text()
    for changed, told in (
        (text.partition("[uplink]")[0] + "[[camera]]" + text.partition("[[camera]]")[2], "names no archive"),
        (text.replace("uplink.key", "other.key"), "key or certificate cannot be used"),
    ):
        config.write_text(changed)
        done = _verb("uplink", config)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr


def test_it_opens_nothing_of_the_recorders_but_to_read(ram: Path) -> None:
    """Invariant 4: the recorder goes on with its lock and its files while the uplink works."""
    station, log = _station(ram / "unit"), ram / "uplink.log"

    async def scene() -> None:
        async with ArchivePeer(station.authority, ram / "archive") as archive:
            delivering = Delivering(ram, station, archive)
            before = {path: path.stat().st_mtime_ns for path in station.config.data.rglob("*")}
            async with _process(_config(ram, delivering), log):
                await _until(delivering.complete)
            assert {path: path.stat().st_mtime_ns for path in station.config.data.rglob("*")} == before
            names = {path.name for path in station.config.run.iterdir()}
            assert names <= {"head.json", "status.json", "uplink.json", "uplink.sock"}
            station.run(4)
            station.stop()

    asyncio.run(scene())
