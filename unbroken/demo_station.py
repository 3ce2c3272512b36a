"""A station of a throwaway election, as the demo and the tests use it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from base.pins import hash_pin
from evidence.words import Mode
from provisioning.authority import Authority

ELECTION, STATION, UNIT = "sample-2027", "57-002", "u-0001"
INSTALLER_PIN, CHAIR_PIN = "1111", "2222"
"""Of the demo alone; a real unit's PINs come from the election authority's tool."""
_DAY_US = 86_400_000_000


def station_name(number: int) -> str:
    """The ``number``-th station of the sample, from 0."""
    return f"57-{2 + number:03d}"


def unit_name(number: int) -> str:
    """The unit of that station."""
    return f"u-{1 + number:04d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStation:
    """Where a throwaway station lies, and whose it is."""

    name: str
    unit: str
    config: Path
    root: Path
    data: Path
    run: Path


def make_station(
    folder: Path,
    cameras: list[str],
    *,
    mode: Mode = Mode.TEST,
    size: tuple[int, int] = (1280, 720),
    authority: Authority | None = None,
    name: str = STATION,
    unit: str = UNIT,
) -> DemoStation:
    """Write keys, certificates, profile, PINs and configuration of one station into ``folder``, which is new.

    Without an ``authority`` the election is one of its own.
    """
    folder.mkdir(parents=True)
    authority = authority or Authority.generate(ELECTION)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.certify_unit(key.public_key(), name, unit)
    now_us = int(datetime.now(UTC).timestamp() * 1_000_000)
    profile = authority.sign_profile(
        title="Sample election",
        mode=mode,
        from_us=now_us - _DAY_US // 24,
        to_us=now_us + _DAY_US,
        margin_s=3600,
        time_zone="Asia/Baku",
        witnesses=0,
    )
    station = DemoStation(
        name=name,
        unit=unit,
        config=folder / "station.toml",
        root=folder / "root.pem",
        data=folder / "disk",
        run=folder / "run",
    )
    secret = folder / "unit.key"
    secret.touch(mode=0o600)
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    station.root.write_bytes(authority.root_pem)
    (folder / "unit.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "profile.jws").write_text(profile)
    pins = {"installer": hash_pin(INSTALLER_PIN), "chair": hash_pin(CHAIR_PIN)}
    (folder / "pins.toml").write_text("".join(f'{role} = "{kept}"\n' for role, kept in pins.items()))
    text = _CONFIG.format(name=name, unit=unit)
    station.config.write_text(text + "".join(_camera(n, spec, size) for n, spec in enumerate(cameras, 1)))
    return station


_CONFIG = f"""\
[station]
election = "{ELECTION}"
station = "{{name}}"
unit = "{{unit}}"

[keys]
trust = "root.pem"
key = "unit.key"
certificate = "unit.pem"
profile = "profile.jws"
pins = "pins.toml"

[disk]
data = "disk"
run = "run"
reserve_mib = 16
"""


def _camera(number: int, spec: str, size: tuple[int, int]) -> str:
    width, height = size
    source = spec.replace("\\", "\\\\").replace('"', '\\"')
    return f"""
[[camera]]
id = "cam{number}"
source = "{source}"
width = {width}
height = {height}
"""
