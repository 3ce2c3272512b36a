"""Replaying H.264 as it is: no decoding, no masks, no caption; for benchmarks and emulation."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from appliance.capture.camera import AccessUnit, Sink
from appliance.capture.group import LONGEST_HOLE_NS
from appliance.capture.replay import open_video, picture_ns
from base.clock import Clock
from base.errors import OperatorError
from cmaf.annexb import NalType, holds_idr, split
from cmaf.errors import MediaError
from evidence.words import Mode

_SECOND_NS = 1_000_000_000
_START_CODE = b"\0\0\0\1"
_HINT = "Use replay:FILE, which encodes again, or convert with: ffmpeg -i IN -c:v libx264 -bf 0 -an OUT.mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    data: bytes
    keyframe: bool
    offset_ns: int


class RawReplayCamera:
    """Passes a file's H.264 access units through at real speed, looped with continuous time.

    The picture says nothing about station, time or mode, so LIVE is refused. Size, rate and group length are the
    file's own; a configured ``Picture`` has no say.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._mode = Mode.UNARMED
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: str | None = None

    @property
    def source(self) -> str:
        return "replay-raw"

    def start(self, sink: Sink) -> None:
        """Reads the whole file once before the first picture, to be sure that it can be passed through."""
        if self._thread is not None:
            raise RuntimeError("the camera is already running")
        _check(self._path)
        self._failure = None
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(sink,), name=self.source, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._stopping.set()
            self._thread.join()
            self._thread = None

    def set_mode(self, mode: Mode) -> None:
        """Raises OperatorError for LIVE."""
        if mode is Mode.LIVE:
            raise OperatorError(
                "A raw replay cannot be LIVE: its pictures carry neither masks nor a caption.",
                hint="Use a camera, or replay:FILE.",
            )
        self._mode = mode

    def set_bitrate(self, bitrate: int) -> bool:
        """The file's pictures are as they are."""
        return True

    def failure(self) -> str | None:
        return self._failure

    def _run(self, sink: Sink) -> None:
        try:
            self._play(sink)
        except Exception as error:
            self._failure = f"{self.source} stopped: {type(error).__name__}: {error}"

    def _play(self, sink: Sink) -> None:
        start_ns = self._clock.boot_ns()
        last_ns = start_ns - 1
        mode = self._mode
        waiting_for_keyframe = True
        for sample in _loop(self._path):
            boot_ns = start_ns + sample.offset_ns
            now_ns = self._clock.boot_ns()
            if boot_ns > now_ns and self._clock.wait(self._stopping, (boot_ns - now_ns) / _SECOND_NS):
                return
            if self._stopping.is_set():
                return
            if now_ns - boot_ns > LONGEST_HOLE_NS:
                # Held up: leave pictures out up to the first keyframe that is on time, and let the hole show.
                waiting_for_keyframe = True
                continue
            if waiting_for_keyframe and not sample.keyframe:
                continue
            waiting_for_keyframe = False
            if sample.keyframe:
                mode = self._mode
            last_ns = max(boot_ns, last_ns + 1)
            sink(AccessUnit(data=sample.data, boot_ns=last_ns, keyframe=sample.keyframe, mode=mode))


def _check(path: Path) -> None:
    """Raises OperatorError unless the file is H.264 in which coding order is display order, with a keyframe in it."""
    container, stream = open_video(path)
    with container:
        if stream.codec_context.name != "h264":
            raise OperatorError(f"{path} is {stream.codec_context.name}, not H.264.", hint=_HINT)
        if stream.codec_context.has_b_frames:
            raise OperatorError(f"{path} has B-frames.", hint=_HINT)
    keyframes = 0
    try:
        for sample in _once(path):
            keyframes += sample.keyframe
            if any(_is_b_slice(nal) for nal in split(sample.data)):
                raise OperatorError(f"{path} has B-frames.", hint=_HINT)
    except (av.FFmpegError, MediaError) as error:
        raise OperatorError(f"{path} is damaged: {error}.", hint="Give a complete file.") from error
    if not keyframes:
        raise OperatorError(f"{path} has no keyframe to begin with.", hint=_HINT)


def _is_b_slice(nal: memoryview) -> bool:
    """Reads slice_type, the second Exp-Golomb number of a slice header (H.264, 7.3.3 and table 7-6)."""
    if nal[0] & 0x1F not in (NalType.SLICE, NalType.IDR):
        return False
    bits = "".join(f"{byte:08b}" for byte in nal[1:16])
    at = value = 0
    for _ in range(2):
        zeros = bits.find("1", at) - at
        if zeros < 0:
            return False
        value = int(bits[at + zeros : at + 2 * zeros + 1], 2) - 1
        at += 2 * zeros + 1
    return value % 5 == 1


def _loop(path: Path) -> Iterator[_Sample]:
    """The file over and over, times running on; the last picture of a loop lasts as long as the one before it."""
    begin_ns = 0
    while True:
        last_ns, step_ns = begin_ns, 1
        for sample in _once(path):
            at_ns = begin_ns + sample.offset_ns
            step_ns, last_ns = max(1, at_ns - last_ns), at_ns
            yield _Sample(data=sample.data, keyframe=sample.keyframe, offset_ns=at_ns)
        begin_ns = last_ns + step_ns


def _once(path: Path) -> Iterator[_Sample]:
    """The file's access units in Annex B, parameter sets before every keyframe, times counted from the first."""
    container, stream = open_video(path)
    with container:
        period_ns = picture_ns(stream)
        annexb = BitStreamFilterContext("h264_mp4toannexb", stream)
        extradata = stream.codec_context.extradata or b""
        # A byte stream begins with a zero byte, an avcC record with a one; the filter itself inserts from the latter.
        parameter_sets = extradata if extradata[:1] == b"\0" else b""
        first_ns: int | None = None
        at_ns = -period_ns
        for packet in container.demux(stream):
            for unit in annexb.filter(packet) if packet.size else []:
                data = bytes(unit)
                nals = split(data)
                own = [bytes(nal) for nal in nals if nal[0] & 0x1F in (NalType.SPS, NalType.PPS)]
                keyframe = holds_idr(nals)
                if own:
                    parameter_sets = b"".join(_START_CODE + nal for nal in own)
                elif keyframe:
                    data = parameter_sets + data
                stamp = unit.dts if unit.dts is not None else unit.pts
                if stamp is None or unit.time_base is None:
                    at_ns += period_ns
                else:
                    stamp_ns = int(stamp * unit.time_base * _SECOND_NS)
                    first_ns = stamp_ns if first_ns is None else first_ns
                    at_ns = stamp_ns - first_ns
                yield _Sample(data=data, keyframe=keyframe, offset_ns=at_ns)
