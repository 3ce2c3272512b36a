"""The power goes while a real recorder records on ext4: what the disk then holds is mounted, continued and checked."""

import json
import os
import random
import secrets
import signal
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.pipeline import ROUND_NS
from audit.verify import verify
from evidence.certificate import Trust
from evidence.lines import line_hash
from tests.fakes.checker import Checked, Json
from tests.fakes.loopdisk import Mounted, btrfs, copy, ext4, mounted
from tests.fakes.process import BOTH, Recorder, boot_ns, codes, elsewhere
from unbroken.demo_station import DemoStation, make_station

pytestmark = pytest.mark.faults

POWER_CUTS = int(os.environ.get("POWER_CUTS", "30"))
CAMERAS = ("cam1", "cam2")
SECOND = 1_000_000_000
OPEN_NS = SECOND // 2 + 2 * SECOND // 15
"""Pictures that no file holds yet: a fragment of at most half a second with the picture that ends it, and one in the
encoder."""
ALLOWED_NS = 2 * SECOND
"""The round under way may take longer than the one before, whose length the status tells; others use the machine."""
REPORT = Path(__file__).parents[2] / ".cache" / "faults" / "power_cuts.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One power cut: the disk as it was, when, and what the recorder had published until then."""

    image: Path
    at_ns: int
    head: Json
    status: Json


@pytest.fixture
def medium(tmp_path: Path) -> Iterator[Path]:
    with btrfs(tmp_path, size_mib=8192) as medium:
        yield medium


@pytest.fixture
def disk(medium: Path) -> Iterator[Mounted]:
    with ext4(medium, size_mib=1024) as disk:
        yield disk


@pytest.fixture
def recorder(tmp_path: Path, disk: Mounted) -> Iterator[Recorder]:
    made = make_station(tmp_path / "made", ["pattern"] * len(CAMERAS), size=(320, 180))
    recorder = Recorder(elsewhere(made, tmp_path / "unit", disk.at / "record"))
    prepared = recorder.verb("init")
    assert prepared.returncode == 0, prepared.stderr
    yield recorder
    recorder.stop()


def cut(recorder: Recorder, disk: Mounted, image: Path) -> Cut:
    """What was published before the cut must be on the disk; so it is read first."""
    status, head = recorder.published(), json.loads((recorder.station.run / "head.json").read_bytes())
    at_ns = boot_ns()
    copy(disk.image, image)
    return Cut(image=image, at_ns=at_ns, head=head, status=status)


def continued(station: DemoStation, data: Path, folder: Path) -> tuple[Checked, set[str]]:
    """The record after a new recorder, in another kernel boot, has gone on with it for a moment."""
    program = ("-m", "tests.fakes.altered", "--boot", secrets.token_hex(16))
    after = Recorder(elsewhere(station, folder, data), program=program)
    try:
        after.start()
        assert after.end(signal.SIGTERM) == 0
    finally:
        after.stop()
    return after.check(), codes(verify([data], trust=Trust.from_pem(station.root.read_bytes())))


def lost_ns(checked: Checked, camera: str, before: Cut) -> int:
    """From the end of what the disk covers to the cut."""
    second = checked.kinds("start")[1]
    own = [line for line in checked.kinds("segment") if _int(line["seq"]) < _int(second["seq"])]
    ends = [_int(line["to_ns"]) for line in [*own, *checked.kinds("recovered")] if line["camera"] == camera]
    return max(0, before.at_ns - max(ends))


@pytest.mark.timeout(120 + 15 * POWER_CUTS)
def test_after_a_power_cut_what_was_committed_is_there_and_one_window_is_lost(
    recorder: Recorder, disk: Mounted, medium: Path, tmp_path: Path
) -> None:
    chance = random.Random(2029)
    recorder.start()
    recorder.record(1)
    assert recorder.verb("arm", pins=BOTH).returncode == 0
    cuts, losses = list[Cut](), list[int]()
    for number in range(POWER_CUTS):
        # It records all the time, also while the disk of the last cut is examined.
        recorder.stay(chance.uniform(0.2, 1.2))
        each = cut(recorder, disk, medium / f"cut-{number}.img")
        cuts.append(each)
        with mounted(each.image, tmp_path / "after") as after:
            checked, found = continued(recorder.station, after.at / "record", tmp_path / f"unit-{number}")
        assert found <= {"open-end", "media-unnamed"}
        # Whatever left the unit, or could have, is there. The checker has read the media of every line.
        assert line_hash(checked.texts[_int(each.head["seq"])]) == each.head["sha256"]
        first, second = checked.kinds("start")
        assert (first["ended"], second["ended"]) == ("none", "power")
        for camera in CAMERAS:
            gaps = [gap for gap in checked.kinds("gap") if gap["camera"] == camera]
            assert [gap["cause"] for gap in gaps if "from_boot" in gap] == ["power"]
            assert {gap["cause"] for gap in gaps if "from_boot" not in gap} <= {"starting", "stopped"}
            lost = lost_ns(checked, camera, each)
            assert lost <= window_ns(each) + OPEN_NS + ALLOWED_NS
            losses.append(lost)
        each.image.unlink()
    report(losses, cuts)


def window_ns(before: Cut) -> int:
    """From one commit to the next, as published or as the next one is due, and the sync during which pictures wait."""
    published_ns = _int(before.status["window_of_loss_ms"]) * 1_000_000
    return max(published_ns, ROUND_NS) + _int(before.status["sync_ms"]) * 1_000_000


def report(losses: list[int], cuts: list[Cut]) -> None:
    """What was measured, for people."""
    lost_ms = [ns // 1_000_000 for ns in losses]
    found = {
        "cuts": len(cuts),
        "cameras": len(CAMERAS),
        "lost_ms": {"worst": max(lost_ms), "median": round(statistics.median(lost_ms)), "all": sorted(lost_ms)},
        "beyond_window_ms": max(
            lost - window_ns(before) // 1_000_000
            for number, lost in enumerate(lost_ms)
            for before in [cuts[number // len(CAMERAS)]]
        ),
    }
    for name in ("window_of_loss_ms", "sync_ms"):
        values = [_int(each.status[name]) for each in cuts]
        found[name] = {"worst": max(values), "median": round(statistics.median(values))}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
