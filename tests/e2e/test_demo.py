"""The first thing that a newcomer does."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

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
    assert "Complete: the archive holds all" in ran.stdout
    config = str(folder / "archive" / "archive.toml")
    checked = unbroken("archive", "check", "--config", config, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (ledger,) = (folder / "archive" / "data" / "ledgers").rglob("*.jws")
    assert ledger.read_bytes() == (folder / "disk" / "ledger.jws").read_bytes()
    named = {
        line["sha256"]
        for line in map(payload, ledger.read_bytes().splitlines())
        if line["kind"] == "segment" and line["mode"] == "TEST"
    }
    held = {path.name for path in (folder / "archive" / "data").rglob("*") if len(path.name) == 64}
    assert named == held


def payload(line: bytes) -> dict[str, object]:
    part = line.split(b".")[1]
    members: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return members


@pytest.mark.parametrize("times", ["5", "9:3", "a:b", "-1:4"])
def test_the_demo_refuses_times_that_are_none(tmp_path: Path, times: str) -> None:
    ran = unbroken("demo", "--duration", "1", f"--unplug={times}", cwd=tmp_path)
    assert ran.returncode == 2
    assert "--unplug takes two times" in ran.stderr


def test_the_demo_refuses_a_folder_that_exists(tmp_path: Path) -> None:
    ran = unbroken("demo", "--duration", "1", "--dir", str(tmp_path), cwd=tmp_path)
    assert ran.returncode == 2
    assert "exists already" in ran.stderr


def test_the_demo_names_a_video_that_is_missing(tmp_path: Path) -> None:
    ran = unbroken("demo", "--duration", "1", "--camera", "replay:nothing.mp4", cwd=tmp_path)
    assert ran.returncode == 2
    assert "There is no file nothing.mp4" in ran.stderr
    assert not (tmp_path / "demo").exists()
