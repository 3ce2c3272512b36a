"""What is due on a disk that fills up, in the order of invariant 5, and that nothing swings to and fro."""

from appliance.upkeep.space import FLOOR_BYTES, RAISE_ABOVE_S, SECOND, SETTLING_NS, Due, Space

RATE = 500_000


def _space() -> Space:
    return Space(nominal=RATE, now_ns=0)


def _record(space: Space, from_s: int, seconds: int, rate: int) -> int:
    """Segments of two seconds; the time after them, in nanoseconds."""
    for at_s in range(from_s + 2, from_s + seconds + 1, 2):
        space.wrote(at_s * SECOND, 2 * rate)
    return (from_s + seconds) * SECOND


def test_the_time_left_is_known_before_anything_was_written() -> None:
    space = _space()
    space.look(FLOOR_BYTES + 3600 * RATE, prunable=False)
    assert space.seconds_left(0) == 3600


def test_the_time_left_follows_the_rate_of_the_last_minute() -> None:
    space = _space()
    space.look(FLOOR_BYTES + 3600 * RATE, prunable=False)
    now_ns = _record(space, 0, 300, RATE // 2)
    assert 7000 <= space.seconds_left(now_ns) <= 7400
    assert space.seconds_left(now_ns + 2 * 60 * SECOND) == 3600


def test_unarmed_media_go_before_anything_else_is_done() -> None:
    space = _space()
    assert space.look(FLOOR_BYTES - 1, prunable=True) is Due.PRUNE
    assert not space.full
    now_ns = _record(space, 0, 300, RATE)
    assert not space.new_level(now_ns, prunable=True)


def test_below_the_floor_with_nothing_to_prune_media_stop_and_go_on_at_twice_the_floor() -> None:
    space = _space()
    assert space.look(FLOOR_BYTES - 1, prunable=False) is Due.STOP
    assert space.full
    assert space.look(2 * FLOOR_BYTES - 1, prunable=False) is Due.PRUNE
    assert space.full
    assert space.look(2 * FLOOR_BYTES, prunable=False) is Due.NOTHING
    assert not space.full


def test_far_below_the_floor_media_stop_at_once() -> None:
    space = _space()
    assert space.look(FLOOR_BYTES // 2 - 1, prunable=True) is Due.STOP


def test_the_bitrate_goes_down_in_two_steps_and_comes_back_when_there_is_plenty() -> None:
    space = _space()
    levels: list[int] = []
    room, at_s = FLOOR_BYTES + 5000 * RATE, 0
    while room > FLOOR_BYTES:
        rate = RATE >> space.level
        now_ns = _record(space, at_s, 60, rate)
        at_s, room = at_s + 60, room - 60 * rate
        space.look(room, prunable=False)
        if space.new_level(now_ns, prunable=False):
            levels.append(space.level)
    assert levels == [1, 2]
    assert at_s > 5000 * 1.5, "the same disk lasts much longer"
    for _ in range(5):
        space.look(FLOOR_BYTES + (RAISE_ABOVE_S + 600) * RATE, prunable=False)
        now_ns = _record(space, at_s, 120, RATE >> space.level)
        at_s += 120
        if space.new_level(now_ns, prunable=False):
            levels.append(space.level)
    assert levels == [1, 2, 1, 0]


def test_nothing_is_changed_before_a_minute_has_been_watched() -> None:
    space = _space()
    space.look(FLOOR_BYTES + 10 * RATE, prunable=False)
    assert not space.new_level(SETTLING_NS - 1, prunable=False)
    assert space.new_level(SETTLING_NS, prunable=False)
    assert not space.new_level(2 * SETTLING_NS - 1, prunable=False)


def test_a_camera_that_writes_nothing_leaves_a_rate_and_no_division_by_zero() -> None:
    space = Space(nominal=0, now_ns=0)
    space.wrote(SECOND, 0)
    assert space.rate(2 * SECOND) == 1
