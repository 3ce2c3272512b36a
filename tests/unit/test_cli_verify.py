"""The command line: verbs, exit codes, what goes where."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.station import Station, authority
from unbroken.cli import main


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    station = Station(authority())
    station.begin()
    station.segments(2)
    station.close()
    (tmp_path / "root.pem").write_bytes(station.authority.root_pem)
    return station.write(tmp_path / "unit")


def test_a_good_record_exits_0(unit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(unit), "--trust", str(unit.parent / "root.pem")]) == 0
    assert capsys.readouterr().out.startswith("Verified")


def test_findings_exit_1_and_what_cannot_be_told_exits_3(unit: Path) -> None:
    assert main(["verify", str(unit)]) == 3
    next(unit.glob("media/*/*/*/000001.m4s")).unlink()
    assert main(["verify", str(unit)]) == 1


def test_wrong_use_exits_2_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.pem").write_text("no certificate")
    for words in (
        [],
        ["no-such-verb"],
        ["verify"],
        ["verify", str(tmp_path / "nothing")],
        ["verify", str(tmp_path), "--trust", str(tmp_path / "x.pem")],
        ["verify", str(tmp_path), "--trust", str(tmp_path / "no.pem")],
        ["verify", str(tmp_path), "--jobs", "0"],
    ):
        assert main(words) == 2
        captured = capsys.readouterr()
        assert captured.err.strip()
        assert "Traceback" not in captured.err


def test_json_is_the_documented_object_and_nothing_else(unit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(unit), "--json", "--jobs", "1"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "unbroken-verdict-1"
    assert answer["verdict"] == "cannot-tell"


def test_a_report_is_written_where_asked(unit: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    main(["verify", str(unit), "--report", str(report)])
    assert "57-002" in report.read_text()


def test_verify_imports_nothing_of_the_station() -> None:
    code = (
        "import sys; from unbroken.cli import main; main(['verify', '-h']); "
        "print([name for name in sys.modules if name.split('.')[0] in ('appliance', 'provisioning', 'av', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
