"""Every n-th segment: how n follows the link and the video, and that it keeps still."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.uplink.pace import SECOND_NS
from appliance.uplink.thinning import FULL, MOST_EVERY, NEWEST, SILENT_LINES, Made, every

VIDEO = 250_000
"""2 Mbit/s."""


@pytest.mark.parametrize(
    ("link", "n"),
    [(12_500_000, 1), (300_000, 1), (250_000, 2), (125_000, 3), (62_500, 5), (8_000, 33), (125, MOST_EVERY), (0, 900)],
)
def test_live_fits_the_link(link: int, n: int) -> None:
    assert every(1, VIDEO, link) == n
    assert every(n, VIDEO, link) == n, "and stays"


def test_what_is_not_known_changes_nothing() -> None:
    assert [every(5, None, 1), every(5, 1, None), every(1, None, None)] == [5, 5, 1]


@given(link=st.integers(50_000, 240_000), noise=st.lists(st.floats(0.92, 1.08), min_size=50, max_size=50))
def test_a_rate_that_wavers_by_a_few_percent_does_not_make_n_flutter(link: int, noise: list[float]) -> None:
    settled = every(1, VIDEO, int(link * 0.92))
    assert [every(settled, VIDEO, int(link * each)) for each in noise] == [settled] * len(noise)


@given(before=st.integers(1, MOST_EVERY), made=st.integers(1, 10**7), link=st.integers(1, 10**8))
def test_live_never_takes_more_than_the_link_and_a_recovered_link_brings_all_back(
    before: int, made: int, link: int
) -> None:
    n = every(before, made, link)
    assert n == MOST_EVERY or made / n <= link * FULL * 1.0001
    assert every(n, made, 2 * made) == 1


def _fed(made: Made, seqs: range, cameras: tuple[str, ...] = ("cam1", "cam2")) -> Made:
    for seq in seqs:
        for at, camera in enumerate(cameras):
            made.add(2 * seq + at, camera, 500_000, 2 * SECOND_NS)
    return made


def test_the_rate_of_the_video_is_that_of_all_cameras_by_their_newest_segments() -> None:
    made = Made()
    assert made.bytes_s(0) is None
    made.add(0, "cam1", 9_000_000, SECOND_NS)
    assert _fed(made, range(1, NEWEST + 1)).bytes_s(20) == 2 * VIDEO


def test_a_camera_that_makes_no_more_segments_does_not_count() -> None:
    made = _fed(Made(), range(10))
    made.add(19 + SILENT_LINES, "cam1", 500_000, 2 * SECOND_NS)
    assert made.bytes_s(19 + SILENT_LINES) == VIDEO
    assert made.bytes_s(19 + 2 * SILENT_LINES) is None
