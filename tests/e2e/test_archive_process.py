"""``unbroken archive`` as a process of its own: started, stopped, killed, checked."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.archive_process import WAIT_S, ArchiveProcess
from tests.fakes.station import Station

_CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(params=[1, 2], ids=["alone", "two workers"])
def archive(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ArchiveProcess]:
    archive = ArchiveProcess(tmp_path / "archive", request.param)
    yield archive
    archive.stop()


def armed_station(archive: ArchiveProcess) -> Station:
    station = Station(archive.keys.by)
    station.begin()
    station.arm()
    station.segments(3)
    return station


def test_sigterm_is_an_orderly_end_and_the_check_then_finds_nothing(archive: ArchiveProcess) -> None:
    archive.start()
    station = armed_station(archive)
    uplink = archive.keys.uplink()
    lacks = uplink.lines(station.lines).json["lacks"]
    assert isinstance(lacks, list)
    assert len(lacks) == 3
    for name, data in station.files.items():
        if name.endswith(".m4s"):
            assert uplink.media(data).status == 201
    refused = archive.check()
    assert (refused.returncode, "Another process works on" in refused.stderr) == (2, True)
    assert archive.end(signal.SIGTERM) == 0
    checked = archive.check()
    assert (checked.returncode, checked.stdout) == (0, "Checked 1 units: 8 lines, 3 media.\nNo findings.\n")
    archive.keys.object(lacks[0]).unlink()
    checked = archive.check()
    assert (checked.returncode, f"57-002/u1: {lacks[0]} is lost" in checked.stdout) == (1, True)
    checked = archive.check("--rebuild")
    assert (checked.returncode, checked.stdout.splitlines()[0]) == (0, "A new index counts 2 media.")


def test_killed_between_any_two_requests_it_has_what_it_acknowledged(archive: ArchiveProcess) -> None:
    station = armed_station(archive)
    for text in station.lines:
        archive.start()
        answer = archive.keys.uplink().lines([text])
        assert (answer.status, archive.keys.ledger().endswith(text + b"\n")) == (200, True)
        archive.keys.hang_up()
        assert archive.end(signal.SIGKILL) == -signal.SIGKILL
    assert archive.keys.ledger() == station.ledger
    assert archive.check().returncode == 0


def test_what_a_person_must_mend_is_said_in_a_sentence(archive: ArchiveProcess) -> None:
    (archive.keys.config.receipt_certificate).write_bytes(archive.keys.config.certificate.read_bytes())
    command = [sys.executable, "-m", "unbroken", "archive", "ingest", "--config", str(archive.config)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, cwd=_CHECKOUT)
    assert ended.returncode == 2
    assert "The receipt key's certificate is not for this key and election." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_is_said_in_a_sentence(archive: ArchiveProcess) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", archive.port))
        taken.listen()
        command = [sys.executable, "-m", "unbroken", "archive", "ingest", "--config", str(archive.config)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, cwd=_CHECKOUT)
    assert ended.returncode == 2
    assert f"cannot listen at 127.0.0.1, port {archive.port}" in ended.stderr
    assert "Traceback" not in ended.stderr
