"""No decoder crashes, hangs or eats memory, whatever it is given: each under atheris for a bounded time."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FINDINGS = REPOSITORY / ".cache/fuzz"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))
START_S = 60
NAMES = (
    "line",
    "json",
    "ledger-line",
    "identity",
    "certificates",
    "roots",
    "profile",
    "receipt",
    "media",
    "stream",
    "config",
    "pins",
    "request",
    "record",
    "clip",
    "card",
    "file-system",
    "signed-record",
    "answer",
    "receipt-entry",
    "upload-lines",
    "upload-signed-lines",
    "upload-media",
    "upload-forms",
    "archive-folder",
    "archive-config",
    "list-addresses",
)

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.timeout(SECONDS + 2 * START_S),
    pytest.mark.skipif(platform.machine() != "x86_64", reason=f"atheris has no wheel for {platform.machine()}"),
]


@pytest.mark.parametrize("name", NAMES)
def test_no_input_brings_a_decoder_down(name: str, tmp_path: Path) -> None:
    found = FINDINGS / name
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    command = [sys.executable, "-m", "tests.fuzz.harness", name]
    command += [f"-max_total_time={SECONDS}", f"-artifact_prefix={found}/"]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + START_S,
        check=False,
    )
    inputs = [str(path.relative_to(REPOSITORY)) for path in sorted(set(found.iterdir()) - before)]
    assert done.returncode == 0, f"input kept as {inputs}:\n{done.stdout[-3000:]}\n{done.stderr[-1000:]}"
    assert "Done " in done.stderr


def test_every_target_is_fuzzed() -> None:
    from tests.fuzz.targets import TARGETS

    assert set(NAMES) == set(TARGETS)


def test_a_decoder_that_raises_is_noticed(tmp_path: Path) -> None:
    """The net itself: a target that refuses one byte must end with a status and leave the input."""
    script = tmp_path / "broken.py"
    script.write_text(
        "import sys, atheris\n"
        "def take(data: bytes) -> None:\n"
        "    if data[:1] == b'x':\n"
        "        raise KeyError('escaped')\n"
        "atheris.Setup(sys.argv, take)\n"
        "atheris.Fuzz()\n"
    )
    command = [sys.executable, str(script), "-max_total_time=20", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode != 0
    assert list(tmp_path.glob("crash-*"))
