"""Privacy masks: parsing, rasterising outward, and that nothing of the zone survives encoding (invariant 7)."""

import hashlib

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from appliance.capture.camera import Picture
from appliance.capture.libx264 import Encoder
from appliance.capture.mask import Mask, MaskPaint
from appliance.capture.paint import Painter, paint_or_blank
from appliance.capture.picture import Canvas, Plane, new_buffer
from base.errors import OperatorError
from evidence.words import Mode
from tests.fakes.clock import FakeClock

BOOTH = [[3001, 3333], [6127, 2999], [7003, 8001], [4000, 6001], [2500, 7501]]
SIZES = [(1280, 720), (638, 358), (322, 242)]


def noise(width: int, height: int, seed: int = 7) -> Plane:
    generator = np.random.default_rng(seed)
    return generator.integers(120, 236, size=(height * 3 // 2, width), dtype=np.uint8)


def pixels_touched(polygon: list[list[int]], width: int, height: int) -> Plane:
    """Every pixel that has one of 7x7 points of its area in the polygon: crossing count, in floating point."""
    steps = (np.arange(7) + 0.5) / 7
    touched = np.zeros((height, width), dtype=np.uint8)
    corners = [(x * width / 10000, y * height / 10000) for x, y in polygon]
    for dy in steps:
        for dx in steps:
            x, y = np.meshgrid(np.arange(width) + dx, np.arange(height) + dy)
            inside = np.zeros((height, width), dtype=bool)
            for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
                if y0 != y1:
                    inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
            touched |= inside
    return touched


def encode_masked(width: int, height: int, pictures: list[Plane]) -> bytes:
    paint = MaskPaint(Mask.parse([BOOTH]), width, height)
    encoder = Encoder(Picture(width=width, height=height, fps=10, bitrate=8_000_000, gop=5))
    coded = b""
    for number, buffer in enumerate(pictures):
        paint.paint(Canvas.over(buffer, width, height))
        for unit in encoder.encode(buffer, boot_ns=number, mode=Mode.TEST, keyframe=number == 0):
            coded += unit.data
    return coded + b"".join(unit.data for unit in encoder.flush())


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_decoded_pictures_are_black_all_over_the_zone(width: int, height: int) -> None:
    coded = encode_masked(width, height, [noise(width, height, number) for number in range(3)])
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    frames = [frame for packet in decoder.parse(coded) + decoder.parse(b"") for frame in decoder.decode(packet)]
    frames += decoder.decode(None)
    zone = pixels_touched(BOOTH, width, height).astype(bool)
    # Quantisation lets the noise outside ring into the rest of an 8x8 transform block; beyond that all is black.
    deep = np.all([np.roll(zone, (dy, dx), axis=(0, 1)) for dy in (-16, 0, 16) for dx in (-16, 0, 16)], axis=0)
    assert len(frames) == 3
    for frame in frames:
        canvas = Canvas.over(frame.to_ndarray().astype(np.uint8), width, height)
        assert canvas.y[zone].max() < 80
        assert canvas.y[deep].max() <= 20
        for plane in (canvas.u, canvas.v):
            assert np.abs(plane[deep[::2, ::2]].astype(int) - 128).max() <= 4
        assert canvas.y[~zone].mean() > 120


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_happens_in_the_zone_changes_no_byte_of_the_coded_video(width: int, height: int) -> None:
    zone = pixels_touched(BOOTH, width, height).astype(bool)
    samples = zone.reshape(height // 2, 2, width // 2, 2).any(axis=(1, 3))
    empty_booth, used_booth = [], []
    for number in range(3):
        scene, other = noise(width, height, number), noise(width, height, 100 + number)
        empty_booth.append(scene.copy())
        before, after = Canvas.over(other, width, height), Canvas.over(scene, width, height)
        after.y[zone], after.u[samples], after.v[samples] = before.y[zone], before.u[samples], before.v[samples]
        used_booth.append(scene)
    assert (empty_booth[0] != used_booth[0]).any()
    assert encode_masked(width, height, empty_booth) == encode_masked(width, height, used_booth)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_painted_zone_is_even_aligned_and_reaches_every_touched_pixel_but_not_far_beyond(
    width: int, height: int
) -> None:
    buffer = noise(width, height)
    canvas = Canvas.over(buffer, width, height)
    MaskPaint(Mask.parse([BOOTH]), width, height).paint(canvas)
    black = canvas.y == 16
    blocks = black.reshape(height // 2, 2, width // 2, 2)
    assert (blocks.all(axis=(1, 3)) == blocks.any(axis=(1, 3))).all()
    assert ((canvas.u == 128) & (canvas.v == 128))[black[::2, ::2]].all()
    touched = pixels_touched(BOOTH, width, height).astype(bool)
    assert black[touched].all()
    padded = np.pad(touched, 4)
    near = [padded[dy : dy + height, dx : dx + width] for dy in range(9) for dx in range(9)]
    assert not (black & ~np.any(near, axis=0)).any()


def test_a_self_crossing_outline_leaves_no_hole() -> None:
    star = [[5000, 500], [7600, 9300], [600, 3700], [9400, 3700], [2400, 9300]]
    canvas = Canvas.over(noise(320, 240), 320, 240)
    MaskPaint(Mask.parse([star]), 320, 240).paint(canvas)
    assert canvas.y[120, 160] == 16


def test_a_zone_thinner_than_a_pixel_is_still_painted() -> None:
    canvas = Canvas.over(noise(64, 64), 64, 64)
    MaskPaint(Mask.parse([[[5000, 0], [5001, 10000], [5000, 10000]]]), 64, 64).paint(canvas)
    assert (canvas.y[:, 32] == 16).all()


def test_the_whole_picture_can_be_masked_with_a_padded_stride() -> None:
    buffer = np.full((240 * 3 // 2, 384), 200, dtype=np.uint8)
    MaskPaint(Mask.parse([[[0, 0], [10000, 0], [10000, 10000], [0, 10000]]]), 320, 240).paint(
        Canvas.over(buffer, 320, 240)
    )
    luma, chroma = buffer[:240], buffer[240:].reshape(240, 192)
    assert (luma[:, :320] == 16).all()
    assert (luma[:, 320:] == 200).all()
    assert (chroma[:, :160] == 128).all()
    assert (chroma[:, 160:] == 200).all()


def test_no_polygons_leave_the_picture_alone() -> None:
    buffer = noise(64, 64)
    before = buffer.copy()
    MaskPaint(Mask.parse([]), 64, 64).paint(Canvas.over(buffer, 64, 64))
    assert (buffer == before).all()


def test_mask_text_is_compact_json_and_the_digest_is_over_it() -> None:
    mask = Mask.parse([[[0, 0], [10000, 0], [5000, 9999]]])
    assert mask.text == "[[[0,0],[10000,0],[5000,9999]]]"
    assert mask.sha256 == hashlib.sha256(mask.text.encode()).hexdigest()
    assert Mask.parse([]).text == "[]"


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("no list", "not a list of polygons"),
        ([[[0, 0], [1, 1]]], "polygon 1 has 2 points"),
        ([[[0, 0], [5, 0], [0, 5]], [[0, 0]] * 65], "polygon 2 has 65 points"),
        ([[[0, 0], [9, 0], [0, 9]]] * 17, "17 polygons"),
        ([[[0, 0], [10001, 0], [0, 9]]], r"\[10001, 0\]"),
        ([[[0, 0], [-1, 0], [0, 9]]], r"\[-1, 0\]"),
        ([[[0, 0], [0.5, 0], [0, 9]]], r"\[0.5, 0\]"),
        ([[[0, 0], [True, 0], [0, 9]]], r"\[True, 0\]"),
        ([[[0, 0], [5, 0, 1], [0, 9]]], r"\[5, 0, 1\]"),
        ([[[0, 0], [5, 5], [9, 9]]], "encloses nothing"),
        ([[[3, 3], [3, 3], [3, 3]]], "encloses nothing"),
        ([5], "polygon 1 is not a list"),
    ],
)
def test_a_wrong_mask_is_refused_with_its_reason(value: object, complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint):
        Mask.parse(value)


def test_a_failing_step_blanks_the_whole_picture_and_is_reported() -> None:
    buffer = noise(64, 64)
    failures: list[Exception] = []

    def fail(canvas: Canvas) -> None:
        raise MemoryError("no room")

    assert paint_or_blank(Canvas.over(buffer, 64, 64), [fail], failures.append)
    assert (buffer[:64] == 16).all()
    assert (buffer[64:] == 128).all()
    assert [str(error) for error in failures] == ["no room"]


def test_a_picture_that_cannot_even_be_blanked_is_withheld() -> None:
    buffer = noise(64, 64)
    canvas = Canvas.over(buffer, 64, 64)
    buffer.flags.writeable = False
    frozen = Canvas(y=buffer[:64], u=canvas.u, v=canvas.v)
    assert not paint_or_blank(frozen, [Canvas.blank], lambda error: None)


def test_a_picture_of_another_size_goes_out_black() -> None:
    picture = Picture(width=128, height=128, fps=10, bitrate=1_000_000, gop=5)
    painter = Painter(picture=picture, mask=Mask.parse([BOOTH]), station="1", camera="a", clock=FakeClock())
    buffer = noise(64, 64)
    assert painter.paint(Canvas.over(buffer, 64, 64), 0, Mode.LIVE)
    assert (buffer[:64] == 16).all()
    assert painter.failures == 1


@pytest.mark.parametrize(
    ("shape", "width", "height"), [((96, 64), 63, 64), ((96, 64), 64, 62), ((96, 62), 64, 64), ((96, 65), 64, 64)]
)
def test_a_buffer_that_cannot_hold_the_picture_is_refused(shape: tuple[int, int], width: int, height: int) -> None:
    with pytest.raises(ValueError, match=r"even|cannot hold"):
        Canvas.over(np.zeros(shape, dtype=np.uint8), width, height)


def test_a_canvas_writes_through_to_its_buffer() -> None:
    buffer = new_buffer(64, 32)
    canvas = Canvas.over(buffer, 64, 32)
    canvas.y[:], canvas.u[:], canvas.v[:] = 1, 2, 3
    assert buffer.reshape(-1).tolist() == [1] * 2048 + [2] * 512 + [3] * 512
