"""A snapshot and the lines behind it give the state that all lines give; and it counts only where its line stands."""

import json
import random
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.replay import replay
from appliance.ledger.snapshot import read_snapshot, seal, write_snapshot
from appliance.ledger.state import LedgerState
from evidence.words import Mode
from tests.fakes.stepped import SteppedStation


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A day in short, with all that a state remembers."""
    station = SteppedStation(tmp_path_factory.mktemp("unit") / "unit", cameras=("cam1", "cam2"))
    station.start()
    station.run(20)
    station.lose_power(random.Random(3))
    station.start()
    station.run(40)
    station.disk.room_bytes = 0
    station.run(0.3)
    station.disk.room_bytes = None
    station.run(9)
    station.arm()
    station.run(15)
    station.kill()
    station.start()
    station.run(5)
    station.stop()
    return station.layout.ledger.read_bytes()


def _members(snapshot: bytes) -> dict[str, object]:
    members: dict[str, object] = json.loads(snapshot.partition(b"\n")[2])
    return members


def _sealed(members: dict[str, object]) -> bytes:
    return seal(json.dumps(members).encode())


def _ends(ledger: bytes) -> list[int]:
    return [at + 1 for at, byte in enumerate(ledger) if byte == 10]


def test_whatever_line_it_was_made_at_it_gives_the_same_state(ledger: bytes) -> None:
    whole = replay(BytesIO(ledger))
    assert whole.unarmed
    assert whole.last_pruned
    assert whole.mode is Mode.TEST
    for end in _ends(ledger):
        snapshot = write_snapshot(replay(BytesIO(ledger[:end])))
        known = read_snapshot(snapshot, BytesIO(ledger))
        assert known == replay(BytesIO(ledger[:end]))
        state = replay(BytesIO(ledger), known)
        assert state == whole
        assert list(state.unarmed) == list(whole.unarmed), "in the order of recording"


def test_a_torn_tail_behind_it_is_found(ledger: bytes) -> None:
    known = read_snapshot(write_snapshot(replay(BytesIO(ledger))), BytesIO(ledger))
    assert replay(BytesIO(ledger + b"torn"), known).torn_bytes == 4


def test_it_counts_only_where_its_last_line_stands(ledger: bytes) -> None:
    ends = _ends(ledger)
    snapshot = write_snapshot(replay(BytesIO(ledger[: ends[20]])))
    assert read_snapshot(snapshot, BytesIO(ledger[: ends[19]])) is None
    assert read_snapshot(snapshot, BytesIO(ledger[: ends[20] - 1])) is None
    changed = bytearray(ledger)
    changed[ends[20] - 30] ^= 1
    assert read_snapshot(snapshot, BytesIO(bytes(changed))) is None
    assert read_snapshot(snapshot, BytesIO(b"")) is None


def test_one_of_another_version_is_passed_over(ledger: bytes) -> None:
    members = _members(write_snapshot(replay(BytesIO(ledger))))
    assert read_snapshot(_sealed(members), BytesIO(ledger)) is not None
    assert read_snapshot(_sealed({**members, "version": 1}), BytesIO(ledger)) is None


def test_a_card_that_changes_a_digit_makes_it_none(ledger: bytes) -> None:
    snapshot = write_snapshot(replay(BytesIO(ledger)))
    at = snapshot.index(b'"covered_ns":') + len(b'"covered_ns":')
    changed = bytearray(snapshot)
    changed[at + 1] ^= 1
    assert json.loads(changed.partition(b"\n")[2])
    assert read_snapshot(bytes(changed), BytesIO(ledger)) is None


@given(st.binary(max_size=60) | st.just(b"[" * 50_000) | st.just(b'{"version": 2}'))
def test_rubbish_is_no_snapshot(data: bytes) -> None:
    assert read_snapshot(data, BytesIO(b"")) is None
    assert read_snapshot(seal(data), BytesIO(b"")) is None


@given(st.data())
def test_one_with_anything_in_a_member_is_none_or_is_of_this_ledger(ledger: bytes, data: st.DataObject) -> None:
    members = _members(write_snapshot(replay(BytesIO(ledger))))
    name = data.draw(st.sampled_from(sorted(members)))
    members[name] = data.draw(st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3))
    state = read_snapshot(_sealed(members), BytesIO(ledger))
    assert state is None or state.prev == replay(BytesIO(ledger)).prev


def test_a_start_reads_no_line_that_its_snapshot_knows(tmp_path: Path) -> None:
    station = SteppedStation(tmp_path / "unit")
    station.start()
    station.run(20)
    station.stop()
    lines = station.layout.ledger.read_bytes().splitlines(keepends=True)
    # Something far back that a full reading would stumble over.
    lines[2] = b"!" * (len(lines[2]) - 1) + b"\n"
    station.layout.ledger.write_bytes(b"".join(lines))
    station.kill()
    station.start()
    assert station.session.state.damages == 0
    station.layout.snapshot.unlink()
    station.kill()
    station.start()
    assert station.session.state.damages == 1


def test_a_snapshot_of_an_older_state_of_the_disk_is_caught_up_with(tmp_path: Path) -> None:
    station = SteppedStation(tmp_path / "unit")
    station.start()
    station.run(5)
    station.stop()
    old = station.layout.snapshot.read_bytes()
    station.start()
    station.run(30)
    station.kill()
    station.layout.snapshot.write_bytes(old)
    expected = replay(BytesIO(station.layout.ledger.read_bytes()))
    with station.layout.ledger.open("rb") as file:
        known = read_snapshot(old, file)
        assert known is not None
        assert replay(file, known) == expected


def test_an_empty_state_can_be_kept() -> None:
    state = LedgerState()
    assert read_snapshot(write_snapshot(state), BytesIO(b"")) is None
    assert replace(state) == state
