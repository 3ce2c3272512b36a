"""The first thing that a newcomer does."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from unbroken.demo_archive import DemoArchive
from unbroken.demo_complete import look
from unbroken.demo_station import DemoStation

ROOT = Path(__file__).parents[2]


def unbroken(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "unbroken", *arguments]
    return subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=90,
    )


@pytest.mark.parametrize("cameras", [1, 2])
def test_the_demo_records_verifies_and_reports(tmp_path: Path, cameras: int) -> None:
    folder = tmp_path / "sample"
    ran = unbroken("demo", "--duration", "7", "--dir", str(folder), *["--camera", "pattern"] * cameras, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("segment    cam1") >= 3
    assert (folder / "report.html").stat().st_size > 1000
    checked = unbroken("verify", str(folder / "disk"), "--trust", str(folder / "root.pem"), "--json", cwd=tmp_path)
    answer = json.loads(checked.stdout)
    assert answer["verdict"] == "verified"
    (record,) = answer["records"]
    assert record["closed"]
    assert len(record["cameras"]) == cameras
    for camera in record["cameras"]:
        assert camera["covered_ms"][0] >= 5000
        assert {gap["cause"] for gap in camera["gaps"]} <= {"starting", "stopping"}


def test_an_archive_that_is_out_of_reach_for_a_while_has_everything_in_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    ran = unbroken("demo", "--duration", "8", "--unplug", "2:5", "--dir", str(folder), cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "the archive's plug is pulled" in ran.stdout
    assert "Station 57-002 is complete on both sides" in ran.stdout
    require_same(folder, {"57-002": folder / "disk"}, cwd=tmp_path)


def test_several_stations_deliver_to_one_archive_and_each_is_complete(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    ran = unbroken("demo", "--stations", "2", "--duration", "8", "--unplug", "2:5", "--dir", str(folder), cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "segment    cam1" not in ran.stdout, "lines of a ledger are shown of one station only"
    disks = {name: folder / name / "disk" for name in ("57-002", "57-003")}
    for name in disks:
        assert f"Station {name} is complete on both sides" in ran.stdout
        assert f"Station {name}, unit" in ran.stdout, "each is verified"
    require_same(folder, disks, cwd=tmp_path)


def test_the_demo_names_what_the_archive_lacks_although_the_station_is_content(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    ran = unbroken("demo", "--duration", "5", "--dir", str(folder), cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    station = DemoStation(
        name="57-002",
        unit="u-0001",
        config=folder / "station.toml",
        root=folder / "root.pem",
        data=folder / "disk",
        run=folder / "run",
    )
    archive = DemoArchive(config=folder / "archive" / "archive.toml", data=folder / "archive" / "data", url="", site="")
    assert look(station, archive).archive is None
    lost, *_ = sorted((archive.data / "cas").glob("??/*"))
    lost.write_bytes(b"other bytes")
    assert look(station, archive).archive == "1 segments are missing or damaged"
    (ledger,) = (archive.data / "ledgers").rglob("*.jws")
    ledger.write_bytes(ledger.read_bytes()[:-1])
    assert look(station, archive).archive == "1 ledgers, where one like the station's was due"


def require_same(folder: Path, disks: dict[str, Path], *, cwd: Path) -> None:
    """The archive has the ledgers and armed segments of these stations, byte for byte, and nothing else."""
    config = str(folder / "archive" / "archive.toml")
    checked = unbroken("archive", "check", "--config", config, cwd=cwd)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    data = folder / "archive" / "data"
    named: set[object] = set()
    for name, disk in disks.items():
        (ledger,) = (data / "ledgers" / name).rglob("*.jws")
        assert ledger.read_bytes() == (disk / "ledger.jws").read_bytes()
        lines = [payload(text) for text in ledger.read_bytes().splitlines()]
        named |= {line["sha256"] for line in lines if line["kind"] == "segment" and line["mode"] == "TEST"}
    assert len(list((data / "ledgers").rglob("*.jws"))) == len(disks)
    assert named == {path.name for path in data.rglob("*") if len(path.name) == 64}


def payload(line: bytes) -> dict[str, object]:
    part = line.split(b".")[1]
    members: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return members


@pytest.mark.parametrize("times", ["5", "9:3", "a:b", "-1:4"])
def test_the_demo_refuses_times_that_are_none(tmp_path: Path, times: str) -> None:
    ran = unbroken("demo", "--duration", "1", f"--unplug={times}", cwd=tmp_path)
    assert ran.returncode == 2
    assert "--unplug takes two times" in ran.stderr


@pytest.mark.parametrize("stations", ["0", "21"])
def test_the_demo_refuses_more_stations_than_make_sense(tmp_path: Path, stations: str) -> None:
    ran = unbroken("demo", "--duration", "1", "--stations", stations, cwd=tmp_path)
    assert ran.returncode == 2
    assert "--stations takes 1 to 20" in ran.stderr
    assert not (tmp_path / "demo").exists()


def test_the_demo_refuses_a_folder_that_exists(tmp_path: Path) -> None:
    ran = unbroken("demo", "--duration", "1", "--dir", str(tmp_path), cwd=tmp_path)
    assert ran.returncode == 2
    assert "exists already" in ran.stderr


def test_the_demo_names_a_video_that_is_missing(tmp_path: Path) -> None:
    ran = unbroken("demo", "--duration", "1", "--camera", "replay:nothing.mp4", cwd=tmp_path)
    assert ran.returncode == 2
    assert "There is no file nothing.mp4" in ran.stderr
    assert not (tmp_path / "demo").exists()
