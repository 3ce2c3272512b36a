"""What goes next, given what is known."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.uplink.plan import (
    BATCH_S,
    FIRST_BATCH_BYTES,
    GREETING_BYTES,
    LEAST_BATCH_BYTES,
    MOST_ACKNOWLEDGED,
    MOST_BATCH_BYTES,
    MOST_RECEIPT,
    RECEIPT_NS,
    Media,
    Policy,
    State,
    backfill,
    batch_bytes,
    first_batch_bytes,
    fitting_lacks,
    fitting_receipt,
    live,
    newest_common,
    receipt_due,
    verdicts,
)


def media(seq: int, camera: str = "cam1", state: State = State.WAITING, **changes: object) -> Media:
    one = Media(
        sha256=f"{seq:064x}",
        seq=seq,
        session="s" * 43,
        camera=camera,
        run=0,
        index=seq,
        size=1000,
        counting=False,
        state=state,
        acknowledged=0,
    )
    return replace(one, **changes)  # type: ignore[arg-type]


def test_live_is_the_newest_segment_of_each_camera_the_newest_first() -> None:
    newest = [media(7), media(8, "cam2")]
    assert live(newest, set(), {}) == newest[1]
    assert live(newest, {newest[1].sha256}, {}) == newest[0]
    assert live(newest, {each.sha256 for each in newest}, {}) is None


def test_the_camera_that_has_waited_longest_goes_live_next_whoever_commits_last() -> None:
    sent: dict[str, int] = {}
    went = []
    for seq in range(10, 40, 3):
        chosen = live([media(seq), media(seq + 1, "cam2"), media(seq + 2, "cam3")], set(), sent)
        assert chosen is not None
        sent[chosen.camera] = chosen.seq
        went.append(chosen.camera)
    assert {camera: went.count(camera) for camera in sent} == {"cam1": 3, "cam2": 3, "cam3": 4}
    assert all(one != other for one, other in pairwise(went))


@pytest.mark.parametrize("state", [State.UNKNOWN, State.HELD, State.RECEIPTED, State.REFUSED])
def test_only_what_the_archive_lacks_is_sent(state: State) -> None:
    assert live([media(7, state=state)], set(), {}) is None
    assert backfill([media(7, state=state)], [], set(), Policy.OLDEST_FIRST) is None


def test_backfill_leaves_live_segments_alone() -> None:
    newest = [media(9), media(8, "cam2")]
    assert backfill([media(8, "cam2"), media(9)], newest, set(), Policy.OLDEST_FIRST) is None


def test_backfill_is_the_oldest_of_the_counting_then_the_oldest() -> None:
    waiting = [media(1), media(2), media(5, counting=True), media(6, counting=True)]
    order = []
    busy: set[str] = set()
    while (chosen := backfill(waiting, [], busy, Policy.COUNTING_FIRST)) is not None:
        order.append(chosen.seq)
        busy.add(chosen.sha256)
    assert order == [5, 6, 1, 2]
    first = backfill(waiting, [], set(), Policy.OLDEST_FIRST)
    assert first is not None
    assert first.seq == 1


def test_what_was_acknowledged_once_comes_after_what_never_was() -> None:
    chosen = backfill([media(1, acknowledged=1, counting=True), media(2)], [], set(), Policy.COUNTING_FIRST)
    assert chosen is not None
    assert chosen.seq == 2


def test_batches_grow_while_the_link_carries_them_and_shrink_where_one_takes_long() -> None:
    size, sizes = first_batch_bytes(0.5), []
    for _ in range(4):
        sizes.append(size)
        size = batch_bytes(size, size, 0.2)
    assert sizes == [12_000, 96_000, 768_000, MOST_BATCH_BYTES]
    assert batch_bytes(MOST_BATCH_BYTES, 700, 0.1) == MOST_BATCH_BYTES, "a small batch says nothing of a great one"
    assert batch_bytes(MOST_BATCH_BYTES, MOST_BATCH_BYTES, 40) == MOST_BATCH_BYTES // 10


def test_the_first_batch_is_what_the_greeting_lets_expect() -> None:
    assert first_batch_bytes(0.001) == FIRST_BATCH_BYTES
    assert first_batch_bytes(12) == 500, "a kilobit a second"
    assert first_batch_bytes(1e9) == LEAST_BATCH_BYTES


@pytest.mark.parametrize("bytes_s", [50, 125, 1_000, 50_000, 12_500_000])
def test_on_a_link_that_stays_as_it_is_a_batch_takes_a_few_seconds_or_is_one_line(bytes_s: int) -> None:
    line = 700
    size = first_batch_bytes(GREETING_BYTES / bytes_s)
    for _ in range(20):
        sent = max(line, size // line * line)
        assert sent == line or sent / bytes_s <= BATCH_S * 1.01
        size = batch_bytes(size, sent, sent / bytes_s)
    assert size // line <= 1 or size >= min(MOST_BATCH_BYTES, bytes_s * BATCH_S * 0.5)


@pytest.mark.parametrize(
    ("bytes_s", "media"), [(0, 1), (16, 1), (125, 7), (10_000, MOST_RECEIPT), (None, MOST_RECEIPT)]
)
def test_a_thin_link_is_asked_for_small_receipts(bytes_s: int | None, media: int) -> None:
    assert fitting_receipt(bytes_s) == media


@pytest.mark.parametrize(("bytes_s", "media"), [(None, 512), (1_000_000, 512), (31_250, 233), (125, 8)])
def test_a_thin_link_is_told_of_few_missing_media(bytes_s: int | None, media: int) -> None:
    assert fitting_lacks(bytes_s, more=False) == media


def test_while_more_lines_follow_no_missing_media_are_told() -> None:
    assert fitting_lacks(None, more=True) == 0


def test_a_full_receipt_is_asked_for_at_once_and_a_small_one_after_a_while() -> None:
    assert receipt_due(MOST_RECEIPT, 0)
    assert not receipt_due(MOST_RECEIPT - 1, 0)
    assert receipt_due(1, RECEIPT_NS)
    assert not receipt_due(0, RECEIPT_NS)


def test_a_complete_list_says_of_everything_else_that_it_is_there() -> None:
    known = [media(1, state=State.UNKNOWN), media(2), media(3, state=State.RECEIPTED)]
    lacks = {known[0].sha256}
    assert verdicts(known, lacks, complete=True, but=()) == {
        known[0].sha256: State.WAITING,
        known[1].sha256: State.HELD,
    }


def test_a_cut_list_says_nothing_of_what_it_does_not_name() -> None:
    known = [media(1, state=State.UNKNOWN), media(2), media(3, state=State.HELD)]
    assert verdicts(known, {known[2].sha256}, complete=False, but=()) == {known[2].sha256: State.WAITING}


def test_what_changed_since_the_question_is_not_changed_back() -> None:
    held = media(1, state=State.HELD)
    assert verdicts([held], {held.sha256}, complete=True, but={held.sha256}) == {}


def test_what_a_person_must_look_at_stays_refused() -> None:
    refused = media(1, state=State.REFUSED)
    assert verdicts([refused], {refused.sha256}, complete=True, but=()) == {}


def test_an_archive_that_has_had_it_again_and_again_is_not_sent_it_once_more() -> None:
    again = media(1, state=State.HELD, acknowledged=MOST_ACKNOWLEDGED)
    assert verdicts([again], {again.sha256}, complete=True, but=()) == {again.sha256: State.REFUSED}
    once_less = replace(again, acknowledged=MOST_ACKNOWLEDGED - 1)
    assert verdicts([once_less], {again.sha256}, complete=True, but=()) == {again.sha256: State.WAITING}


@given(ours=st.integers(-1, 5_000), theirs=st.integers(0, 5_000), common=st.integers(-1, 5_000))
def test_the_newest_common_line_is_found_in_few_questions(ours: int, theirs: int, common: int) -> None:
    common = min(common, ours, theirs)
    search, asked = newest_common(ours, theirs), 0
    while search.ask is not None:
        assert 0 <= search.ask <= min(ours, theirs)
        search = search.told(search.ask, same=search.ask <= common)
        asked += 1
    assert search.low == common
    assert asked <= 13
