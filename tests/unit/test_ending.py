"""What is concluded about the end of a session, from which evidence."""

from pathlib import Path

import pytest

from appliance.ending import (
    SERVICE_RESULTS,
    Ending,
    Traces,
    clear_traces,
    how_it_ended,
    leave_result,
    leave_trace,
    take_traces,
)
from appliance.ledger.state import ENDINGS, LedgerState
from appliance.upkeep.hardware import LastReset
from appliance.upkeep.ladder import Rung
from evidence.lines import Body, Event, Line, Stamp, Start
from evidence.words import Cause

HERE, THERE = "a" * 32, "b" * 32
QUIET = LastReset(by_watchdog=False, by_panic=False)
NOTHING = Traces(dying=None, result=None, last_reset=QUIET)


def _state(*events: Event) -> LedgerState:
    """A session in boot ``HERE`` whose last lines are ``events``."""
    state = LedgerState()
    start = Start(
        election="e",
        station="s",
        unit="u",
        boot_id=HERE,
        session=b"\4" * 65,
        certs=(b"der",),
        cameras=("cam1",),
        software="test",
        ended="none",
        evidence={},
    )
    bodies: list[Body] = [start, *events]
    for seq, body in enumerate(bodies):
        stamp = Stamp(boot_ns=seq, utc_us=None, error_us=None)
        state.apply(Line(seq=seq, prev="", stamp=stamp, body=body))
    return state


def _how(state: LedgerState, boot_id: str, traces: Traces = NOTHING) -> tuple[str, Cause]:
    ending = how_it_ended(state, boot_id, traces)
    return ending.ended, ending.cause


def test_before_the_first_session_there_was_none() -> None:
    assert how_it_ended(LedgerState(), HERE, NOTHING) == Ending(ended="none", cause=Cause.UNKNOWN, evidence={})
    assert _how(LedgerState(torn_bytes=3), HERE) == ("unknown", Cause.UNKNOWN)


def test_in_the_same_boot_without_a_last_word_it_crashed_in_another_the_power_went() -> None:
    assert _how(_state(), HERE) == ("crash", Cause.CRASH)
    assert _how(_state(), THERE) == ("power", Cause.POWER)
    evidence = how_it_ended(_state(), THERE, NOTHING).evidence
    assert evidence == {"boot_id_before": HERE, "last_line_boot_ns": 0}


def test_an_orderly_end_is_one_in_any_boot() -> None:
    assert _how(_state(Event(event="stopped")), HERE) == ("stopped", Cause.STOPPED)
    assert _how(_state(Event(event="stopped")), THERE) == ("stopped", Cause.STOPPED)


@pytest.mark.parametrize("rung", Rung)
def test_a_rung_of_the_ladder_is_the_cameras_doing(rung: Rung) -> None:
    assert rung in ENDINGS
    assert _how(_state(Event(event=rung)), HERE) == (rung, Cause.CAMERA)


def test_a_reboot_that_was_asked_for_is_no_power_cut_but_a_cut_after_a_process_restart_is() -> None:
    assert _how(_state(Event(event="reboot")), THERE) == ("reboot", Cause.CAMERA)
    assert _how(_state(Event(event="process-restart")), THERE) == ("power", Cause.POWER)


def test_a_machine_that_was_too_hot_when_it_was_switched_off_in_good_order_went_for_heat() -> None:
    hot = Event(event="thermal", data={"too_hot": 1, "milli_c": 91_000})
    assert _how(_state(hot, Event(event="stopped")), THERE) == ("stopped", Cause.THERMAL)
    cool = Event(event="thermal", data={"too_hot": 0, "milli_c": 60_000})
    assert _how(_state(hot, cool, Event(event="stopped")), THERE) == ("stopped", Cause.STOPPED)


@pytest.mark.parametrize(
    "reset", [LastReset(by_watchdog=True, by_panic=False), LastReset(by_watchdog=False, by_panic=True)]
)
def test_a_watchdog_or_a_panic_is_a_crash_and_no_power_cut(reset: LastReset) -> None:
    ending = how_it_ended(_state(), THERE, Traces(dying=None, result=None, last_reset=reset))
    assert (ending.ended, ending.cause) == ("crash", Cause.CRASH)
    assert ending.evidence["watchdog_reset"] == int(reset.by_watchdog)
    assert ending.evidence["kernel_panic"] == int(reset.by_panic)


def test_what_the_boot_before_left_says_nothing_of_a_crash_in_this_one() -> None:
    reset = LastReset(by_watchdog=True, by_panic=True)
    ending = how_it_ended(_state(), HERE, Traces(dying=None, result=None, last_reset=reset))
    assert "watchdog_reset" not in ending.evidence


def test_low_voltage_stands_in_the_evidence_until_it_is_over() -> None:
    low, good = (Event(event="power", data={"under_voltage": value}) for value in (1, 0))
    assert how_it_ended(_state(low), THERE, NOTHING).evidence["under_voltage"] == 1
    assert "under_voltage" not in how_it_ended(_state(low, good), THERE, NOTHING).evidence


@pytest.mark.parametrize("cause", [Cause.DISK_ERROR, Cause.DISK_FULL])
def test_what_a_dying_recorder_could_not_write_to_its_disk_is_found_in_run(tmp_path: Path, cause: Cause) -> None:
    leave_trace(tmp_path, cause)
    ending = how_it_ended(_state(), HERE, take_traces(tmp_path, QUIET))
    assert (ending.ended, ending.cause) == ("crash", cause)
    assert ending.evidence["left_word"] == cause
    clear_traces(tmp_path)
    assert take_traces(tmp_path, QUIET) == NOTHING


@pytest.mark.parametrize("result", sorted(SERVICE_RESULTS))
def test_what_the_service_manager_says_stands_in_the_evidence(tmp_path: Path, result: str) -> None:
    leave_result(tmp_path, result)
    ending = how_it_ended(_state(), HERE, take_traces(tmp_path, QUIET))
    assert ending.evidence["service_result"] == result


@pytest.mark.parametrize("rubbish", [b"", b"[]", b'{"cause": 5}', b'{"cause": "weather"}', b"[" * 100_000, b"\xff"])
def test_rubbish_in_run_says_nothing(tmp_path: Path, rubbish: bytes) -> None:
    for name in ("dying.json", "result.json"):
        (tmp_path / name).write_bytes(rubbish)
    assert take_traces(tmp_path, QUIET) == NOTHING
