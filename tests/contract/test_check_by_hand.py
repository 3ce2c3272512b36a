"""The specification suffices: a reader written from it alone judges the vectors as it must."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CASES = ROOT / "tests" / "vectors" / "cases"
READER = ROOT / "docs" / "reference" / "check_by_hand.py"
PAGE = ROOT / "docs" / "reference" / "check_by_hand.md"

WHOLE = (
    "one-camera",
    "two-cameras",
    "camera-added",
    "crash-and-restart",
    "stop-and-start",
    "recovered-after-crash",
    "power-cut",
    "power-cut-recovered",
    "silent-camera",
    "armed-midway",
    "mask-changed",
    "utc-never-known",
    "unknown-members",
    "unknown-kind",
    "longest-line",
    "odd-nanoseconds",
    "pruned-unarmed",
    "receipted",
    "receipted-partly",
    "receipted-unarmed",
    "init-rebuilt",
    "init-missing",
)
FOUND = {
    "media-byte-changed": "not the bytes that were signed",
    "media-missing": "missing",
    "unarmed-missing": "missing",
    "init-changed": "not the bytes that were signed",
    "segment-of-another-camera": "not the bytes that were signed",
    "line-missing": "seq 8 after 6",
    "line-changed": "the signature does not check",
    "signature-of-zeros": "the signature does not check",
    "line-repeated": "seq 6 after 6",
    "line-inserted": "signed by a key that no start line enrolled",
    "key-stale": "signed by a key that no start line enrolled",
    "history-rewritten": "does not follow the line before",
    "header-alg-none": "not the header that the format fixes",
    "line-too-long": "longer than 65,536 bytes",
    "payload-float": "1.5 is not an integer",
    "payload-very-deep": "not JSON",
    "hole": "cam1 goes on at 25.000 s, but stood at 23.000 s",
    "hole-at-close": "cam1 ends at 23.000 s, the record at 25.000 s",
    "overlap": "cam1 goes on at 22.000 s, but stood at 23.000 s",
    "gap-over-segment": "cam1 goes on at 22.000 s, but stood at 23.000 s",
    "head-cut": "the beginning is missing",
    "tail-cut": "open end after seq 8",
    "line-after-close": "a line after the close",
    "certificate-of-an-impostor": "openssl verify",
    "certificate-issued-by-a-unit": "openssl verify",
    "pruned-live": "prunes what must be kept",
    "pruned-unnamed": "prunes what no line names",
    "live-pruned-without-receipt": "prunes what must be kept",
    "receipt-forged": "the receipt is refused: the signature does not check",
    "receipt-changed": "the receipt is refused: the signature does not check",
    "receipt-of-another-station": "the receipt is refused: it is for another unit",
    "receipt-of-another-unit": "the receipt is refused: it is for another unit",
    "receipt-of-another-trusted-election": "the receipt is refused: openssl verify",
    "receipt-by-a-unit": "the receipt is refused: the certificate is for urn:unbroken:sample-2027:unit:57-002:u-0001",
    "receipt-by-an-impostor": "the receipt is refused: openssl verify",
    "receipt-key-expired": "certificate has expired",
    "receipt-names-twice": "the receipt is refused: its media are not as they must be",
    "receipt-does-not-name": "prunes what its receipt does not name",
    "receipt-logged-only": "prunes what its receipt does not name",
    "digest-claimed-twice": "prunes what has the digest of another segment",
    "digest-claimed-again": "prunes what has the digest of another segment",
    "certificate-of-another-station": "the certificate is for urn:unbroken:sample-2027:unit:57-003:u-0001",
}


def read(case: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
    """What the reader says of a case. Python's isolated mode keeps this project out of its reach."""
    command = [sys.executable, "-I", *map(str, (READER, CASES / case / folder, CASES / case / "root.pem"))]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("case", WHOLE)
def test_a_reader_written_from_the_specification_finds_nothing_in_a_good_record(case: str) -> None:
    done = read(case)
    assert done.stdout.endswith("\nnothing is wrong\n"), done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(("case", "problem"), FOUND.items())
def test_a_reader_written_from_the_specification_finds_the_attack(case: str, problem: str) -> None:
    done = read(case)
    assert problem in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1


ARCHIVED = "data/ledgers/57-002/u-0001"


@pytest.mark.parametrize(
    ("case", "covered_s", "at_unit"),
    [("archive-copy", 4, 2), ("archive-copy-unarmed", 0, 1), ("archive-copy-of-a-station", 4, 0)],
)
def test_it_reads_an_archives_folder_from_which_unarmed_video_stays_away(
    case: str, covered_s: int, at_unit: int
) -> None:
    done = read(case, ARCHIVED)
    stays = f"{at_unit} unarmed segments stay at the unit\n" if at_unit else ""
    assert f"cam1: {covered_s}.000 s covered" in done.stdout, done.stdout + done.stderr
    assert done.stdout.endswith(f"\n{stays}nothing is wrong\n"), done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("case", ["archive-lacks-live", "archive-lacks-test", "unarmed-pruned-as-acknowledged"])
def test_it_finds_what_an_archive_lacks(case: str) -> None:
    done = read(case, ARCHIVED)
    assert done.stdout.count(".m4s: missing") == 1, done.stdout + done.stderr
    assert done.returncode == 1


def test_the_reader_needs_nothing_of_this_project() -> None:
    imports = set(re.findall(r"^(?:from|import) (\w+)", READER.read_text("utf-8"), re.MULTILINE))
    assert imports <= sys.stdlib_module_names


def shell_example() -> str:
    """The script on the page."""
    match = re.search(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1]


def run_shell(case: str, segment: str) -> subprocess.CompletedProcess[str]:
    """The page's script, with dash or whatever sh is here."""
    folder = CASES / case
    command = ["sh", "-c", shell_example(), "sh", segment, "root.pem"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_the_shell_example_proves_a_segment() -> None:
    segment = next((CASES / "one-camera").glob("media/*/cam1/0/000001.m4s"))
    done = run_shell("one-camera", str(segment))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Verified OK") == 2
    assert "URI:urn:unbroken:sample-2027:unit:57-002:u-0001" in done.stdout
    assert done.stdout.endswith(
        "camera: cam1\nmode: LIVE\nfrom_ns: 23000000000\nto_ns: 25000000000\nutc_us: 1812254405100000\nerror_us: 4000\n"
    )


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("media-byte-changed", "no line names this file"),
        ("certificate-of-an-impostor", "certificate signature failure"),
    ],
)
def test_the_shell_example_refuses_what_is_not_proven(case: str, says: str) -> None:
    segment = max((CASES / case).glob("media/*/cam1/0/*.m4s"))
    done = run_shell(case, str(segment))
    assert done.returncode != 0
    assert says in done.stdout + done.stderr


def test_the_shell_example_refuses_a_changed_segment_line() -> None:
    segment = max((CASES / "segment-line-changed").glob("media/*/cam1/0/*.m4s"))
    done = run_shell("segment-line-changed", str(segment))
    assert done.returncode != 0
    assert "Verif" in done.stdout
    assert "Verified OK" not in done.stdout
