"""What goes next, given what is known."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.uplink.plan import (
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
    assert live(newest, set()) == newest[1]
    assert live(newest, {newest[1].sha256}) == newest[0]
    assert live(newest, {each.sha256 for each in newest}) is None


@pytest.mark.parametrize("state", [State.UNKNOWN, State.HELD, State.RECEIPTED, State.REFUSED])
def test_only_what_the_archive_lacks_is_sent(state: State) -> None:
    assert live([media(7, state=state)], set()) is None
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


def test_batches_grow_while_the_link_carries_them_and_are_small_after_a_failure() -> None:
    size = batch_bytes(MOST_BATCH_BYTES, worked=False)
    assert size == LEAST_BATCH_BYTES
    sizes = [size := batch_bytes(size, worked=True) for _ in range(6)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == MOST_BATCH_BYTES


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
