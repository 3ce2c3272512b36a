"""What a kill and a power cut cost a real recorder, as its fault suites measure it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.row import Row

ROOT = Path(__file__).parents[1]
FULL, SHORT = 200, 20
ENCODER_S = 0.067
"""What libx264 holds in this configuration: the picture that it works on, at 15 a second."""


def measure(folder: Path, *, full: bool = False) -> list[Row]:
    """The suites with so many kills and cuts; ``folder`` is not needed."""
    number = FULL if full else SHORT
    kills = _run("tests/faults/test_kills.py", "kills", KILLS=number)
    cuts = _run("tests/faults/test_power_cuts.py", "power_cuts", POWER_CUTS=number)
    window, sync = cuts["window_of_loss_ms"], cuts["sync_ms"]
    return [
        _row(
            f"video lost by a kill, worst of {kills['kills']}",
            kills["lost_ms"],
            note=f"promised: 0.5 s and what the encoder holds, {ENCODER_S} s, and the moment of the signal",
            target=int(str(kills["promised_ms"])) / 1000,
        ),
        _row(
            f"video lost by a power cut, worst of {cuts['cuts']}",
            cuts["lost_ms"],
            note=f"from commit to commit {window['median'] / 1000:.2f} s, worst {window['worst'] / 1000:.2f} s; a sync"
            f" takes {sync['median']} ms, worst {sync['worst']} ms; at most {cuts['beyond_window_ms']} ms more than the"
            " window were lost",
        ),
    ]


def _row(name: str, lost_ms: dict[str, int], *, note: str, target: float | None = None) -> Row:
    return Row(
        name=name,
        value=lost_ms["worst"] / 1000,
        unit="s",
        target=target,
        note=f"median {lost_ms['median'] / 1000:.2f} s; {note}",
    )


def _run(suite: str, name: str, **count: int) -> dict[str, dict[str, int]]:
    environment = {**os.environ, **{key: str(value) for key, value in count.items()}}
    command = [sys.executable, "-m", "pytest", "-q", suite, "-m", "faults or not faults", "--timeout", "3600"]
    subprocess.run(command, check=True, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
    measured: dict[str, dict[str, int]] = json.loads((ROOT / f".cache/faults/{name}.json").read_bytes())
    return measured
