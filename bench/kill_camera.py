"""A network camera whose pictures carry a number, so that a recording tells when each of them was taken."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from appliance.capture.camera import Picture
from appliance.capture.pattern import TestCard
from appliance.capture.picture import Canvas, Plane, new_buffer

_BITS = 16
"""65,536 numbers last more than an hour at 15 pictures a second."""
_ONES = (1 << _BITS) - 1
_DARK, _LIGHT = 16, 235
_WAIT_S = 1.0
_BOUNDARY = "picture"


def write_number(luma: Plane, number: int) -> None:
    """Paint ``number`` and its complement along the upper edge, as a row of dark and light blocks."""
    side = luma.shape[1] // (2 * _BITS)
    code = number << _BITS | number ^ _ONES
    for place in range(2 * _BITS):
        lit = code >> (2 * _BITS - 1 - place) & 1
        luma[:side, place * side : (place + 1) * side] = _LIGHT if lit else _DARK


def read_number(luma: Plane) -> int | None:
    """What `write_number` painted; None where no number stands there."""
    side = luma.shape[1] // (2 * _BITS)
    edge = side // 4
    blocks = luma[edge : side - edge, : 2 * _BITS * side].reshape(side - 2 * edge, 2 * _BITS, side)
    code = 0
    for mean in blocks[:, :, edge : side - edge].mean(axis=(0, 2)):
        code = code << 1 | int(mean > (_DARK + _LIGHT) / 2)
    number = code >> _BITS
    return number if number ^ _ONES == code & _ONES else None


def luma_of(frame: av.VideoFrame) -> Plane:
    """The brightness of a decoded picture."""
    return np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)


def read_pictures(file: BinaryIO) -> list[av.VideoFrame]:
    """Every whole picture that FFmpeg's libraries decode, up to the first error; empty where they read none."""
    frames: list[av.VideoFrame] = []
    try:
        with av.open(file, "r") as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            for packet in container.demux(stream):
                frames.extend(frame for frame in packet.decode() if not frame.is_corrupt)
    except (FFmpegError, IndexError):
        # IndexError: a header without a video stream. What came before an error has been read all the same.
        pass
    return frames


class NumberedCamera:
    """The recorder's own test card as Motion JPEG over HTTP on loopback.

    On it a number, and a sensor's noise: without that the encoders would not get near the bitrate asked for, and a
    buffer of so many bytes would hold more seconds than it should.
    """

    def __init__(self, picture: Picture) -> None:
        self.taken_ns: list[int] = []
        """When each picture was taken, in boot time; the place is the picture's number."""
        self._picture = picture
        self._newest = b""
        self._changed = threading.Condition()
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[str]:
        """The address to read from. The camera runs until the block is left, whether anybody reads or not."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threads = [threading.Thread(target=work, daemon=True) for work in (self._shoot, server.serve_forever)]
        for thread in threads:
            thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            self._stopping.set()
            server.shutdown()
            for thread in threads:
                thread.join()
            server.server_close()

    def _shoot(self) -> None:
        width, height, fps = self._picture.width, self._picture.height, self._picture.fps
        encoder = _jpeg_encoder(self._picture)
        card, buffer = TestCard(width, height), new_buffer(width, height)
        canvas = Canvas.over(buffer, width, height)
        noise = np.random.default_rng(1).integers(0, 7, (16, height, width), dtype=np.uint8)
        begin_ns = boot_ns()
        for number in range(_ONES):
            due_ns = begin_ns + number * 1_000_000_000 // fps
            if self._stopping.wait(max(0, due_ns - boot_ns()) / 1e9):
                return
            taken_ns = boot_ns()
            card.draw(canvas, boot_ns=taken_ns, elapsed_ns=taken_ns - begin_ns)
            canvas.y[:] = np.minimum(canvas.y, 228) + noise[number % len(noise)]
            write_number(canvas.y, number)
            frame = av.VideoFrame.from_ndarray(buffer, format="yuvj420p")
            frame.pts = number
            jpeg = b"".join(bytes(packet) for packet in encoder.encode(frame))
            with self._changed:
                self.taken_ns.append(taken_ns)
                self._newest = jpeg
                self._changed.notify_all()

    def _pictures(self) -> Iterator[bytes]:
        """Each new picture, until the camera stops; a reader that is too slow misses some."""
        sent = len(self.taken_ns)
        while not self._stopping.is_set():
            with self._changed:
                self._changed.wait(_WAIT_S)
                taken, newest = len(self.taken_ns), self._newest
            if taken > sent:
                sent = taken
                yield newest

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pictures = self._pictures

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
                self.end_headers()
                try:
                    for jpeg in pictures():
                        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                        self.wfile.write(head.encode() + jpeg + b"\r\n")
                except OSError:
                    self.close_connection = True  # the reader was killed, as it is meant to be

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def _jpeg_encoder(picture: Picture) -> VideoCodecContext:
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuvj420p"
    encoder.time_base = Fraction(1, picture.fps)
    encoder.options = {"qmin": "2", "qmax": "3"}
    return encoder


def boot_ns() -> int:
    """The one clock of cameras, lives and kills."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
