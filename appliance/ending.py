"""How the session before ended, worked out from what it left: the cause of the hole until now."""

import json
from dataclasses import dataclass
from pathlib import Path

from appliance.ledger.state import LedgerState
from appliance.upkeep.hardware import LastReset
from appliance.upkeep.ladder import Rung
from base.durable import publish
from evidence.lines import Facts
from evidence.words import Cause

SERVICE_RESULTS = frozenset({"watchdog", "oom-kill", "core-dump", "signal", "exit-code", "timeout", "resources"})
"""$SERVICE_RESULT of a service that failed (systemd.exec(5))."""
_DYING = "dying.json"
_RESULT = "result.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What outlives a process but not the boot, and what the boot says of the one before.

    ``dying`` is what the recorder wrote as it ended on a disk that took no line, ``result`` what the service manager
    said of its end.
    """

    dying: Cause | None
    result: str | None
    last_reset: LastReset


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """``ended`` and ``evidence`` stand in the ``start`` line, ``cause`` in the gap."""

    ended: str
    cause: Cause
    evidence: Facts


def leave_trace(folder: Path, cause: Cause) -> None:
    """The recorder ends because of ``cause`` and cannot write a line: told to the next one of this boot."""
    publish(folder / _DYING, json.dumps({"cause": cause}).encode())


def leave_result(folder: Path, result: str) -> None:
    """What the service manager says of a recorder that has ended (``unbroken station ended``)."""
    publish(folder / _RESULT, json.dumps({"result": result}).encode())


def take_traces(folder: Path, last_reset: LastReset) -> Traces:
    """What the process before left in ``folder``; whatever cannot be read says nothing."""
    dying, result = _member(folder / _DYING, "cause"), _member(folder / _RESULT, "result")
    return Traces(
        dying=Cause(dying) if dying in list(Cause) else None,
        result=result if result in SERVICE_RESULTS else None,
        last_reset=last_reset,
    )


def clear_traces(folder: Path) -> None:
    """They have been put on record."""
    for name in (_DYING, _RESULT):
        (folder / name).unlink(missing_ok=True)


def how_it_ended(state: LedgerState, boot_id: str, traces: Traces) -> Ending:
    """How the newest session of ``state`` ended, seen from boot ``boot_id``."""
    evidence: Facts = {}
    if state.damages:
        evidence["damages"] = state.damages
    if state.torn_bytes:
        evidence["torn_bytes"] = state.torn_bytes
    if state.start is None or state.last_stamp is None:
        return Ending(ended="unknown" if evidence else "none", cause=Cause.UNKNOWN, evidence=evidence)
    evidence |= {"boot_id_before": state.start.boot_id, "last_line_boot_ns": state.last_stamp.boot_ns}
    if state.under_voltage:
        evidence["under_voltage"] = 1
    if state.start.boot_id == boot_id:
        return _in_this_boot(state, traces, evidence)
    return _in_another_boot(state, traces, evidence)


def _in_this_boot(state: LedgerState, traces: Traces, evidence: Facts) -> Ending:
    if state.ending == "stopped":
        return Ending(ended="stopped", cause=Cause.STOPPED, evidence=evidence)
    if state.ending in list(Rung):
        return Ending(ended=state.ending, cause=Cause.CAMERA, evidence=evidence)
    if traces.result is not None:
        evidence["service_result"] = traces.result
    if traces.dying is not None:
        evidence["left_word"] = traces.dying
    return Ending(ended="crash", cause=traces.dying or Cause.CRASH, evidence=evidence)


def _in_another_boot(state: LedgerState, traces: Traces, evidence: Facts) -> Ending:
    if state.ending == "stopped":
        # The kernel switches a machine that is too hot off in good order.
        return Ending(ended="stopped", cause=Cause.THERMAL if state.too_hot else Cause.STOPPED, evidence=evidence)
    if state.ending == Rung.REBOOT:
        return Ending(ended=Rung.REBOOT, cause=Cause.CAMERA, evidence=evidence)
    if traces.last_reset.by_watchdog or traces.last_reset.by_panic:
        evidence["watchdog_reset"] = int(traces.last_reset.by_watchdog)
        evidence["kernel_panic"] = int(traces.last_reset.by_panic)
        return Ending(ended="crash", cause=Cause.CRASH, evidence=evidence)
    return Ending(ended="power", cause=Cause.POWER, evidence=evidence)


def _member(path: Path, name: str) -> str | None:
    try:
        members = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    held = members.get(name) if isinstance(members, dict) else None
    return held if isinstance(held, str) else None
