"""How much the archive takes in at a time, and who waits first."""

import pytest

from archive.ingest.admission import Admission
from archive.ingest.refusal import RefusedError


def admission(free_bytes: int = 1 << 40) -> Admission:
    return Admission(most_bytes=100, most_backfill_bytes=50, least_free_bytes=1_000, free_bytes=lambda: free_bytes)


def test_bytes_count_while_they_are_in_flight_and_no_longer() -> None:
    gate = admission()
    with gate.admit(60, 1):
        assert gate.in_flight_bytes == 60
        with pytest.raises(RefusedError) as caught, gate.admit(41, 1):
            pass
        assert (caught.value.status, caught.value.retry_after_s, caught.value.retry) == (503, 1, True)
        with gate.admit(40, 3):
            assert gate.in_flight_bytes == 100
    assert gate.in_flight_bytes == 0


def test_a_body_that_fails_gives_its_room_back() -> None:
    gate = admission()
    with pytest.raises(ValueError, match="it"), gate.admit(60, 1):
        raise ValueError("it")
    assert gate.in_flight_bytes == 0


@pytest.mark.parametrize("urgency", range(8))
def test_backfill_waits_while_there_is_room_for_live(urgency: int) -> None:
    gate = admission()
    with gate.admit(30, 1):
        if urgency < 4:
            with gate.admit(30, urgency):
                pass
        else:
            with pytest.raises(RefusedError) as caught, gate.admit(30, urgency):
                pass
            assert caught.value.retry_after_s == 5


def test_what_is_in_flight_counts_as_written_already() -> None:
    gate = admission(free_bytes=1_050)
    with gate.admit(30, 1):
        with pytest.raises(RefusedError) as caught, gate.admit(30, 1):
            pass
        assert (caught.value.code, caught.value.retry_after_s) == ("disk-full", 60)
        with gate.admit(20, 1):
            pass
