"""The verifier in JavaScript gives every vector's answer in Node, by the same comparison as the one in Python."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_vectors import BY_COMMAND, FOLDER, NAMES, compare, load

VERIFIER = Path(__file__).parents[2] / "archive" / "site" / "verifier"


def node(*arguments: str, cwd: Path = FOLDER, said: str = "") -> subprocess.CompletedProcess[str]:
    """One run of Node."""
    program = shutil.which("node")
    if program is None:
        pytest.fail("node is missing; install it with: tools/setup test")
    command = [program, *arguments]
    return subprocess.run(command, cwd=cwd, input=said, capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture(scope="module")
def answers() -> Mapping[str, Any]:
    """The answer to each case, all from one process."""
    cases = [{"folder": str(FOLDER / name), **load(name)["arguments"]} for name in NAMES]
    done = node(str(VERIFIER / "many.mjs"), said="".join(json.dumps(case) + "\n" for case in cases))
    assert done.returncode == 0, done.stderr
    return dict(zip(NAMES, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_the_verifier_in_javascript_gives_the_expected_answer(name: str, answers: Mapping[str, Any]) -> None:
    compare(load(name), answers[name])


@pytest.mark.parametrize("name", BY_COMMAND)
def test_its_command_gives_the_expected_answer_and_exit_code(name: str) -> None:
    case = load(name)
    arguments = case["arguments"]
    options = [word for option in ("trust", "crl") for path in arguments[option] for word in (f"--{option}", path)]
    done = node(str(VERIFIER / "cli.mjs"), "--json", *arguments["paths"], *options, cwd=FOLDER / name)
    assert done.returncode == case["expected"]["exit"], done.stderr
    compare(case, json.loads(done.stdout))


@pytest.mark.parametrize("path", ["case.json", "root.pem", "nowhere", "--unknown"])
def test_its_command_says_what_is_wrong_use(path: str) -> None:
    done = node(str(VERIFIER / "cli.mjs"), "--json", path, cwd=FOLDER / "one-camera")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_its_modules_ask_for_nothing_that_only_node_or_only_a_browser_has() -> None:
    for path in VERIFIER.glob("*.js"):
        text = path.read_text("utf-8")
        for word in ("node:", "Buffer.", "process.", "window.", "document.", "require("):
            assert word not in text, f"{word} in {path.name}"
