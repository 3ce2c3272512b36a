"""Hostile input: whatever the bytes, and whatever a unit signs, there is an answer and it is quick."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.report.page import render_report
from audit.summary import summarise
from evidence import jws, lines
from evidence.codes import Weight
from evidence.errors import EvidenceError
from evidence.identity import read_identity
from evidence.keys import thumbprint
from evidence.lines import read_payload
from evidence.verify.verdict import write_answer
from evidence.words import Cause, ClockChange, Mode
from tests.fakes.checking import check
from tests.fakes.station import Station, authority, boot_id, signer

AUTHORITY = authority()

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
members = st.dictionaries(
    st.sampled_from(["seq", "prev", "kind", "boot_ns", "utc_us", "error_us", "camera", "session", "certs", "cameras"]),
    values,
)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_by_every_decoder_as_evidence(data: bytes) -> None:
    for decode in (jws.unseal, jws.parse, read_payload, read_identity):
        with suppress(EvidenceError):
            decode(data)


@given(members, st.sampled_from(["start", "segment", "gap", "close", "clock", "run", "pruned", "x"]))
def test_any_object_is_a_line_or_is_refused_as_evidence(members: dict[str, Any], kind: str) -> None:
    for decode in (read_payload, read_identity):
        with suppress(EvidenceError):
            decode(json.dumps(members | {"kind": kind}).encode())


cameras = st.sampled_from(["cam-0", "cam-1", "cam-9"])
times = st.integers(0, 200).map(lambda second: second * 10**9) | st.integers(0, 2**53 - 1)
sessions = st.sampled_from([signer(f"unit-session-{number}") for number in range(3)])
spans = st.tuples(times, st.integers(1, 60 * 10**9)).map(lambda span: (span[0], min(span[0] + span[1], 2**53 - 1)))


@st.composite
def pieces(draw: st.DrawFn) -> lines.Body:
    """A segment or a recovered piece of anywhere."""
    begin, end = draw(spans.filter(lambda span: span[0] < span[1]))
    values: dict[str, Any] = {
        "camera": draw(cameras),
        "run": draw(st.integers(0, 2)),
        "index": draw(st.integers(0, 4)),
        "mode": draw(st.sampled_from(Mode)),
        "sha256": "0" * 64,
        "size": 5,
        "from_ns": begin,
        "to_ns": end,
        "frames": draw(st.integers(1, 2**53 - 1)),
    }
    if draw(st.booleans()):
        return lines.Segment(**values)
    return lines.Recovered(session=thumbprint(draw(sessions).public_point), **values)


@st.composite
def gaps(draw: st.DrawFn) -> lines.Body:
    """A gap from anywhere to anywhere."""
    begin, end = draw(times), draw(times)
    other = draw(st.none() | st.sampled_from([boot_id(0, "unit"), boot_id(1, "unit"), "f" * 32]))
    if other is None and begin >= end:
        begin, end = 0, 1 + end
    return lines.Gap(
        camera=draw(cameras), from_ns=begin, to_ns=end, cause=draw(st.sampled_from(Cause)), from_boot=other
    )


facts = st.dictionaries(st.sampled_from(["mode", "profile_sha256", "path"]), st.text(max_size=4) | st.integers(0, 5))
others = st.one_of(
    st.builds(lines.Event, event=st.sampled_from(["armed", "set-aside", "opened"]), data=facts),
    st.builds(lines.ClockLine, change=st.sampled_from(ClockChange), step_us=st.none() | st.integers(-(10**9), 10**9)),
    st.builds(lines.Close, to_ns=times, by=st.just("window")),
    st.builds(lines.Config, what=st.just("profile"), profile=st.text(max_size=20)),
    st.builds(
        lines.Pruned,
        camera=cameras,
        session=sessions.map(lambda each: thumbprint(each.public_point)),
        run=st.integers(0, 1),
        from_index=st.integers(0, 2),
        to_index=st.integers(3, 2**53 - 1),
        reason=st.sampled_from(["unarmed-expired", "other"]),
    ),
    st.builds(
        lines.Run,
        camera=cameras,
        run=st.integers(0, 2),
        source=st.just("x"),
        init_sha256=st.just("0" * 64),
        mask_sha256=st.just("0" * 64),
        width=st.just(16),
        height=st.just(16),
        timescale=st.just(90_000),
        fps=st.just(5),
        codec=st.just("x"),
    ),
)
steps = st.one_of(
    pieces(),
    gaps(),
    others,
    st.sampled_from(["start", "reboot"]),
    st.tuples(times, st.none() | st.integers(-(2**53) + 1, 2**53 - 1), st.none() | st.integers(0, 2**53 - 1)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=25), st.sets(st.integers(0, 30), max_size=6))
def test_whatever_a_unit_signs_there_is_an_answer_a_summary_and_a_report(steps: list[Any], absent: set[int]) -> None:
    station = Station(AUTHORITY, cameras=("cam-0", "cam-1"), media=False)
    station.start()
    stamp = None
    for step in steps:
        match step:
            case "start":
                station.start(ended="crash")
            case "reboot":
                station.reboot()
                station.start(ended="power")
            case (int(boot_ns), utc_us, error_us):
                stamp = lines.Stamp(boot_ns=boot_ns, utc_us=utc_us, error_us=None if utc_us is None else error_us)
            case _:
                station.append(step, stamp=stamp)
    record = check(station, settle=dict.fromkeys(absent))
    answer: dict[str, Any] = write_answer([record])
    assert json.loads(json.dumps(answer)) == answer
    assert summarise(answer)
    assert render_report(answer)
    for camera in answer["records"][0]["cameras"]:
        least, most = camera["missing_ms"]
        assert least >= 0
        assert most is None or least <= most
        assert all(gap["duration_ms"][0] >= 0 for gap in camera["gaps"])
    unexplained = any(s["state"] == "unexplained" for c in answer["records"][0]["cameras"] for s in c["spans"])
    assert not unexplained or Weight.WRONG in record.findings.weights()
