"""One camera's way from its bridge to its segments."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from appliance.capture.bridge import Bridge
from appliance.capture.camera import Camera, Picture
from appliance.config import CameraConfig, StationConfig
from appliance.segment.output import Opening
from appliance.segment.segmenter import Segmenter
from base.clock import Clock
from evidence.identity import Identity, write_identity
from evidence.lines import Stamp

BRIDGE_BYTES = 64 << 20
BRIDGE_NS = 20_000_000_000
"""What a camera's pictures may wait for the disk; beyond it they are dropped and a gap says ``overload``."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """One camera on its way to the disk."""

    id: str
    camera: Camera
    picture: Picture
    mask_sha256: str
    bridge: Bridge
    segmenter: Segmenter
    alive_ns: int
    """When the camera last delivered a picture that could be used, or when the session began."""
    tried_ns: int = 0
    """When its last encode ended: from then on it is given time anew to deliver what can be used."""
    hangs: Callable[[], bool] = lambda: False
    """Whether the driver no longer answers."""
    newest_ns: int | None = None
    """The newest picture that could be used."""
    bitrate: int
    reconfiguring: bool = False
    """Whether the next end of an encode is for a new bitrate."""
    frames: int = 0
    committed_ns: int | None = None
    """End of the newest segment or gap that this session has committed."""
    segment_ns: int | None = None
    """End of the newest segment that this session has committed."""


def build_lane(
    *,
    config: StationConfig,
    camera: CameraConfig,
    source: Camera,
    mask_sha256: str,
    unit: str,
    session: str,
    begin_ns: int,
    boot_id: str,
    clock: Clock,
    arrived: threading.Event,
) -> Lane:
    """The lane of ``camera`` in ``session`` of ``unit``. ``begin_ns`` is where its record stands; ``arrived`` wakes the
    reader.
    """

    def describe(opening: Opening) -> bytes:
        now = stamp(clock)
        behind_us = (now.boot_ns - opening.boot_ns) // 1000
        return write_identity(
            Identity(
                v=1,
                election=config.election,
                station=config.station,
                unit=unit,
                camera=camera.id,
                boot_id=boot_id,
                session=session,
                run=opening.run,
                index=opening.index,
                mode=opening.mode,
                boot_ns=opening.boot_ns,
                utc_us=None if now.utc_us is None else now.utc_us - behind_us,
                error_us=now.error_us,
                width=opening.track.width,
                height=opening.track.height,
                timescale=opening.track.timescale,
                avcc=opening.track.avcc,
            )
        )

    return Lane(
        id=camera.id,
        camera=source,
        picture=picture_of(camera),
        mask_sha256=mask_sha256,
        bridge=Bridge(limit_bytes=BRIDGE_BYTES, limit_ns=BRIDGE_NS, arrived=arrived),
        segmenter=Segmenter(fps=camera.fps, begin_ns=begin_ns, describe=describe),
        alive_ns=clock.boot_ns(),
        bitrate=camera.bitrate,
    )


def picture_of(camera: CameraConfig) -> Picture:
    """What a configured camera is to deliver."""
    return Picture(
        width=camera.width,
        height=camera.height,
        fps=camera.fps,
        bitrate=camera.bitrate,
        gop=camera.gop_seconds * camera.fps,
    )


def stamp(clock: Clock) -> Stamp:
    """What the clocks say now, as a line carries it."""
    reading = clock.read()
    return Stamp(boot_ns=reading.boot_ns, utc_us=reading.utc_us, error_us=reading.error_us)
