"""What of the Raspberry Pi camera can be tested without one: its refusal, and its way out of the encoder."""

import importlib.util
import threading

import pytest

from appliance.capture import picam
from appliance.capture.camera import HANGING, AccessUnit, Picture
from appliance.capture.delivery import Delivery, Stamp, Stamps
from appliance.capture.mask import Mask
from appliance.capture.picam import PicameraCamera
from appliance.capture.source import open_camera
from base.errors import OperatorError
from evidence.words import Mode
from tests.fakes.clock import FakeClock

FIRST_NS = 1_234_567_890_123
FRAME_NS = 66_666_667


def taken(count: int) -> tuple[Stamps, list[int]]:
    stamps = Stamps()
    times = [FIRST_NS + number * FRAME_NS for number in range(count)]
    for number, boot_ns in enumerate(times):
        stamps.add(Stamp(boot_ns=boot_ns, mode=Mode.TEST if number < 2 else Mode.LIVE))
    return stamps, times


def relative_us(boot_ns: int) -> int:
    """As picamera2 counts: microseconds since the first encoded picture, both cut to microseconds."""
    return int(boot_ns / 1000) - int(FIRST_NS / 1000)


@pytest.mark.skipif(importlib.util.find_spec("libcamera") is not None, reason="libcamera is here")
def test_without_libcamera_one_sentence_names_the_alternatives() -> None:
    picture = Picture(width=1280, height=720, fps=15, bitrate=2_000_000, gop=30)
    camera = open_camera("picamera2", station="1", camera="a", picture=picture, mask=Mask.parse([]), clock=FakeClock())
    with pytest.raises(OperatorError) as refusal:
        camera.start(lambda unit: None)
    text = str(refusal.value)
    assert "pattern" in text
    assert "replay:FILE" in text
    assert text.count(". ") == 0
    assert camera.failure() is None
    camera.stop()


def test_relative_microseconds_become_the_sensors_exact_time_and_the_pictures_mode() -> None:
    stamps, times = taken(4)
    units: list[AccessUnit] = []
    delivery = Delivery(units.append, stamps, lambda: int(FIRST_NS / 1000))
    for number, boot_ns in enumerate(times):
        delivery.give(b"picture", number == 0, relative_us(boot_ns))
    assert [unit.boot_ns for unit in units] == times
    assert [unit.mode for unit in units] == [Mode.TEST, Mode.TEST, Mode.LIVE, Mode.LIVE]
    assert delivery.failure is None
    assert delivery.last_boot_ns == times[-1]


def test_a_picture_that_the_encoder_swallowed_is_a_hole_and_nothing_shifts() -> None:
    stamps, times = taken(4)
    units: list[AccessUnit] = []
    delivery = Delivery(units.append, stamps, lambda: int(FIRST_NS / 1000))
    for number in (0, 3):
        delivery.give(b"picture", number == 0, relative_us(times[number]))
    assert [unit.boot_ns for unit in units] == [times[0], times[3]]


def test_nothing_is_delivered_before_the_first_keyframe() -> None:
    stamps, times = taken(3)
    units: list[AccessUnit] = []
    delivery = Delivery(units.append, stamps, lambda: int(FIRST_NS / 1000))
    for number, boot_ns in enumerate(times):
        delivery.give(b"picture", number == 1, relative_us(boot_ns))
    assert [unit.boot_ns for unit in units] == times[1:]


@pytest.mark.parametrize(
    ("data", "timestamp"), [(b"x", 999_999_999), (b"x", -5_000), (b"x", None), (None, 0), (b"x", "soon")]
)
def test_whatever_an_encoder_hands_over_nothing_is_raised_and_delivery_ends_with_a_reason(
    data: object, timestamp: object
) -> None:
    stamps, _ = taken(2)
    units: list[AccessUnit] = []
    delivery = Delivery(units.append, stamps, lambda: int(FIRST_NS / 1000))
    delivery.give(data, True, timestamp)
    assert delivery.failure
    delivery.give(b"good", True, 0)
    assert units == []


def test_a_sink_that_raises_ends_the_delivery_instead_of_the_encoders_thread() -> None:
    stamps, _ = taken(2)

    def broken(unit: AccessUnit) -> None:
        raise RuntimeError("queue is gone")

    delivery = Delivery(broken, stamps, lambda: int(FIRST_NS / 1000))
    delivery.give(b"picture", True, 0)
    assert "queue is gone" in (delivery.failure or "")


def test_after_a_picture_that_could_not_be_painted_nothing_leaves() -> None:
    stamps, times = taken(2)
    units: list[AccessUnit] = []
    delivery = Delivery(units.append, stamps, lambda: int(FIRST_NS / 1000))
    delivery.give(b"picture", True, 0)
    delivery.end("a picture could be neither painted nor blanked")
    delivery.give(b"picture", True, relative_us(times[1]))
    assert len(units) == 1
    assert delivery.failure == "a picture could be neither painted nor blanked"


def test_a_driver_that_stops_late_is_tried_again_and_one_that_does_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Picture(width=1280, height=720, fps=15, bitrate=2_000_000, gop=30)
    camera = open_camera("picamera2", station="1", camera="a", picture=picture, mask=Mask.parse([]), clock=FakeClock())
    assert isinstance(camera, PicameraCamera)
    released = threading.Event()
    monkeypatch.setattr(picam, "_STOP_SECONDS", 0.01)
    monkeypatch.setattr(picam, "_close", lambda driver: released.wait())
    camera._picam2 = object()
    camera.stop()
    assert camera.failure() == HANGING
    with pytest.raises(OperatorError, match="no longer answers"):
        camera.start(lambda unit: None)
    released.set()
    assert camera._closing is not None
    camera._closing.join(20)
    assert camera.failure() is None
