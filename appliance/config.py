"""The station's configuration: one TOML file, parsed into values that cannot be wrong in form."""

import difflib
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from appliance.uplink.plan import Policy
from base.errors import OperatorError
from evidence.members import NAME, natural, nullable, one_of, positive

T = TypeVar("T")

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


_TOP: dict[str, dict[str, object]] = {
    "station": {"election": "", "station": "", "unit": ""},
    "keys": {"trust": "", "key": "", "certificate": "", "profile": None, "pins": None},
    "disk": {"data": "", "run": "", "reserve_mib": 256, "receipts": None},
}
_UPLINK: dict[str, object] = {
    "url": "",
    "certificate": "",
    "key": "",
    "data": "",
    "policy": Policy.COUNTING_FIRST.value,
    "rate_kbit": None,
    "backfill_kbit": None,
}
_CAMERA: dict[str, object] = {
    "id": "",
    "source": "",
    "width": 1920,
    "height": 1080,
    "fps": 15,
    "bitrate": 2_000_000,
    "gop_seconds": 2,
    "mask": [],
}
"""Every key with its default; an empty text has none and must be given."""


def load_config(path: Path) -> StationConfig:
    """Read and check the configuration. Raises OperatorError that names the file, the key and what to write."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OperatorError(f"{path} is not there.", hint="Give the station's configuration with --config.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise OperatorError(f"{path} cannot be read as TOML: {error}.") from error
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
    _refuse_unknown(document, [*_TOP, "uplink", "camera"], "")
    values: dict[str, object] = {}
    for section, keys in _TOP.items():
        values |= _section(document.get(section, {}), keys, section)
    cameras = document.get("camera", [])
    if not isinstance(cameras, list) or not 1 <= len(cameras) <= MAX_CAMERAS:
        raise ValueError(f"write one to {MAX_CAMERAS} [[camera]] sections")
    parsed = tuple(_camera(each, number) for number, each in enumerate(cameras, 1))
    if len({camera.id for camera in parsed}) != len(parsed):
        raise ValueError("two cameras have one id")
    reserve_mib = _checked(natural, values["reserve_mib"], "disk.reserve_mib")
    if reserve_mib < MIN_RESERVE_MIB:
        raise ValueError(f"disk.reserve_mib is less than {MIN_RESERVE_MIB}")

    def place(key: str, section: str) -> Path:
        return _path(values[key], f"{section}.{key}", folder)

    uplink = _uplink(document["uplink"], folder) if "uplink" in document else None
    receipts = None if uplink is None else uplink.receipts
    config = StationConfig(
        election=_checked(NAME, values["election"], "station.election"),
        station=_checked(NAME, values["station"], "station.station"),
        unit=_checked(NAME, values["unit"], "station.unit"),
        trust=place("trust", "keys"),
        key=place("key", "keys"),
        certificate=place("certificate", "keys"),
        profile=place("profile", "keys") if values["profile"] is not None else None,
        pins=place("pins", "keys") if values["pins"] is not None else None,
        data=place("data", "disk"),
        run=place("run", "disk"),
        reserve_mib=reserve_mib,
        receipts=place("receipts", "disk") if values["receipts"] is not None else receipts,
        cameras=parsed,
        uplink=uplink,
    )
    if len(os.fsencode(config.socket)) > _MAX_SOCKET_BYTES:
        raise ValueError(f"disk.run: {config.socket} is too long for a socket, at most {_MAX_SOCKET_BYTES} bytes")
    return config


def _uplink(value: object, folder: Path) -> UplinkConfig:
    values = _section(value, _UPLINK, "uplink")
    rates = {key: _checked(nullable(positive), values[key], f"uplink.{key}") for key in ("rate_kbit", "backfill_kbit")}
    for key, rate in rates.items():
        if rate is not None and rate < MIN_RATE_KBIT:
            raise ValueError(f"uplink.{key} is less than {MIN_RATE_KBIT}")
    return UplinkConfig(
        url=_url(values["url"]),
        certificate=_path(values["certificate"], "uplink.certificate", folder),
        key=_path(values["key"], "uplink.key", folder),
        data=_path(values["data"], "uplink.data", folder),
        policy=_checked(one_of(Policy), values["policy"], "uplink.policy"),
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
    section = f"camera {number}"
    values = _section(value, _CAMERA, section)
    numbers = {
        key: _checked(positive, values[key], f"{section}: {key}")
        for key in ("width", "height", "fps", "bitrate", "gop_seconds")
    }
    if numbers["width"] % 2 or numbers["height"] % 2:
        raise ValueError(f"{section}: width and height must be even")
    if not (64 <= numbers["width"] <= 4096 and 64 <= numbers["height"] <= 4096):
        raise ValueError(f"{section}: width and height must be 64 to 4096")
    if not 5 <= numbers["fps"] <= 60:
        raise ValueError(f"{section}: fps must be 5 to 60")
    if not 10_000 <= numbers["bitrate"] <= 100_000_000:
        raise ValueError(f"{section}: bitrate must be 10000 to 100000000")
    if not 1 <= numbers["gop_seconds"] <= 10:
        raise ValueError(f"{section}: gop_seconds must be 1 to 10")
    if not isinstance(values["source"], str) or not isinstance(values["mask"], list):
        raise ValueError(f"{section}: source must be text and mask an array of polygons")
    return CameraConfig(
        id=_checked(NAME, values["id"], f"{section}: id"), source=values["source"], mask=values["mask"], **numbers
    )


def _section(value: object, keys: dict[str, object], section: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{section} must be a section")
    _refuse_unknown(value, list(keys), f"{section}: ")
    for key, default in keys.items():
        if default == "" and key not in value:
            raise ValueError(f"{section}: {key} is missing")
    return {**keys, **value}


def _refuse_unknown(found: dict[str, object], known: list[str], prefix: str) -> None:
    for key in found:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            advice = f"; perhaps {close[0]} is meant" if close else f"; known are {', '.join(known)}"
            raise ValueError(f"{prefix}there is no key {key}{advice}")


def _checked(check: Callable[[object], T], value: object, key: str) -> T:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{key} {error}") from None


def _path(value: object, key: str, folder: Path) -> Path:
    """A path, relative to the configuration's folder; ``credential:NAME`` is one that systemd loaded for the unit."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} must be a path")
    if value.startswith("credential:"):
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        if not credentials:
            raise ValueError(f"{key} names a credential, but the service manager passed none")
        return Path(credentials) / value.removeprefix("credential:")
    return folder / value
