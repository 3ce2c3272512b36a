"""What the benchmark of kills makes of pictures, lives and holes."""

import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.kill_camera import read_number, read_pictures, write_number
from bench.kill_peers import KILLS, End, Life, Outcome, endure, explained, first_picture_s, judge, lost_s, rows
from bench.kill_systems import Hole

SECOND = 1_000_000_000


@dataclass
class Shell:
    """A recorder that is another shell command in each life."""

    folder: Path
    commands: list[str]
    name: str = "shell"

    def start(self, life: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(["sh", "-c", self.commands[life]], cwd=self.folder)

    def files(self) -> set[Path]:
        return set(self.folder.iterdir())

    def finish(self, process: "subprocess.Popen[bytes]") -> None:
        process.terminate()
        process.wait()

    def taken_ns(self, path: Path) -> list[int]:
        return []

    def holes(self) -> list[Hole]:
        return []

    def said(self) -> str:
        return "what it said"


LIFE = Life(start_ns=10 * SECOND, file_ns=11 * SECOND, end_ns=15 * SECOND, end=End.KILLED)


def _outcome(name: str, *, unreadable: int = 0, told: int = 0) -> Outcome:
    return Outcome(
        name=name,
        lost_s=(1.0, 2.0, 4.0),
        first_picture_s=0.5,
        files=9,
        unreadable=unreadable,
        explained=told,
        own_ends=0,
    )


@pytest.mark.parametrize("number", [0, 1, 0x5555, 0xFFFE])
def test_a_number_on_a_picture_is_read_back_through_noise(number: int) -> None:
    luma = np.full((240, 320), 90, dtype=np.uint8)
    write_number(luma, number)
    noise = np.random.default_rng(7).integers(-40, 41, luma.shape)
    assert read_number(np.clip(luma + noise, 0, 255).astype(np.uint8)) == number


@pytest.mark.parametrize("brightness", [0, 16, 128, 255])
def test_a_picture_without_a_number_has_none(brightness: int) -> None:
    assert read_number(np.full((240, 320), brightness, dtype=np.uint8)) is None


@pytest.mark.parametrize("content", [b"", b"\0" * 48, b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"])
def test_a_file_that_is_no_video_has_no_pictures(content: bytes) -> None:
    assert read_pictures(io.BytesIO(content)) == []


def test_seconds_lost_count_from_the_last_picture_of_that_life() -> None:
    assert lost_s(LIFE, [9 * SECOND, 12 * SECOND, 14 * SECOND, 16 * SECOND]) == 1


def test_a_life_without_a_picture_is_lost_from_its_first_file_on() -> None:
    assert lost_s(LIFE, [9 * SECOND, 16 * SECOND]) == 4


def test_the_time_before_the_first_picture_is_counted_from_the_start_of_the_process() -> None:
    assert first_picture_s(LIFE, [13 * SECOND, 12 * SECOND, 9 * SECOND]) == [2]
    assert first_picture_s(LIFE, [9 * SECOND]) == []


def test_a_kill_is_explained_only_by_a_crash_told_around_it() -> None:
    holes = [
        Hole(from_ns=10, to_ns=20, cause="crash"),
        Hole(from_ns=30, to_ns=40, cause="starting"),
        Hole(from_ns=50, to_ns=60, cause="crash"),
    ]
    assert explained(holes, [15, 35, 60]) == 1
    assert explained([], [15]) == 0


def test_the_rows_hold_this_recorder_to_its_promise_and_put_the_others_beside_it() -> None:
    good = rows([_outcome("ours", told=KILLS), _outcome("theirs", unreadable=3)])
    assert [row.value for row in good] == [2.0, 2.0, 0, KILLS]
    assert all(row.met for row in good)
    assert good[1].ratio == 1
    assert good[2].note == "theirs: 3 of 9"
    bad = rows([_outcome("ours", unreadable=1, told=KILLS - 1), _outcome("theirs")])
    assert [row.met for row in bad] == [True, True, False, False]


def test_a_life_that_ends_by_itself_is_lived_again_and_is_no_kill(tmp_path: Path) -> None:
    shell = Shell(tmp_path, ["touch 0", "touch 1; exec sleep 60", "touch 2; exec sleep 60"])
    lives = endure(shell, [1], last_s=0)
    assert [life.end for life in lives] == [End.BY_ITSELF, End.KILLED, End.IN_ORDER]
    outcome = judge(shell, lives)
    assert (len(outcome.lost_s), outcome.own_ends, outcome.files, outcome.unreadable) == (1, 1, 3, 3)


def test_a_recorder_that_keeps_ending_by_itself_is_an_error(tmp_path: Path) -> None:
    shell = Shell(tmp_path, [f"touch {life}" for life in range(9)])
    with pytest.raises(RuntimeError, match="keeps ending by itself: what it said"):
        endure(shell, [60])


def test_a_recorder_that_writes_nothing_is_an_error_that_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="wrote nothing in life 0: what it said"):
        endure(Shell(tmp_path, ["true"]), [60])
