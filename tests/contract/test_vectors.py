"""The verifier gives every vector's answer: verdict, exit code, codes, and the intervals where they are given."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audit.verify import verify
from evidence.certificate import Trust
from evidence.verify.verdict import EXITS, Verdict

FOLDER = Path(__file__).parent.parent / "vectors" / "cases"
NAMES = sorted(path.name for path in FOLDER.iterdir())
# One for each exit code and each kind of argument; each starts a process.
BY_COMMAND = (
    "one-camera",
    "revoked-later",
    "tail-lost",
    "two-roots",
    "line-changed",
    "certificate-revoked",
    "no-trust",
    "ledger-alone",
    "segment-alone",
    "tail-cut",
)


def load(name: str) -> Any:
    """``case.json``."""
    return json.loads((FOLDER / name / "case.json").read_text("utf-8"))


def compare(case: Any, answer: Any) -> None:
    """What tests/vectors/README.md says to compare."""
    expected = case["expected"]
    found = [finding for record in answer["records"] for finding in record["findings"]]
    said = [f"{finding['code']}: {finding['message']}" for finding in found]
    assert sorted({finding["code"] for finding in found}) == expected["codes"], said
    assert answer["verdict"] == expected["verdict"]
    assert answer["schema"] == "unbroken-verdict-1"
    if "cameras" in expected:
        (record,) = answer["records"]
        assert {camera["camera"]: shorten(camera) for camera in record["cameras"]} == expected["cameras"]


def shorten(camera: Any) -> Any:
    """A camera's answer, as far as the vectors go."""
    gaps = [{"cause": gap["cause"], "duration_ms": list(gap["duration_ms"])} for gap in camera["gaps"]]
    held = {"held_ms": list(camera["held_ms"])} if camera["held_ms"] != [0, 0] else {}
    return {"covered_ms": list(camera["covered_ms"]), **held, "missing_ms": list(camera["missing_ms"]), "gaps": gaps}


@pytest.mark.parametrize("name", NAMES)
def test_the_verifier_gives_the_expected_answer(name: str) -> None:
    case, folder = load(name), FOLDER / name
    arguments = case["arguments"]
    trust = Trust.from_pem(*((folder / path).read_bytes() for path in [*arguments["trust"], *arguments["crl"]]))
    answer = verify([folder / path for path in arguments["paths"]], trust=trust)
    compare(case, json.loads(json.dumps(answer)))
    assert EXITS[Verdict(str(answer["verdict"]))] == case["expected"]["exit"]


@pytest.mark.parametrize("name", BY_COMMAND)
def test_the_command_gives_the_expected_answer_and_exit_code(name: str) -> None:
    case = load(name)
    arguments = case["arguments"]
    command = [sys.executable, "-m", "unbroken", "verify", "--json", *arguments["paths"]]
    for option in ("trust", "crl"):
        command += [word for path in arguments[option] for word in (f"--{option}", path)]
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parent.parent.parent)}
    done = subprocess.run(
        command, cwd=FOLDER / name, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == case["expected"]["exit"], done.stderr
    compare(case, json.loads(done.stdout))


def test_the_commands_cover_every_exit_code_and_option() -> None:
    cases = [load(name) for name in BY_COMMAND]
    assert {case["expected"]["exit"] for case in cases} == {0, 1, 3}
    assert any(case["arguments"]["crl"] for case in cases)
    assert any(len(case["arguments"]["paths"]) > 1 for case in cases)
