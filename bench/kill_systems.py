"""The recorders that are killed: how each is started, ended in good order, and its files read."""

import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.capture.camera import Picture
from bench.kill_camera import NumberedCamera, luma_of, read_number, read_pictures
from unbroken.demo_station import CHAIR_PIN, INSTALLER_PIN, make_station

PATIENCE_S = 30
SEGMENT_S = 2
_SAID = 2000
_LONG_S = 60
"""As Debian sets motion: longer than any life here."""
CAMERA = Picture(width=320, height=240, fps=15, bitrate=2_000_000, gop=SEGMENT_S * 15)
"""motion wants sides in multiples of eight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Time without pictures of which a recorder itself tells: begin and end in boot time, and the cause."""

    from_ns: int
    to_ns: int
    cause: str


class Recorder(Protocol):
    """One recorder with the folder that all its lives write to."""

    name: str

    def start(self, life: int) -> "subprocess.Popen[bytes]":
        """Begin to record, as a supervisor would after a crash."""

    def files(self) -> set[Path]:
        """Every file with video, or meant to hold some, that lies there now."""

    def finish(self, process: "subprocess.Popen[bytes]") -> None:
        """End the process in good order."""

    def taken_ns(self, path: Path) -> list[int]:
        """When the pictures that can be read in a file were taken, in boot time; empty where none can."""

    def holes(self) -> list[Hole]:
        """What the recorder tells of time without pictures."""

    def said(self) -> str:
        """The end of its log, for the error that somebody reads."""


class _Logged:
    def __init__(self, log: Path) -> None:
        self._log = log

    def said(self) -> str:
        return self._log.read_text(errors="replace")[-_SAID:] if self._log.exists() else ""

    def _launch(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


class Unbroken(_Logged):
    """A throwaway station with the test card as its camera."""

    name = "unbroken"

    def __init__(self, folder: Path) -> None:
        self._station = make_station(folder, ["pattern"], size=(CAMERA.width, CAMERA.height))
        super().__init__(folder / "log")
        self._verb("init")

    def start(self, life: int) -> "subprocess.Popen[bytes]":
        return self._launch([*_UNBROKEN, "station", "record", "--config", str(self._station.config)])

    def files(self) -> set[Path]:
        data = self._station.data
        return {path for path in data.rglob("*.m4s*") if path.is_file()}

    def finish(self, process: "subprocess.Popen[bytes]") -> None:
        self._verb("close", pins=f"{INSTALLER_PIN}\n{CHAIR_PIN}\n")
        process.wait(PATIENCE_S)

    def taken_ns(self, path: Path) -> list[int]:
        """Media time is boot time; a segment plays behind the init segment of its run."""
        init = path.with_name("init.mp4")
        head = init.read_bytes() if init.exists() else b""
        frames = read_pictures(io.BytesIO(head + path.read_bytes()))
        return [round(frame.time * 1e9) for frame in frames]

    def holes(self) -> list[Hole]:
        """The gaps that `unbroken verify` finds told. Raises RuntimeError where the record is not verified."""
        command = [*_UNBROKEN, "verify", str(self._station.data), "--json", "--trust", str(self._station.root)]
        answer = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
        if answer["verdict"] != "verified":
            raise RuntimeError(f"the record is not verified: {answer['records'][0]['findings']}")
        gaps = answer["records"][0]["cameras"][0]["gaps"]
        return [Hole(from_ns=gap["from"]["boot_ns"], to_ns=gap["to"]["boot_ns"], cause=gap["cause"]) for gap in gaps]

    def _verb(self, verb: str, pins: str = "") -> None:
        command = [*_UNBROKEN, "station", verb, "--config", str(self._station.config)]
        subprocess.run(command, input=pins.encode(), check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S)


class Peer(_Logged):
    """A program that records the numbered camera, each life into a folder of its own."""

    def __init__(self, name: str, folder: Path, camera: NumberedCamera, command: "Command") -> None:
        """``command`` is given the folder to write to."""
        self.name = name
        self._camera = camera
        self._command = command
        self._media = folder / "media"
        self._media.mkdir(parents=True)
        super().__init__(folder / "log")

    def start(self, life: int) -> "subprocess.Popen[bytes]":
        folder = self._media / f"{life:02}"
        folder.mkdir()
        return self._launch(self._command(folder))

    def files(self) -> set[Path]:
        return {path for path in self._media.rglob("*") if path.is_file()}

    def finish(self, process: "subprocess.Popen[bytes]") -> None:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)

    def taken_ns(self, path: Path) -> list[int]:
        with path.open("rb") as file:
            numbers = [read_number(luma_of(frame)) for frame in read_pictures(file)]
        return [self._camera.taken_ns[number] for number in numbers if number is not None]

    def holes(self) -> list[Hole]:
        """None: there is nothing but video. Raises RuntimeError where a file might say more, for somebody to look."""
        more = sorted(path.name for path in self.files() if path.suffix not in (".mp4", ".mkv"))
        if more:
            raise RuntimeError(f"{self.name} left files that are not video: {', '.join(more)}")
        return []


Command = Callable[[Path], Sequence[str]]

_UNBROKEN = [sys.executable, "-m", "unbroken"]


def peers(folder: Path, camera: NumberedCamera, url: str) -> list[Peer]:
    """The peers, each under a folder of its own, all reading the camera at ``url``."""

    def ffmpeg(*output: str) -> list[str]:
        return [
            *("ffmpeg", "-v", "error", "-fflags", "nobuffer", "-threads", "1", "-r", str(CAMERA.fps)),
            *("-f", "mpjpeg", "-i", url, "-pix_fmt", "yuv420p"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
            *("-g", str(CAMERA.gop), "-b:v", str(CAMERA.bitrate), *output),
        ]

    def segments(media: Path) -> list[str]:
        cut = ["-f", "segment", "-segment_format", "mp4", "-segment_time", str(SEGMENT_S), "-reset_timestamps", "1"]
        return ffmpeg(*cut, str(media / "%05d.mp4"))

    def fragmented(media: Path) -> list[str]:
        return ffmpeg("-movflags", "frag_keyframe+empty_moov+default_base_moof", str(media / "all.mp4"))

    def flushed(media: Path) -> list[str]:
        cut = ["-movflags", "empty_moov+default_base_moof", "-frag_duration", "500000", "-flush_packets", "1"]
        return ffmpeg(*cut, str(media / "all.mp4"))

    def motion(codec: str, longest_s: int) -> Command:
        def command(media: Path) -> list[str]:
            settings = media.parent.with_name(f"motion-{media.name}.conf")
            values = _MOTION | {"netcam_url": url, "target_dir": str(media)}
            values |= {"movie_codec": codec, "movie_max_time": str(longest_s)}
            settings.write_text("".join(f"{key} {value}\n" for key, value in values.items()))
            return ["motion", "-n", "-c", str(settings)]

        return command

    def splitmuxsink(media: Path) -> list[str]:
        encode = f"tune=zerolatency speed-preset=ultrafast key-int-max={CAMERA.gop} bitrate={CAMERA.bitrate // 1000}"
        pipeline = (
            f"souphttpsrc location={url} is-live=true do-timestamp=true ! multipartdemux single-stream=true"
            f" ! image/jpeg,framerate={CAMERA.fps}/1 ! jpegdec ! videoconvert ! video/x-raw,format=I420"
            f" ! x264enc {encode} ! h264parse"
            f" ! splitmuxsink max-size-time={SEGMENT_S * 1_000_000_000} location={media / '%05d.mp4'}"
        )
        return ["gst-launch-1.0", "-e", "-q", *pipeline.split()]

    kinds: dict[str, Command] = {
        "ffmpeg -f segment, MP4": segments,
        "ffmpeg, fragmented MP4": fragmented,
        "ffmpeg, fragments of 0.5 s, flushed": flushed,
        "motion, MP4 of 2 s": motion("mp4", SEGMENT_S),
        "motion, Matroska, one file a life": motion("mkv", _LONG_S),
        "GStreamer splitmuxsink, MP4": splitmuxsink,
    }
    return [Peer(name, folder / f"peer{number}", camera, kind) for number, (name, kind) in enumerate(kinds.items())]


_MOTION = {
    "daemon": "off",
    "width": str(CAMERA.width),
    "height": str(CAMERA.height),
    "framerate": str(CAMERA.fps),
    "emulate_motion": "on",
    "movie_output": "on",
    "movie_quality": "81",
    "movie_filename": "%Y%m%d%H%M%S-%v",
    "picture_output": "off",
    "webcontrol_port": "0",
    "stream_port": "0",
}
"""Every picture is recorded, moving or not; no port is opened. The quality is what makes about 2 Mbit/s of this
picture: movie_bps has next to no effect. motion chooses the keyframes itself, one in half a second."""
