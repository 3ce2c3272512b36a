"""The bridge: bounded, never silent about what it drops."""

import threading

from appliance.capture.bridge import Break, Bridge, Dropped
from appliance.capture.camera import AccessUnit
from evidence.words import Mode


def unit(boot_ns: int, *, size: int = 10, keyframe: bool = False) -> AccessUnit:
    return AccessUnit(data=bytes(size), boot_ns=boot_ns, keyframe=keyframe, mode=Mode.TEST)


def new_bridge(limit_bytes: int = 1000, limit_ns: int = 1000) -> Bridge:
    return Bridge(limit_bytes=limit_bytes, limit_ns=limit_ns, arrived=threading.Event())


def test_what_goes_in_comes_out_in_order_and_once() -> None:
    bridge = new_bridge()
    units = [unit(0, keyframe=True), unit(1), unit(2)]
    for each in units:
        bridge.put(each)
    assert bridge.drain() == units
    assert bridge.drain() == []


def test_every_put_sets_the_event() -> None:
    arrived = threading.Event()
    bridge = Bridge(limit_bytes=1, limit_ns=1, arrived=arrived)
    bridge.put(unit(0))
    assert arrived.is_set()
    arrived.clear()
    bridge.put(unit(5))
    assert arrived.is_set()


def test_full_by_bytes_it_drops_up_to_the_next_keyframe_and_tells() -> None:
    bridge = new_bridge(limit_bytes=25)
    kept = [unit(0, keyframe=True), unit(1)]
    for each in [*kept, unit(2), unit(3, size=1)]:
        bridge.put(each)
    assert bridge.drain() == [*kept, Dropped(count=2, first_boot_ns=2, last_boot_ns=3)]
    bridge.put(unit(4))
    assert bridge.drain() == [Dropped(count=1, first_boot_ns=4, last_boot_ns=4)]
    key = unit(5, keyframe=True)
    bridge.put(key)
    bridge.put(unit(6))
    assert bridge.drain() == [key, unit(6)]
    assert bridge.traffic().pictures_dropped == 3


def test_full_by_duration_it_drops_even_small_pictures() -> None:
    bridge = new_bridge(limit_ns=100)
    bridge.put(unit(0, keyframe=True))
    bridge.put(unit(100))
    bridge.put(unit(101, size=0))
    assert bridge.drain()[2:] == [Dropped(count=1, first_boot_ns=101, last_boot_ns=101)]


def test_one_picture_larger_than_the_bound_still_passes_an_empty_bridge() -> None:
    bridge = new_bridge(limit_bytes=5)
    bridge.put(unit(0, keyframe=True, size=50))
    assert bridge.drain() == [unit(0, keyframe=True, size=50)]


def test_a_keyframe_that_finds_no_room_is_dropped_with_its_group() -> None:
    bridge = new_bridge(limit_bytes=25)
    for each in [unit(0, keyframe=True), unit(1, size=15), unit(2, keyframe=True), unit(3)]:
        bridge.put(each)
    assert bridge.drain()[-1] == Dropped(count=2, first_boot_ns=2, last_boot_ns=3)


def test_a_bridge_that_nobody_reads_stays_small() -> None:
    bridge = new_bridge(limit_bytes=100, limit_ns=10**12)
    for number in range(10_000):
        bridge.put(unit(number, keyframe=number % 2 == 0))
    items = bridge.drain()
    assert len(items) == 11
    assert items[-1] == Dropped(count=9_990, first_boot_ns=10, last_boot_ns=9_999)


def test_traffic_accounts_for_every_picture_and_knows_the_newest() -> None:
    bridge = new_bridge(limit_bytes=25)
    assert bridge.traffic().last_boot_ns is None
    for number in range(5):
        bridge.put(unit(number, keyframe=number == 0))
    traffic = bridge.traffic()
    assert (traffic.pictures_in, traffic.pictures_dropped, traffic.last_boot_ns) == (5, 3, 4)


def test_pictures_from_another_thread_are_all_accounted_for() -> None:
    bridge = new_bridge(limit_bytes=200, limit_ns=10**12)

    def write() -> None:
        for number in range(5_000):
            bridge.put(unit(number, keyframe=number % 5 == 0))

    writer = threading.Thread(target=write)
    writer.start()
    items: list[AccessUnit | Dropped] = []
    while writer.is_alive():
        items += (item for item in bridge.drain() if not isinstance(item, Break))
    writer.join()
    items += (item for item in bridge.drain() if not isinstance(item, Break))
    seen = sum(item.count if isinstance(item, Dropped) else 1 for item in items)
    times = [item.first_boot_ns if isinstance(item, Dropped) else item.boot_ns for item in items]
    assert seen == 5_000
    assert times == sorted(times)


def test_pictures_after_a_break_find_room_although_nobody_has_read_the_break() -> None:
    bridge = new_bridge(limit_ns=100)
    bridge.put(unit(0, keyframe=True))
    bridge.drain()
    bridge.put_break("camera lost")
    bridge.put(unit(5_000, keyframe=True))
    assert bridge.drain() == [Break(reason="camera lost"), unit(5_000, keyframe=True)]
