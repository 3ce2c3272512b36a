"""Media pruned on a receipt: what is held, what is not, whatever is known first and in however many ledgers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from evidence import jws
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.coverage import Span, State, union
from evidence.keys import SoftwareSigner
from evidence.lines import Pruned, Segment, read_payload
from evidence.receipt import Acknowledged, Receipt, write_receipt
from evidence.verify.absent import Absence, Absences, absence_of
from evidence.verify.findings import Place
from evidence.verify.forks import History
from evidence.verify.keyring import check_signatures
from evidence.verify.named import Named
from evidence.verify.receipts import Held
from evidence.verify.record import Record
from evidence.verify.verdict import write_answer
from evidence.verify.verifier import Verifier
from evidence.words import Cause, Mode
from tests.fakes.checking import check, check_branches, codes, covered_s, judge_lines, state_s
from tests.fakes.station import NOON_US, SECOND, Station, authority, private_key

Checked = Callable[[Station, Iterable[int]], Record]
"""Judges a station's lines where the media that some of them name are gone."""

KEY = private_key("receipts")
ARCHIVE = SoftwareSigner(KEY, deterministic=True)


def live() -> Station:
    """Armed, six LIVE segments, not closed. Their digests are made up."""
    station = Station(authority(), media=False)
    station.begin()
    station.arm()
    station.segments(6)
    return station


def named(station: Station) -> dict[int, str]:
    """Digest by index."""
    bodies = [read_payload(jws.unseal(line).payload).body for line in station.lines]
    return {body.index: body.sha256 for body in bodies if isinstance(body, Segment)}


def seqs(station: Station, indexes: Iterable[int]) -> list[int]:
    """The lines that name the segments."""
    lines = [read_payload(jws.unseal(line).payload) for line in station.lines]
    found = {line.body.index: line.seq for line in lines if isinstance(line.body, Segment)}
    return [found[index] for index in indexes]


def receipt(station: Station, indexes: Iterable[int], /, **bend: object) -> str:
    """The archive's word for some segments of the running run."""
    certs = (station.authority.certify_receipts(KEY.public_key()).public_bytes(Encoding.DER),)
    digests = named(station)
    whole = Receipt(
        kind=Acknowledged.STORED,
        election=station.election,
        station=station.station,
        unit=station.unit,
        archive="centre",
        utc_us=NOON_US,
        certs=certs,
        media=tuple(sorted(digests[index] for index in indexes)),
    )
    return write_receipt(replace(whole, **bend), ARCHIVE)  # type: ignore[arg-type]


def pruned(station: Station, first: int, last: int, text: str | None, reason: str = "receipted") -> None:
    """A ``pruned`` line for the segments from ``first`` up to ``last``, which is left out."""
    body = Pruned(camera="cam-0", session=station.kid, run=0, from_index=first, to_index=last, reason=reason)
    station.append(replace(body, receipt=text))


def late(station: Station, gone: Iterable[int]) -> Record:
    """All lines first, then the media, from the last to the first."""
    return check(station, settle=dict.fromkeys(seqs(station, gone)))


def early(station: Station, gone: Iterable[int]) -> Record:
    """Each file is looked at before the next line is read."""
    lacking, record = set(seqs(station, gone)), Record()
    verifier = Verifier(Trust.from_pem(station.authority.root_pem), record)
    for text in station.lines:
        opened = verifier.open(text)
        good = opened.check is None or check_signatures([opened.check])[0]
        for task in verifier.take(opened, good):
            record.settle(task, None if task.at.seq in lacking else ())
    verifier.finish()
    record.finish()
    return record


either_way = pytest.mark.parametrize("checked", [early, late])


@either_way
def test_what_a_receipt_names_is_held_and_neither_covered_nor_missing(checked: Checked) -> None:
    station = live()
    pruned(station, 0, 4, receipt(station, range(4)))
    station.close()
    record = checked(station, range(4))
    assert codes(record) == []
    assert (covered_s(record), state_s(record, State.HELD)) == (4, 8)
    (camera,) = write_answer([record])["records"][0]["cameras"]  # type: ignore[index]
    assert (camera["covered_ms"], camera["held_ms"], camera["missing_ms"]) == ([4000, 4000], [8000, 8000], [1000, 1000])
    states = [(span["state"], span["mode"]) for span in camera["spans"]]
    assert states == [("gap", None), ("held", "LIVE"), ("segment", "LIVE")]


@either_way
def test_what_is_here_is_covered_whatever_was_pruned_on_the_unit(checked: Checked) -> None:
    station = live()
    pruned(station, 0, 4, receipt(station, range(4)))
    station.close()
    record = checked(station, [1])
    assert codes(record) == []
    assert (covered_s(record), state_s(record, State.HELD)) == (10, 2)


@either_way
@pytest.mark.parametrize("bend", [{"station": "57-003"}, {"unit": "u2"}, {"election": "az-2027"}])
def test_behind_a_receipt_for_somebody_else_everything_that_is_gone_is_missing(
    checked: Checked, bend: dict[str, str]
) -> None:
    station = live()
    pruned(station, 0, 4, receipt(station, range(4), **bend))
    station.close()
    record = checked(station, range(3))
    assert codes(record) == [Code.MEDIA_MISSING, Code.RECEIPT_REFUSED]
    assert [finding.count for finding in record.findings.all()] == [3, 1]
    assert (covered_s(record), state_s(record, State.MISSING), state_s(record, State.HELD)) == (6, 6, 0)


@either_way
def test_a_line_that_prunes_more_than_its_receipt_names_is_unlawful_once(checked: Checked) -> None:
    station = live()
    pruned(station, 0, 4, receipt(station, [0]))
    station.close()
    record = checked(station, range(4))
    assert codes(record) == [Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY]
    assert [finding.count for finding in record.findings.all()] == [3, 1]
    assert "segment 1" in record.findings.all()[1].detail
    assert (state_s(record, State.HELD), state_s(record, State.MISSING)) == (2, 6)


@either_way
def test_what_is_not_named_and_not_gone_is_no_finding(checked: Checked) -> None:
    """A copy that was made before the deletion, or a unit that wrote the line and kept the file."""
    station = live()
    pruned(station, 0, 4, receipt(station, [0]))
    station.close()
    assert codes(checked(station, [0])) == []


@either_way
def test_a_later_receipt_makes_good_what_an_earlier_line_pruned_without_one(checked: Checked) -> None:
    station = live()
    pruned(station, 0, 3, receipt(station, [0]))
    pruned(station, 1, 3, receipt(station, [1, 2]))
    station.close()
    record = checked(station, range(3))
    assert codes(record) == []
    assert state_s(record, State.HELD) == 6


@either_way
@pytest.mark.parametrize(("first", "state"), [("receipted", State.HELD), ("unarmed-expired", State.PRUNED)])
def test_of_two_lines_for_one_segment_the_first_counts(checked: Checked, first: str, state: State) -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segments(4)
    text = receipt(station, range(2))
    order = ["receipted", "unarmed-expired"]
    for reason in order if first == order[0] else order[::-1]:
        pruned(station, 0, 2, text if reason == "receipted" else None, reason)
    station.close()
    record = checked(station, range(2))
    assert codes(record) == []
    assert state_s(record, state) == 4


@either_way
def test_recovered_media_can_be_held(checked: Checked) -> None:
    station = Station(authority(), media=False)
    station.begin()
    station.segment()
    found, session = station.record(), station.kid
    station.start(ended="crash")
    station.recovered(found, session)
    body = Pruned(camera="cam-0", session=session, run=0, from_index=1, to_index=2, reason="receipted")
    station.append(replace(body, receipt=receipt(station, [1])))
    station.gap(seconds=1, cause=Cause.CRASH)
    station.close()
    record = checked(station, [1])
    assert codes(record) == []
    assert (covered_s(record), state_s(record, State.HELD)) == (2, 2)


@either_way
@pytest.mark.parametrize("last", [7, 2**53 - 1])
def test_a_line_that_prunes_what_no_line_names_is_unlawful_and_no_work(checked: Checked, last: int) -> None:
    station = live()
    pruned(station, 0, last, receipt(station, range(5)))
    station.close()
    record = checked(station, range(6))
    assert codes(record) == [Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY]
    assert [finding.count for finding in record.findings.all()] == [1, 1]


@either_way
@pytest.mark.parametrize("gone", [(4, 5), (4,), (5,)])
def test_a_digest_that_two_segments_claim_is_held_for_neither(checked: Checked, gone: tuple[int, ...]) -> None:
    station = live()
    twice = named(station)[5]
    station.segment(sha256=twice)
    pruned(station, 0, 7, receipt(station, range(6)))
    station.close()
    gone = tuple(6 if index == 4 else index for index in gone)
    record = checked(station, [0, *gone])
    assert codes(record) == [Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY]
    assert [finding.count for finding in record.findings.all()] == [len(gone), 1]
    assert (state_s(record, State.HELD), state_s(record, State.MISSING)) == (2, 2 * len(gone))
    assert "has the digest of another one" in record.findings.all()[-1].detail


@either_way
def test_a_digest_claimed_again_after_it_was_held_is_held_no_more(checked: Checked) -> None:
    station = live()
    pruned(station, 0, 2, receipt(station, range(2)))
    station.segment(sha256=named(station)[1])
    station.close()
    record = checked(station, range(2))
    assert codes(record) == [Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY]
    assert (state_s(record, State.HELD), state_s(record, State.MISSING)) == (2, 2)


def test_a_line_is_not_to_blame_for_what_another_branch_names_at_the_same_place() -> None:
    """The card lost the end of a file that was delivered whole; its start is recovered, delivered and pruned."""
    abandoned, station = live(), live()
    whole = abandoned.record()
    abandoned.append(whole)
    ended, session = station.reboot(off_seconds=60), station.kid
    station.start(ended="power")
    part = replace(whole, sha256="5" * 64, to_ns=whole.from_ns + SECOND, frames=5)
    station.recovered(part, session)
    station.cameras["cam-0"].end_ns = part.to_ns
    station.gap(cause=Cause.POWER, from_boot=ended)
    station.run()
    body = Pruned(camera="cam-0", session=session, run=0, from_index=6, to_index=7, reason="receipted")
    station.append(replace(body, receipt=receipt(station, [0], media=(part.sha256,))))
    station.close()
    trust = Trust.from_pem(station.authority.root_pem)
    (at,) = seqs(abandoned, [6])
    for ledgers in ([station.lines, abandoned.lines], [abandoned.lines, station.lines]):
        for lost in ([at], [at, at + 1]):
            record = _branches(ledgers, trust, dict.fromkeys(lost))
            assert codes(record) == [Code.MEDIA_MISSING]
            assert state_s(record, State.HELD) == len(lost) - 1


def test_where_lines_are_missing_another_of_them_may_have_had_the_receipt() -> None:
    station = live()
    station.event("opened")
    dropped = len(station.lines) - 1
    pruned(station, 0, 2, receipt(station, [0]))
    station.close()
    lines = station.lines[:dropped] + station.lines[dropped + 1 :]
    record = check(station, lines, settle=dict.fromkeys(seqs(station, range(2))))
    assert sorted(codes(record)) == [Code.LINE_MISSING, Code.MEDIA_MISSING]
    assert state_s(record, State.HELD) == 2


def test_without_a_trusted_root_a_receipt_is_taken_at_its_word() -> None:
    station = live()
    pruned(station, 0, 2, receipt(station, range(2)))
    pruned(station, 2, 3, receipt(station, [2], station="57-003"))
    station.close()
    record = Record()
    judge_lines(station.lines, record, Verifier(Trust(), record), dict.fromkeys(seqs(station, range(3))))
    record.finish()
    assert codes(record) == [Code.MEDIA_MISSING, Code.RECEIPT_REFUSED]
    assert state_s(record, State.HELD) == 4


def test_a_line_of_two_ledgers_is_judged_once() -> None:
    station = live()
    pruned(station, 0, 3, receipt(station, [0]))
    pruned(station, 3, 5, receipt(station, [3], unit="u2"))
    shorter = list(station.lines)
    station.close()
    trust = Trust.from_pem(station.authority.root_pem)
    for ledgers in ([station.lines, shorter], [shorter, station.lines]):
        record = _branches(ledgers, trust, dict.fromkeys(seqs(station, range(5))))
        assert [(finding.code, finding.count) for finding in record.findings.all()] == [
            (Code.MEDIA_MISSING, 4),
            (Code.PRUNED_UNLAWFULLY, 1),
            (Code.RECEIPT_REFUSED, 1),
        ]
        assert (state_s(record, State.HELD), state_s(record, State.MISSING)) == (2, 8)


def test_a_receipt_of_one_branch_holds_what_both_have_lost() -> None:
    """A power cut took the tail: the archive's copy of it and the unit go on, and the unit prunes what was shared."""
    abandoned, station = live(), live()
    abandoned.segments(2)
    ended = station.reboot(off_seconds=60)
    session = station.kid
    station.start(ended="power")
    station.gap(cause=Cause.POWER, from_boot=ended)
    station.run()
    body = Pruned(camera="cam-0", session=session, run=0, from_index=0, to_index=6, reason="receipted")
    station.append(replace(body, receipt=receipt(station, range(6))))
    station.segments(2)
    station.close()
    lost = dict.fromkeys([*seqs(live(), range(6)), *seqs(abandoned, [6])])
    trust = Trust.from_pem(station.authority.root_pem)
    for ledgers in ([station.lines, abandoned.lines], [abandoned.lines, station.lines]):
        record = _branches(ledgers, trust, lost)
        assert state_s(record, State.HELD) == 12
        assert state_s(record, State.MISSING) == 2
    assert codes(check_branches(station, [station.lines, abandoned.lines])) == [Code.TAIL_LOST]


def _branches(ledgers: Sequence[Sequence[bytes]], trust: Trust, settle: dict[int, None]) -> Record:
    record = Record()
    histories: list[History] = []
    for lines in ledgers:
        history = History()
        judge_lines(lines, record, Verifier(trust, record, history=history, known=tuple(histories)), settle)
        histories.append(history)
    record.finish()
    return record


@pytest.mark.parametrize("other", [state for state in State if state is not State.HELD])
def test_over_branches_held_beats_all_but_video_that_is_here_shown_or_not(other: State) -> None:
    held = Span(from_ns=0, to_ns=10, state=State.HELD, mode=Mode.LIVE)
    (middle,) = [
        span for span in union([held], [Span(from_ns=4, to_ns=6, state=other)]) if span.from_ns <= 4 < span.to_ns
    ]
    here = State.SEGMENT, State.RECOVERED, State.WITHHELD
    assert middle.state is (other if other in here else State.HELD)


# --- any order at all ----------------------------------------------------------------------------------

DIGESTS = [bytes([number]) * 32 for number in range(8)]
RUN = ("s" * 43, "cam-0", 0)


def _segment(index: int, digests: Sequence[bytes] = DIGESTS) -> Segment:
    return Segment(
        camera="cam-0",
        run=0,
        index=index,
        mode=Mode.UNARMED if index < 3 else Mode.LIVE,
        sha256=digests[index].hex(),
        size=1,
        from_ns=index * 10,
        to_ns=index * 10 + 10,
        frames=1,
    )


def _absence(index: int, digests: Sequence[bytes] = DIGESTS) -> Absence:
    return absence_of(
        _segment(index, digests), "0" * 32, Place(seq=index, camera="cam-0", boot_id="f" * 32, boot_ns=index)
    )


Line = tuple[int, int, frozenset[int] | None]
lines = st.lists(
    st.tuples(st.integers(0, 7), st.integers(1, 8), st.none() | st.frozensets(st.integers(0, 7))).map(
        lambda line: (line[0], min(8, line[0] + line[1]), line[2])
    ),
    max_size=6,
)


def _outcome(
    steps: Sequence[Line | int], digests: Sequence[bytes] = DIGESTS
) -> tuple[dict[int, State], list[tuple[Place, str]]]:
    """What a run comes to: of each absence the state, and the lines to blame."""
    run, states = Named(), dict[int, State]()
    for index in range(8):
        run.name(RUN, _segment(index, digests))
    for number, step in enumerate(steps):
        if isinstance(step, int):
            if run.miss(RUN, _absence(step, digests)):
                states[step] = State.PRUNED
            continue
        first, last, media = step
        body = Pruned(camera="cam-0", session=RUN[0], run=0, from_index=first, to_index=last, reason="x")
        if media is None:
            _, explained = run.prune(body)
            states |= {absence.index: State.PRUNED for absence in explained}
        else:
            run.prune_held(body, Held(digests=b"".join(sorted({digests[index] for index in media}))), Place(seq=number))
    missed = (absence for absence, _ in run.missed())
    for state, absences in ((State.HELD, run.held()), (State.MISSING, missed)):
        for absence in absences:
            assert absence == _absence(absence.index, digests)
            assert absence.index not in states
            states[absence.index] = state
    assert states.keys() == {step for step in steps if isinstance(step, int)}
    return states, sorted(run.unheld(), key=lambda blame: blame[0].seq or 0)


@given(lines, st.frozensets(st.integers(0, 7)), st.lists(st.sampled_from(DIGESTS), min_size=8, max_size=8), st.data())
def test_an_absence_told_at_any_time_comes_to_the_same(
    pruned_lines: list[Line], gone: frozenset[int], digests: list[bytes], data: st.DataObject
) -> None:
    steps: list[Line | int] = list(pruned_lines)
    for index in gone:
        steps.insert(data.draw(st.integers(0, len(steps))), index)
    others: list[list[Line | int]] = [[*pruned_lines, *sorted(gone)], [*sorted(gone), *pruned_lines]]
    for named in (DIGESTS, digests):
        states, blamed = _outcome(steps, named)
        for other in others:
            assert _outcome(other, named)[0] == states
            assert len(_outcome(other, named)[1]) == len(blamed)
        held = [named[index] for index, state in states.items() if state is State.HELD]
        assert all(named.count(digest) == 1 for digest in held)


@given(st.sets(st.integers(0, 7)), st.integers(0, 7))
def test_a_receipt_holds_what_it_names_and_nothing_else(media: set[int], index: int) -> None:
    held = Held(digests=b"".join(DIGESTS[number] for number in sorted(media)))
    assert (DIGESTS[index] in held) == (index in media)


@given(
    st.sets(st.tuples(st.integers(0, 7), st.sampled_from(DIGESTS))),
    st.sets(st.tuples(st.integers(0, 7), st.sampled_from(DIGESTS))),
    st.integers(0, 8),
    st.integers(0, 2**53),
)
def test_absences_come_back_as_they_were(
    gone: set[tuple[int, bytes]], explained: set[tuple[int, bytes]], first: int, length: int
) -> None:
    """Branches may name several digests at one index."""
    absences = Absences("cam-0", 0)
    for index, digest in gone:
        absences.add(_absence(index, [digest] * 8))
        absences.add(_absence(index, [digest] * 8))
    for index, digest in gone & explained:
        absences.discard(_absence(index, [digest] * 8))
    left = gone - explained
    assert len(absences) == len(left)
    assert {(each.index, each.digest) for each in absences} == left
    assert all(each == _absence(each.index, [each.digest] * 8) for each in absences)
    wanted = {each for each in left if first <= each[0] < first + length}
    assert {(each.index, each.digest) for each in absences.within(first, first + length)} == wanted
