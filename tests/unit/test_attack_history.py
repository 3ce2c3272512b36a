"""Whoever keeps a copy cuts, repeats, reorders and mixes genuine lines, and takes media away."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from audit.verify import verify
from evidence.certificate import Trust
from evidence.verify.keyring import check_signatures
from evidence.verify.media import ExpectedInit
from evidence.verify.record import Record
from evidence.verify.verifier import Verifier
from evidence.words import Cause, Mode
from tests.fakes.station import SECOND, Station, authority

TRUST = Trust.from_pem(authority().root_pem)


def genuine() -> tuple[Station, list[bytes]]:
    """A closed day with a restart, a reboot and an armed event, and a lawful branch that a power cut left behind."""
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    station.arm()
    station.segments(3)
    station.start("crash")
    station.gap(to_ns=station.boot_ns, cause=Cause.CRASH)
    station.run()
    station.segments(2)
    station.event("opened")
    lost = [*station.lines]
    station.lines.pop()
    ended = station.reboot()
    station.start("power")
    station.gap(to_ns=station.boot_ns, cause=Cause.POWER, from_boot=ended)
    station.run()
    station.segments(2)
    station.close()
    return station, lost


def verdict(lines: Sequence[bytes]) -> str:
    record = Record()
    verifier = Verifier(TRUST, record)
    for text in lines:
        opened = verifier.open(text)
        good = check_signatures([opened.check])[0] if opened.check is not None else True
        for task in verifier.take(opened, good):
            record.settle(task, ())
            assert isinstance(task.expected, ExpectedInit) or task.expected.segment.mode in Mode
    verifier.finish()
    record.finish()
    weights = {finding.weight.value for finding in record.findings.all()}
    return "findings" if "wrong" in weights else "cannot-tell" if "open" in weights else "verified"


def test_the_genuine_lines_are_verified() -> None:
    station, _ = genuine()
    assert verdict(station.lines) == "verified"


def test_no_cut_of_the_end_passes_for_closed() -> None:
    station, _ = genuine()
    for length in range(1, len(station.lines)):
        assert verdict(station.lines[:length]) == "cannot-tell", length


def test_no_line_can_be_left_out_or_repeated_or_exchanged_with_its_neighbour() -> None:
    station, _ = genuine()
    lines = station.lines
    for at in range(len(lines)):
        assert verdict(lines[:at] + lines[at + 1 :]) != "verified", at
        assert verdict(lines[: at + 1] + lines[at:]) == "findings", at
        if at:
            assert verdict([*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]]) == "findings", at


@pytest.mark.parametrize("seed", range(150))
def test_no_mixture_of_genuine_lines_passes_or_crashes(seed: int) -> None:
    station, lost = genuine()
    chance = random.Random(seed)
    other = Station(authority(), station="57-003", seed="other", media=False)
    other.begin()
    other.segments(2)
    other.close()
    lines = [*station.lines]
    for _ in range(chance.randint(1, 4)):
        at, to = sorted(chance.choices(range(len(lines) + 1), k=2))
        source = chance.choice((station.lines, lost, other.lines))
        begin, end = sorted(chance.choices(range(len(source) + 1), k=2))
        lines[at:to] = source[begin:end]
    whole = lines == station.lines or lines == other.lines
    assert (verdict(lines) == "verified") == whole


def test_another_units_close_does_not_close_a_record() -> None:
    station, _ = genuine()
    other = Station(authority(), station="57-003", seed="other", media=False)
    other.begin()
    other.close()
    assert verdict([*station.lines[:-1], other.lines[-1]]) == "findings"


def test_a_branch_that_was_cut_beside_a_closed_one_is_still_open(tmp_path: Path) -> None:
    station = Station(authority())
    station.begin()
    station.arm()
    station.segments(2)
    held = [*station.lines], {name: state.end_ns for name, state in station.cameras.items()}
    station.close()
    closed = station.ledger
    station.lines = held[0]
    station.boot_ns += SECOND
    station.start("crash")
    station.gap(cause=Cause.CRASH)
    station.run()
    station.segments(3)
    station.write(tmp_path)
    (tmp_path / "from-the-archive.jws").write_bytes(closed)
    answer: dict[str, Any] = verify([tmp_path], trust=TRUST)
    (record,) = answer["records"]
    assert (answer["verdict"], record["closed"]) == ("cannot-tell", False)
    assert {finding["code"] for finding in record["findings"]} == {"tail-lost", "open-end"}


def test_a_third_copy_does_not_hide_that_two_contradict(tmp_path: Path) -> None:
    station = Station(authority())
    station.begin()
    station.segments(2)
    held = [*station.lines]
    for number, phase in enumerate(("opened", "closed")):
        station.lines = [*held]
        station.event(phase)
        (tmp_path / f"{number}.jws").write_bytes(station.ledger)
    station.lines = [*held]
    station.boot_ns += SECOND
    station.start("crash")
    station.gap(cause=Cause.CRASH)
    station.run()
    station.segments(2)
    station.close()
    station.write(tmp_path)
    answer: dict[str, Any] = verify([tmp_path], trust=TRUST)
    assert "equivocation" in {finding["code"] for record in answer["records"] for finding in record["findings"]}
