"""Which UNARMED segments go, and in what order (spec/ledger.md, section 4.9)."""

from dataclasses import dataclass

from appliance.store.unarmed import BATCH, KEPT_NS, UnarmedMedia

SECOND = 10**9


@dataclass(frozen=True)
class Kept:
    """A segment of two seconds."""

    camera: str
    index: int
    session: str = "s" * 43
    run: int = 0
    length_ns: int = 2 * SECOND


def _minutes(camera: str, minutes: int) -> list[Kept]:
    return [Kept(camera, index) for index in range(minutes * 30)]


def test_the_newest_thirty_minutes_are_kept() -> None:
    media = UnarmedMedia(_minutes("cam1", 31))
    (line,) = media.expire()
    assert (line.camera, line.run, line.from_index, line.to_index) == ("cam1", 0, 0, 30)
    assert line.reason == "unarmed-expired"
    assert media.expire() == []


def test_less_than_thirty_minutes_are_kept_whole() -> None:
    assert UnarmedMedia(_minutes("cam1", 30)).expire() == []
    assert 30 * 60 * SECOND == KEPT_NS


def test_a_camera_that_died_early_does_not_keep_the_other_one_from_expiring() -> None:
    media = UnarmedMedia([*_minutes("cam1", 5), *_minutes("cam2", 40)])
    (line,) = media.expire()
    assert (line.camera, line.from_index, line.to_index) == ("cam2", 0, 300)


def test_below_the_reserve_the_oldest_of_all_cameras_go_together() -> None:
    both = [kept for pair in zip(_minutes("cam1", 5), _minutes("cam2", 5), strict=True) for kept in pair]
    lines = UnarmedMedia(both).shrink()
    assert [(line.camera, line.from_index, line.to_index) for line in lines] == [
        ("cam1", 0, BATCH // 2),
        ("cam2", 0, BATCH // 2),
    ]
    assert {line.reason for line in lines} == {"unarmed-reserve"}


def test_what_was_taken_is_not_taken_twice_and_an_empty_disk_gives_nothing() -> None:
    media = UnarmedMedia(Kept("cam1", index) for index in range(BATCH + 5))
    assert [(line.from_index, line.to_index) for line in media.shrink()] == [(0, BATCH)]
    assert [(line.from_index, line.to_index) for line in media.shrink()] == [(BATCH, BATCH + 5)]
    assert media.shrink() == []


def test_each_line_is_one_stretch_of_one_run() -> None:
    kept = [
        Kept("cam1", 0),
        Kept("cam1", 1),
        Kept("cam1", 3),
        Kept("cam1", 0, run=1),
        Kept("cam1", 0, session="t" * 43),
    ]
    lines = UnarmedMedia(kept).shrink()
    assert [(line.session[0], line.run, line.from_index, line.to_index) for line in lines] == [
        ("s", 0, 0, 2),
        ("s", 0, 3, 4),
        ("s", 1, 0, 1),
        ("t", 0, 0, 1),
    ]
