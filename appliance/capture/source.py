"""Which camera a configuration means."""

from pathlib import Path

from appliance.capture.camera import Camera, Picture
from appliance.capture.mask import Mask
from appliance.capture.paint import Painter
from appliance.capture.pattern import PatternCamera
from appliance.capture.picam import PicameraCamera
from appliance.capture.replay import ReplayCamera
from appliance.capture.replay_raw import RawReplayCamera
from base.clock import Clock
from base.errors import OperatorError

_SPECS = "picamera2, picamera2:ID, pattern, replay:FILE, replay-raw:FILE"


def open_camera(spec: str, *, station: str, camera: str, picture: Picture, mask: Mask, clock: Clock) -> Camera:
    """The camera that ``spec`` names, not yet started; ``station`` and ``camera`` are what its caption says.

    Raises OperatorError for an unknown spec, an impossible picture, and for a mask on a source that cannot carry one.
    Whether hardware or file are there shows at ``start``.
    """
    kind, _, detail = spec.partition(":")
    _check(picture)
    if kind == "replay-raw" and detail:
        if mask.polygons:
            raise OperatorError("A raw replay cannot be masked.", hint="Use replay:FILE, or take the mask away.")
        return RawReplayCamera(Path(detail), clock=clock)
    painter = Painter(picture=picture, mask=mask, station=station, camera=camera, clock=clock)
    if spec == "pattern":
        return PatternCamera(picture=picture, painter=painter, clock=clock)
    if kind == "replay" and detail:
        return ReplayCamera(Path(detail), picture=picture, painter=painter, clock=clock)
    if spec == "picamera2" or (kind == "picamera2" and detail):
        return PicameraCamera(detail or None, picture=picture, painter=painter, clock=clock)
    raise OperatorError(f"There is no camera {spec!r}.", hint=f"Use one of: {_SPECS}.")


def _check(picture: Picture) -> None:
    if min(picture.width, picture.height) < 64 or picture.width % 2 or picture.height % 2:
        raise OperatorError(f"A picture of {picture.width}x{picture.height} is impossible.", hint="Use even sizes.")
    if picture.fps < 1 or picture.gop < 1 or picture.bitrate < 1000:
        raise OperatorError("Frame rate, group length and bitrate must be positive.", hint="See the example file.")
