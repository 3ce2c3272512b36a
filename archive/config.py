"""The archive's configuration: one TOML file, parsed into values that cannot be wrong in form."""

import ipaddress
from dataclasses import dataclass, fields
from pathlib import Path

from base.errors import OperatorError
from base.settings import REQUIRED, checked, place, read_toml, sections, within
from evidence.members import NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is taken in at a time. Sizes are MiB; ``stall_s`` is how long a sender may say nothing.

    ``workers`` are the processes that receive and verify; ``readback_mib_s`` is how fast what is stored is read back
    and hashed, 0 where it is not.
    """

    in_flight_mib: int
    backfill_mib: int
    free_mib: int
    stall_s: int
    branches: int
    workers: int = 1
    readback_mib_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveConfig:
    """All that the archive needs to know. Paths are absolute."""

    election: str
    name: str
    address: str
    port: int
    trust: Path
    revoked: Path | None
    key: Path
    certificate: Path
    receipt_key: Path
    receipt_certificate: Path
    data: Path
    database: str
    limits: Limits


_KNOWN: dict[str, dict[str, object]] = {
    "archive": {"election": REQUIRED, "name": REQUIRED},
    "listen": {"address": "127.0.0.1", "port": 8443},
    "keys": {
        "trust": REQUIRED,
        "revoked": None,
        "key": REQUIRED,
        "certificate": REQUIRED,
        "receipt_key": REQUIRED,
        "receipt_certificate": REQUIRED,
    },
    "disk": {"data": REQUIRED, "database": None},
    "limits": {
        "in_flight_mib": 256,
        "backfill_mib": 128,
        "free_mib": 1024,
        "stall_s": 30,
        "branches": 64,
        "workers": 1,
        "readback_mib_s": 8,
    },
}


def load_config(path: Path) -> ArchiveConfig:
    """Read and check the configuration. Raises OperatorError that names the file, the key and what to write."""
    document = read_toml(path, "the archive's configuration")
    try:
        return _archive(sections(document, _KNOWN), path.resolve().parent)
    except ValueError as error:
        raise OperatorError(f"{path}: {error}.", hint="docs/reference/archive.md lists every key.") from error


def describe(config: ArchiveConfig) -> str:
    """What is in force, one ``key = value`` a line; holds no secret, only where secrets lie."""
    lines = [f"{each.name} = {getattr(config, each.name)}" for each in fields(config) if each.name != "limits"]
    lines += [f"limits.{each.name} = {getattr(config.limits, each.name)}" for each in fields(Limits)]
    return "\n".join(lines)


def _archive(values: dict[str, dict[str, object]], folder: Path) -> ArchiveConfig:
    keys, disk, listen = values["keys"], values["disk"], values["listen"]
    data = place(disk["data"], "disk.data", folder)
    return ArchiveConfig(
        election=checked(NAME, values["archive"]["election"], "archive.election"),
        name=checked(NAME, values["archive"]["name"], "archive.name"),
        address=checked(_address, listen["address"], "listen.address"),
        port=within(listen["port"], "listen.port", 0, 65_535),
        trust=place(keys["trust"], "keys.trust", folder),
        revoked=None if keys["revoked"] is None else place(keys["revoked"], "keys.revoked", folder),
        key=place(keys["key"], "keys.key", folder),
        certificate=place(keys["certificate"], "keys.certificate", folder),
        receipt_key=place(keys["receipt_key"], "keys.receipt_key", folder),
        receipt_certificate=place(keys["receipt_certificate"], "keys.receipt_certificate", folder),
        data=data,
        database=_database(disk["database"], data),
        limits=_limits(values["limits"]),
    )


def _limits(values: dict[str, object]) -> Limits:
    in_flight_mib = within(values["in_flight_mib"], "limits.in_flight_mib", 64, 1 << 20)
    return Limits(
        in_flight_mib=in_flight_mib,
        backfill_mib=within(values["backfill_mib"], "limits.backfill_mib", 1, in_flight_mib),
        free_mib=within(values["free_mib"], "limits.free_mib", 0, 1 << 30),
        stall_s=within(values["stall_s"], "limits.stall_s", 1, 3_600),
        branches=within(values["branches"], "limits.branches", 2, 1_000),
        workers=within(values["workers"], "limits.workers", 1, 64),
        readback_mib_s=within(values["readback_mib_s"], "limits.readback_mib_s", 0, 10_000),
    )


def _address(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be an address")
    return str(ipaddress.ip_address(value))


def _database(value: object, data: Path) -> str:
    """A URL of SQLAlchemy; SQLite beside the data unless another is given."""
    if value is None:
        return f"sqlite:///{data / 'index.sqlite'}"
    if not isinstance(value, str) or "://" not in value:
        raise ValueError("disk.database must be a URL, such as sqlite:////srv/archive/index.sqlite")
    return value
