"""The first thing that a newcomer does."""

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


def test_the_demo_refuses_a_folder_that_exists(tmp_path: Path) -> None:
    ran = unbroken("demo", "--duration", "1", "--dir", str(tmp_path), cwd=tmp_path)
    assert ran.returncode == 2
    assert "exists already" in ran.stderr


def test_the_demo_names_a_video_that_is_missing(tmp_path: Path) -> None:
    ran = unbroken("demo", "--duration", "1", "--camera", "replay:nothing.mp4", cwd=tmp_path)
    assert ran.returncode == 2
    assert "There is no file nothing.mp4" in ran.stderr
    assert not (tmp_path / "demo").exists()
