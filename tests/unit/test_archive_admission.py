"""How much the archive takes in at a time, and who waits first."""

import pytest

from archive.config import Limits
from archive.ingest.admission import Admission, share
from archive.ingest.refusal import RefusedError
from archive.names import UnitName

ONE, OTHER = UnitName(station="57-002", unit="u1"), UnitName(station="57-003", unit="u2")


def admission(free_bytes: int = 1 << 40) -> Admission:
    return Admission(most_bytes=100, most_backfill_bytes=50, least_free_bytes=1_000, free_bytes=lambda: free_bytes)


def test_bytes_count_while_they_are_in_flight_and_no_longer() -> None:
    gate = admission()
    with gate.admit(ONE, 60, 1):
        assert gate.in_flight_bytes == 60
        with pytest.raises(RefusedError) as caught, gate.admit(ONE, 41, 1):
            pass
        assert (caught.value.status, caught.value.retry_after_s, caught.value.retry) == (503, 1, True)
        with gate.admit(ONE, 40, 3):
            assert gate.in_flight_bytes == 100
    assert gate.in_flight_bytes == 0


def test_a_body_that_fails_gives_its_room_back() -> None:
    gate = admission()
    with pytest.raises(ValueError, match="it"), gate.admit(ONE, 60, 1):
        raise ValueError("it")
    assert gate.in_flight_bytes == 0


@pytest.mark.parametrize("urgency", range(8))
def test_backfill_waits_while_there_is_room_for_live(urgency: int) -> None:
    gate = admission()
    with gate.admit(ONE, 30, 1):
        if urgency < 4:
            with gate.admit(ONE, 30, urgency):
                pass
        else:
            with pytest.raises(RefusedError) as caught, gate.admit(ONE, 30, urgency):
                pass
            assert caught.value.retry_after_s == 5


def test_what_is_in_flight_counts_as_written_already() -> None:
    gate = admission(free_bytes=1_050)
    with gate.admit(ONE, 30, 1):
        with pytest.raises(RefusedError) as caught, gate.admit(ONE, 30, 1):
            pass
        assert (caught.value.code, caught.value.retry_after_s) == ("disk-full", 60)
        with gate.admit(ONE, 20, 1):
            pass


def test_one_unit_takes_no_more_than_its_part_and_always_one_segment() -> None:
    gate = Admission(
        most_bytes=100, most_backfill_bytes=50, least_free_bytes=0, free_bytes=lambda: 1 << 40, most_of_a_unit=40
    )
    with gate.admit(ONE, 30, 1):
        with pytest.raises(RefusedError) as caught, gate.admit(ONE, 11, 1):
            pass
        assert (caught.value.status, caught.value.retry_after_s) == (429, 1)
        with gate.admit(OTHER, 60, 1), gate.admit(ONE, 10, 1):
            pass
    with gate.admit(ONE, 41, 1):
        pass


@pytest.mark.parametrize("workers", [1, 2, 3, 64])
def test_workers_share_what_is_admitted_and_each_takes_one_segment(workers: int) -> None:
    limits = Limits(in_flight_mib=256, backfill_mib=128, free_mib=0, stall_s=30, branches=4, workers=workers)
    each = share(limits)
    assert each.in_flight_mib == max(256 // workers, 64)
    assert each.backfill_mib == max(128 // workers, 64)
    thin = share(Limits(in_flight_mib=64, backfill_mib=1, free_mib=0, stall_s=30, branches=4, workers=workers))
    assert (thin.in_flight_mib, thin.backfill_mib) == (64, 1)
