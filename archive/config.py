"""The archive's configuration: one TOML file, parsed into values that cannot be wrong in form."""

import ipaddress
import re
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import quote, urlsplit

from archive.publicconfig import PUBLISH, SITE, PublishConfig, SiteConfig, read_publish, read_site
from archive.supervisionconfig import SUPERVISION, SupervisionConfig, read_supervision
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
class S3Config:
    """Where media lie that do not lie in the data folder.

    ``prefix`` stands before every name, with its slash; without an ``endpoint`` it is Amazon's of the region;
    ``credentials`` is a file as Amazon's tools keep it, without it their environment counts; ``ca`` is the root
    certificate of an endpoint's own authority, PEM.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"
    credentials: Path | None = None
    ca: Path | None = None
    plain_http: bool = False
    path_style: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveConfig:
    """All that the archive needs to know. Paths are absolute. Media lie in ``data`` where ``s3`` is None; without
    ``supervision`` there is no supervision centre.

    ``database`` may hold a password: ``describe`` shows what may be shown.
    """

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
    publish: PublishConfig
    site: SiteConfig
    s3: S3Config | None = None
    supervision: SupervisionConfig | None = None


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
    "disk": {"data": REQUIRED, "database": None, "passfile": None},
    "limits": {
        "in_flight_mib": 256,
        "backfill_mib": 128,
        "free_mib": 1024,
        "stall_s": 30,
        "branches": 64,
        "workers": 1,
        "readback_mib_s": 8,
    },
    "publish": PUBLISH,
    "site": SITE,
}
_S3: dict[str, object] = {
    "bucket": REQUIRED,
    "prefix": None,
    "endpoint": None,
    "region": "us-east-1",
    "credentials": None,
    "ca": None,
    "plain_http": False,
    "path_style": True,
}
_MAY_LACK = {"s3": _S3, "supervision": SUPERVISION}
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_PREFIX = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*")
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
_PASSWORD = re.compile(r"(://[^:/@?]*):.*@")


def load_config(path: Path) -> ArchiveConfig:
    """Read and check the configuration. Raises OperatorError that names the file, the key and what to write."""
    document = read_toml(path, "the archive's configuration")
    try:
        known = _KNOWN | {name: keys for name, keys in _MAY_LACK.items() if name in document}
        return _archive(sections(document, known), path.resolve().parent)
    except ValueError as error:
        raise OperatorError(f"{path}: {error}.", hint="docs/reference/archive.md lists every key.") from error


def describe(config: ArchiveConfig) -> str:
    """What is in force, one ``key = value`` a line; holds no secret, only where secrets lie."""
    parts: dict[str, Limits | PublishConfig | SiteConfig | S3Config | SupervisionConfig | None] = {
        "limits": config.limits,
        "publish": config.publish,
        "site": config.site,
        "s3": config.s3,
        "supervision": config.supervision,
    }
    shown = {each.name: getattr(config, each.name) for each in fields(config) if each.name not in parts}
    for section, part in parts.items():
        if part is not None:
            shown |= {f"{section}.{each.name}": getattr(part, each.name) for each in fields(part)}
    if "supervision.notify" in shown:
        # How many: a table may hold a password.
        shown["supervision.notify"] = len(config.supervision.notify) if config.supervision else 0
    for key in ("database", "publish.database", "supervision.database"):
        if key in shown:
            shown[key] = _PASSWORD.sub(r"\1:***@", str(shown[key]))
    return "\n".join(f"{name} = {value}" for name, value in shown.items())


def _archive(values: dict[str, dict[str, object]], folder: Path) -> ArchiveConfig:
    keys, disk, listen = values["keys"], values["disk"], values["listen"]
    data = place(disk["data"], "disk.data", folder)
    return ArchiveConfig(
        election=checked(NAME, values["archive"]["election"], "archive.election"),
        name=checked(NAME, values["archive"]["name"], "archive.name"),
        address=checked(_address, listen["address"], "listen.address"),
        port=within(listen["port"], "listen.port", 0, 65_535),
        trust=place(keys["trust"], "keys.trust", folder),
        revoked=_optional(keys["revoked"], "keys.revoked", folder),
        key=place(keys["key"], "keys.key", folder),
        certificate=place(keys["certificate"], "keys.certificate", folder),
        receipt_key=place(keys["receipt_key"], "keys.receipt_key", folder),
        receipt_certificate=place(keys["receipt_certificate"], "keys.receipt_certificate", folder),
        data=data,
        database=_database(disk["database"], _optional(disk["passfile"], "disk.passfile", folder), data),
        limits=_limits(values["limits"]),
        publish=read_publish(values["publish"], data, folder),
        site=read_site(values["site"], checked(_address, values["site"]["address"], "site.address"), folder),
        s3=_s3(values["s3"], folder) if "s3" in values else None,
        supervision=read_supervision(values["supervision"], data, folder) if "supervision" in values else None,
    )


def _s3(values: dict[str, object], folder: Path) -> S3Config:
    plain_http = _whether(values["plain_http"], "s3.plain_http")
    endpoint = values["endpoint"]
    return S3Config(
        bucket=_matching(_BUCKET, values["bucket"], "s3.bucket must be a bucket's name"),
        prefix=_matching(
            _PREFIX,
            "" if values["prefix"] is None else values["prefix"],
            "s3.prefix must be names, each with a slash behind it",
        ),
        endpoint=None if endpoint is None else _endpoint(endpoint, plain_http),
        region=_matching(_REGION, values["region"], "s3.region must be a region's name"),
        credentials=_optional(values["credentials"], "s3.credentials", folder),
        ca=_optional(values["ca"], "s3.ca", folder),
        plain_http=plain_http,
        path_style=_whether(values["path_style"], "s3.path_style"),
    )


def _endpoint(value: object, plain_http: bool) -> str:
    scheme = "http" if plain_http else "https"
    form = f"s3.endpoint must be {scheme}://HOST[:PORT]" + ("" if plain_http else ", or s3.plain_http be true")
    if not isinstance(value, str):
        raise ValueError(form)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError(form) from error
    rest = f"{parts.path.strip('/')}{parts.query}{parts.fragment}"
    if parts.scheme != scheme or not parts.hostname or port == 0 or rest or "@" in parts.netloc:
        raise ValueError(form)
    return value.rstrip("/")


def _matching(pattern: re.Pattern[str], value: object, form: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(form)
    return value


def _whether(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false")
    return value


def _optional(value: object, key: str, folder: Path) -> Path | None:
    return None if value is None else place(value, key, folder)


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


def _database(value: object, passfile: Path | None, data: Path) -> str:
    """A URL of SQLAlchemy; SQLite beside the data unless another is given."""
    url = f"sqlite:///{data / 'index.sqlite'}" if value is None else value
    if not isinstance(url, str) or not url.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("disk.database must be a URL, such as sqlite:////srv/archive/index.sqlite or postgresql://…")
    address, _, options = url.partition("?")
    if address.count("@") > 1:
        raise ValueError("disk.database has more than one @: within a password, write %40")
    if "password" in options.lower():
        raise ValueError("disk.database must not name a password behind its question mark: use disk.passfile")
    if passfile is None:
        return url
    if url.startswith("sqlite:"):
        raise ValueError("disk.passfile is for postgresql only")
    return f"{url}{'&' if options else '?'}passfile={quote(str(passfile))}"
