"""The station's configuration: one TOML file, parsed into values that cannot be wrong in form."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from appliance.uplink.plan import Policy
from base.errors import OperatorError
from base.settings import REQUIRED, checked, place, read_toml, refuse_unknown, section
from evidence.members import NAME, natural, nullable, one_of, positive

MIN_RESERVE_MIB = 16
MAX_CAMERAS = 4
MIN_RATE_KBIT = 64
"""A slower ceiling would look like a dead connection."""
_MAX_SOCKET_BYTES = 107
"""Longest path of a Unix socket (unix(7))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """One ``[[camera]]``. ``mask`` holds polygons of points in 1/10000 of the picture."""

    id: str
    source: str
    width: int
    height: int
    fps: int
    bitrate: int
    gop_seconds: int
    mask: list[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkConfig:
    """``[uplink]``: where the archive is, and as whom and how the station delivers there. Rates are kbit/s."""

    url: str
    certificate: Path
    key: Path
    data: Path
    policy: Policy
    rate_kbit: int | None
    backfill_kbit: int | None

    @property
    def receipts(self) -> Path:
        """Where it lays the archive's receipts."""
        return self.data / "receipts"


@dataclass(frozen=True, slots=True, kw_only=True)
class StationConfig:
    """All that a recorder needs to know. Paths are absolute."""

    election: str
    station: str
    unit: str
    trust: Path
    key: Path
    certificate: Path
    profile: Path | None
    pins: Path | None
    data: Path
    run: Path
    reserve_mib: int
    receipts: Path | None
    cameras: tuple[CameraConfig, ...]
    uplink: UplinkConfig | None = None

    @property
    def socket(self) -> Path:
        """Where the recorder is spoken to."""
        return self.run / "control.sock"

    @property
    def uplink_socket(self) -> Path:
        """Where the uplink is spoken to."""
        return self.run / "uplink.sock"


_TOP: dict[str, dict[str, object]] = {
    "station": {"election": REQUIRED, "station": REQUIRED, "unit": REQUIRED},
    "keys": {"trust": REQUIRED, "key": REQUIRED, "certificate": REQUIRED, "profile": None, "pins": None},
    "disk": {"data": REQUIRED, "run": REQUIRED, "reserve_mib": 256, "receipts": None},
}
_UPLINK: dict[str, object] = {
    "url": REQUIRED,
    "certificate": REQUIRED,
    "key": REQUIRED,
    "data": REQUIRED,
    "policy": Policy.COUNTING_FIRST.value,
    "rate_kbit": None,
    "backfill_kbit": None,
}
_CAMERA: dict[str, object] = {
    "id": REQUIRED,
    "source": REQUIRED,
    "width": 1920,
    "height": 1080,
    "fps": 15,
    "bitrate": 2_000_000,
    "gop_seconds": 2,
    "mask": [],
}
"""Every key with its default."""


def load_config(path: Path) -> StationConfig:
    """Read and check the configuration. Raises OperatorError that names the file, the key and what to write."""
    document = read_toml(path, "the station's configuration")
    try:
        return _station(document, path.resolve().parent)
    except ValueError as error:
        raise OperatorError(f"{path}: {error}.", hint="docs/reference/configuration.md lists every key.") from error


def describe(config: StationConfig) -> str:
    """What is in force, one ``key = value`` a line; holds no secret, only where secrets lie."""
    names = ("election", "station", "unit", "trust", "key", "certificate", "profile", "pins", "data", "run")
    lines = [f"{name} = {getattr(config, name)}" for name in (*names, "receipts", "reserve_mib")]
    if config.uplink is not None:
        lines += [f"uplink.{name} = {getattr(config.uplink, name)}" for name in _UPLINK]
    for camera in config.cameras:
        lines += [f"camera.{camera.id}.{name} = {getattr(camera, name)}" for name in _CAMERA if name != "id"]
    return "\n".join(lines)


def _station(document: dict[str, object], folder: Path) -> StationConfig:
    refuse_unknown(document, [*_TOP, "uplink", "camera"], "")
    values: dict[str, object] = {}
    for name, keys in _TOP.items():
        values |= section(document.get(name, {}), keys, name)
    cameras = document.get("camera", [])
    if not isinstance(cameras, list) or not 1 <= len(cameras) <= MAX_CAMERAS:
        raise ValueError(f"write one to {MAX_CAMERAS} [[camera]] sections")
    parsed = tuple(_camera(each, number) for number, each in enumerate(cameras, 1))
    if len({camera.id for camera in parsed}) != len(parsed):
        raise ValueError("two cameras have one id")
    reserve_mib = checked(natural, values["reserve_mib"], "disk.reserve_mib")
    if reserve_mib < MIN_RESERVE_MIB:
        raise ValueError(f"disk.reserve_mib is less than {MIN_RESERVE_MIB}")

    def path(key: str, name: str) -> Path:
        return place(values[key], f"{name}.{key}", folder)

    uplink = _uplink(document["uplink"], folder) if "uplink" in document else None
    receipts = None if uplink is None else uplink.receipts
    config = StationConfig(
        election=checked(NAME, values["election"], "station.election"),
        station=checked(NAME, values["station"], "station.station"),
        unit=checked(NAME, values["unit"], "station.unit"),
        trust=path("trust", "keys"),
        key=path("key", "keys"),
        certificate=path("certificate", "keys"),
        profile=path("profile", "keys") if values["profile"] is not None else None,
        pins=path("pins", "keys") if values["pins"] is not None else None,
        data=path("data", "disk"),
        run=path("run", "disk"),
        reserve_mib=reserve_mib,
        receipts=path("receipts", "disk") if values["receipts"] is not None else receipts,
        cameras=parsed,
        uplink=uplink,
    )
    if len(os.fsencode(config.socket)) > _MAX_SOCKET_BYTES:
        raise ValueError(f"disk.run: {config.socket} is too long for a socket, at most {_MAX_SOCKET_BYTES} bytes")
    return config


def _uplink(value: object, folder: Path) -> UplinkConfig:
    values = section(value, _UPLINK, "uplink")
    rates = {key: checked(nullable(positive), values[key], f"uplink.{key}") for key in ("rate_kbit", "backfill_kbit")}
    for key, rate in rates.items():
        if rate is not None and rate < MIN_RATE_KBIT:
            raise ValueError(f"uplink.{key} is less than {MIN_RATE_KBIT}")
    return UplinkConfig(
        url=_url(values["url"]),
        certificate=place(values["certificate"], "uplink.certificate", folder),
        key=place(values["key"], "uplink.key", folder),
        data=place(values["data"], "uplink.data", folder),
        policy=checked(one_of(Policy), values["policy"], "uplink.policy"),
        rate_kbit=rates["rate_kbit"],
        backfill_kbit=rates["backfill_kbit"],
    )


def _url(value: object) -> str:
    """The archive's address: ``https``, a name or an address, perhaps a port, and nothing behind it."""
    wrong = "uplink.url must be like https://archive.example:8443, without path"
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        bare = parts.path in ("", "/") and not parts.query and not parts.fragment and parts.username is None
        if parts.scheme != "https" or not parts.hostname or parts.port == 0 or not bare:
            raise ValueError(wrong)
    except ValueError as error:
        raise ValueError(wrong) from error
    return f"https://{parts.netloc}"


def _camera(value: object, number: int) -> CameraConfig:
    name = f"camera {number}"
    values = section(value, _CAMERA, name)
    numbers = {
        key: checked(positive, values[key], f"{name}: {key}")
        for key in ("width", "height", "fps", "bitrate", "gop_seconds")
    }
    if numbers["width"] % 2 or numbers["height"] % 2:
        raise ValueError(f"{name}: width and height must be even")
    if not (64 <= numbers["width"] <= 4096 and 64 <= numbers["height"] <= 4096):
        raise ValueError(f"{name}: width and height must be 64 to 4096")
    if not 5 <= numbers["fps"] <= 60:
        raise ValueError(f"{name}: fps must be 5 to 60")
    if not 10_000 <= numbers["bitrate"] <= 100_000_000:
        raise ValueError(f"{name}: bitrate must be 10000 to 100000000")
    if not 1 <= numbers["gop_seconds"] <= 10:
        raise ValueError(f"{name}: gop_seconds must be 1 to 10")
    if not isinstance(values["source"], str) or not isinstance(values["mask"], list):
        raise ValueError(f"{name}: source must be text and mask an array of polygons")
    return CameraConfig(
        id=checked(NAME, values["id"], f"{name}: id"), source=values["source"], mask=values["mask"], **numbers
    )
