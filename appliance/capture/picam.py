"""The door to picamera2: a camera module on a Raspberry Pi. No other module imports it or libcamera.

Nothing here is typed past this file, because picamera2 is not; nothing here is imported before a camera is opened,
because neither package exists off a Raspberry Pi.
"""

import fcntl
import importlib
import struct
import threading
from pathlib import Path
from typing import Any

from appliance.capture.camera import HANGING, Picture, Sink
from appliance.capture.delivery import Delivery, Stamp, Stamps
from appliance.capture.group import GroupOfPictures, Place
from appliance.capture.libx264 import Encoder
from appliance.capture.paint import Painter
from appliance.capture.picture import Canvas, Plane
from appliance.capture.stillness import Stillness
from base.clock import Clock
from base.errors import OperatorError
from evidence.words import Mode

_BUFFERS = 6
_SILENCE_NS = 5_000_000_000
"""Without a picture for this long the camera counts as dead."""
_STOP_SECONDS = 10
_HARDWARE_ENCODER = Path("/dev/video11")
_VIDIOC_S_CTRL = 0xC008561C
_CID_MPEG_VIDEO_BITRATE = 0x009909CF


def sensor_boot_ns(request: Any) -> int:
    """When the sensor began to read this picture out, on CLOCK_BOOTTIME."""
    controls = importlib.import_module("libcamera").controls
    return int(request.request.metadata[controls.SensorTimestamp])


class PicameraCamera:
    """A libcamera camera through picamera2.

    Encodes with picamera2's hardware H264Encoder where the board has one (Pi 4). Elsewhere (Pi 5) libx264 is called
    directly: picamera2's own software encoder cannot keep groups at a fixed length, because it leaves scene cuts on,
    and its ``force_key_frame`` raises in the camera's thread with PyAV 18.
    """

    def __init__(self, camera_id: str | None, *, picture: Picture, painter: Painter, clock: Clock) -> None:
        """``camera_id`` is libcamera's, as in ``rpicam-hello --list-cameras``; None for the only camera there is."""
        self._camera_id = camera_id
        self._picture = picture
        self._painter = painter
        self._clock = clock
        self._mode = Mode.UNARMED
        self._group = GroupOfPictures(picture.gop, self._mode)
        self._picam2: Any = None
        self._hardware: Any = None
        self._software: Encoder | None = None
        self._delivery: Delivery | None = None
        self._stamps = Stamps()
        self._started_ns = 0
        self._closing: threading.Thread | None = None
        """Stops the driver, which may take longer than anybody waits, or for ever."""
        self._stillness = Stillness()
        self._bitrate = picture.bitrate

    @property
    def source(self) -> str:
        return "picamera2"

    def start(self, sink: Sink) -> None:
        if self._picam2 is not None:
            raise RuntimeError("the camera is already running")
        if self._stuck():
            raise OperatorError("The camera driver no longer answers.", hint="Only a new process or a reboot helps.")
        picamera2 = _load()
        picam2 = _open(picamera2, self._camera_id)
        try:
            _configure(picam2, self._picture)
            hardware = self._hardware = _new_hardware_encoder(self._picture, self._bitrate)
            self._software = Encoder(self._picture) if hardware is None else None
            if self._software is not None:
                self._software.set_bitrate(self._bitrate)
            self._stamps = Stamps()
            self._delivery = Delivery(sink, self._stamps, lambda: hardware.firsttimestamp)
            self._group = GroupOfPictures(self._picture.gop, self._mode)
            self._started_ns = self._clock.boot_ns()
            picam2.pre_callback = self._take
            if hardware is not None:
                # The encoder runs before the camera does, so that every picture that is painted is also encoded.
                picam2.start_encoder(hardware, _new_output(self._delivery))
            picam2.start()
        except OperatorError:
            picam2.close()
            raise
        except Exception as error:
            _close(picam2)
            raise OperatorError(f"The camera does not start: {error}.", hint="Check ribbon cable and power.") from error
        self._picam2 = picam2

    def stop(self) -> None:
        """Gives up on a driver that hangs after 10 s; ``failure`` and ``start`` say so for as long as it does."""
        picam2, self._picam2 = self._picam2, None
        if picam2 is None:
            return
        self._closing = threading.Thread(target=_close, args=(picam2,), name="picamera2-stop", daemon=True)
        self._closing.start()
        self._closing.join(_STOP_SECONDS)
        if self._delivery is not None:
            if self._software is not None and not self._stuck():
                for unit in self._software.flush():
                    self._delivery.pass_on(unit)
            self._delivery.end("stopped")

    def set_mode(self, mode: Mode) -> None:
        self._mode = mode
        self._group.ask(mode)

    def set_bitrate(self, bitrate: int) -> bool:
        self._bitrate = bitrate
        if self._software is not None:
            self._software.set_bitrate(bitrate)
        return self._picam2 is None or self._hardware is None or _set_hardware_bitrate(self._hardware, bitrate)

    def failure(self) -> str | None:
        if self._stuck():
            return HANGING
        if self._picam2 is None or self._delivery is None:
            return None
        if self._delivery.failure is not None:
            return self._delivery.failure
        silent_ns = self._clock.boot_ns() - (self._delivery.last_boot_ns or self._started_ns)
        if silent_ns > _SILENCE_NS:
            return f"no picture for {silent_ns // 1_000_000_000} s"
        return None

    def _stuck(self) -> bool:
        return self._closing is not None and self._closing.is_alive()

    def _take(self, request: Any) -> None:
        """Paint a picture before any encoder reads it, in the camera's thread.

        Never raises: picamera2 would leak the request's buffers and starve.
        """
        delivery = self._delivery
        if delivery is None or delivery.failure is not None:
            return
        try:
            boot_ns = sensor_boot_ns(request)
            place = self._group.place(boot_ns)
            if self._hardware is not None and place.untimely:
                self._hardware.force_key_frame()
            with importlib.import_module("picamera2").MappedArray(request, "main") as mapped:
                self._paint_and_encode(mapped.array, boot_ns, place, delivery)
        except Exception as error:
            # The hardware still encodes this picture, unpainted; what it makes of it goes nowhere.
            delivery.end(f"a picture could not be painted: {type(error).__name__}: {error}")

    def _paint_and_encode(self, buffer: Plane, boot_ns: int, place: Place, delivery: Delivery) -> None:
        canvas = Canvas.over(buffer, self._picture.width, self._picture.height)
        if self._stillness.too_still(canvas.y, boot_ns):
            delivery.end("the picture stands still to the last bit")
            return
        if not self._painter.paint(canvas, boot_ns, place.mode):
            delivery.end(f"a picture could be neither painted nor blanked: {self._painter.last_failure}")
        elif self._software is None:
            self._stamps.add(Stamp(boot_ns=boot_ns, mode=place.mode))
        else:
            for unit in self._software.encode(buffer, boot_ns=boot_ns, mode=place.mode, keyframe=place.begins):
                delivery.pass_on(unit)


def _load() -> Any:
    try:
        return importlib.import_module("picamera2")
    except ImportError as error:
        raise OperatorError(
            f"The camera needs picamera2 and libcamera, which are not here ({error});"
            " use the camera pattern or replay:FILE instead, or run on Raspberry Pi OS."
        ) from error


def _open(picamera2: Any, camera_id: str | None) -> Any:
    """Open by libcamera's id. ``Picamera2(n)`` takes the place in its own list, not libcamera's number."""
    ids = [str(info["Id"]) for info in picamera2.Picamera2.global_camera_info()]
    if not ids:
        raise OperatorError("libcamera finds no camera.", hint="Check the ribbon cable, then restart.")
    if camera_id is None and len(ids) > 1:
        raise OperatorError(f"There are {len(ids)} cameras.", hint=f"Name one: picamera2:ID, of {', '.join(ids)}.")
    wanted = ids[0] if camera_id is None else camera_id
    if wanted not in ids:
        raise OperatorError(f"There is no camera {wanted}.", hint=f"Present: {', '.join(ids)}.")
    try:
        picam2 = picamera2.Picamera2(ids.index(wanted))
    except Exception as error:
        raise OperatorError(
            f"The camera {wanted} cannot be opened: {error}.", hint="Another program may be using it."
        ) from error
    if picam2.camera.id != wanted:
        picam2.close()
        raise OperatorError(f"Asked for camera {wanted}, got another.", hint="Report this with the picamera2 version.")
    return picam2


def _configure(picam2: Any, picture: Picture) -> None:
    """Raises OperatorError where the camera would deliver another size or format; picamera2 adjusts without a word."""
    size = (picture.width, picture.height)
    frame_us = 1_000_000 // picture.fps
    picam2.configure(
        picam2.create_video_configuration(
            main={"size": size, "format": "YUV420"},
            buffer_count=_BUFFERS,
            controls={"FrameDurationLimits": (frame_us, frame_us)},
            display=None,
            queue=False,
        )
    )
    got = picam2.camera_configuration()["main"]
    if tuple(got["size"]) != size or got["format"] != "YUV420":
        raise OperatorError(
            f"The camera cannot deliver {picture.width}x{picture.height}: it offers {got['size']} {got['format']}.",
            hint="Configure a size that the camera has.",
        )


def _set_hardware_bitrate(encoder: Any, bitrate: int) -> bool:
    """Ask the running V4L2 encoder; False where it does not take it (VIDIOC_S_CTRL of linux/videodev2.h)."""
    try:
        fcntl.ioctl(encoder.vd, _VIDIOC_S_CTRL, struct.pack("=Ii", _CID_MPEG_VIDEO_BITRATE, bitrate))
    except (AttributeError, OSError, TypeError, ValueError):
        return False
    return True


def _new_hardware_encoder(picture: Picture, bitrate: int) -> Any:
    """picamera2's encoder for the board's H.264 hardware, or None where there is none."""
    encoders = importlib.import_module("picamera2.encoders")
    if encoders.H264Encoder is encoders.LibavH264Encoder or not _HARDWARE_ENCODER.exists():
        return None
    return encoders.H264Encoder(
        bitrate=bitrate, repeat=True, iperiod=picture.gop, framerate=picture.fps, profile="high"
    )


def _new_output(delivery: Delivery) -> Any:
    base: Any = importlib.import_module("picamera2.outputs").Output

    class Output(base):  # type: ignore[misc]
        """Called in the encoder's thread under its lock; whatever raises or waits here stops the camera."""

        def outputframe(
            self, frame: Any, keyframe: Any = True, timestamp: Any = None, packet: Any = None, audio: Any = False
        ) -> None:
            if not audio:
                delivery.give(frame, keyframe, timestamp)

    return Output()


def _close(picam2: Any) -> None:
    """Camera first, then the encoder, so that what was captured is still encoded."""
    for step in (picam2.stop, picam2.stop_encoder, picam2.close):
        try:
            step()
        except Exception:
            continue
