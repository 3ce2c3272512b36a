"""The configuration of the supervision centre: section ``[supervision]``, which an archive may lack."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from base.settings import REQUIRED, place, within

SUPERVISION: dict[str, object] = {
    "address": "127.0.0.1",
    "port": 8444,
    "key": REQUIRED,
    "certificate": REQUIRED,
    "database": None,
    "loopback_operator": None,
    "loopback_port": 0,
    "notify": None,
}
RIGHTS = ("watch", "operate", "administer")
_MOST_NOTIFIERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionConfig:
    """Where operators sign in, and where the centre keeps its tables.

    ``loopback_operator`` is the right of whoever asks at ``loopback_port`` of this machine without a certificate, for a
    demonstration; None, and there is no such port. ``notify`` are the tables ``[[supervision.notify]]`` as they are
    written, for archive.supervision.notify to read.
    """

    address: str
    port: int
    key: Path
    certificate: Path
    database: str
    loopback_operator: str | None
    loopback_port: int
    notify: tuple[Mapping[str, object], ...]


def read_supervision(values: Mapping[str, object], data: Path, folder: Path) -> SupervisionConfig:
    """``[supervision]``; what is left out lies in ``data``. Raises ValueError with a sentence that names the key."""
    database = values["database"]
    if database is None:
        database = f"sqlite:///{data / 'supervision.sqlite'}"
    if not isinstance(database, str) or not database.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("supervision.database must be a URL, such as sqlite:////srv/archive/supervision.sqlite")
    loopback = values["loopback_operator"]
    if loopback is not None and not (isinstance(loopback, str) and loopback in RIGHTS):
        raise ValueError(f"supervision.loopback_operator must be one of {', '.join(RIGHTS)}")
    return SupervisionConfig(
        address=_address(values["address"]),
        port=within(values["port"], "supervision.port", 0, 65_535),
        key=place(values["key"], "supervision.key", folder),
        certificate=place(values["certificate"], "supervision.certificate", folder),
        database=database,
        loopback_operator=loopback,
        loopback_port=within(values["loopback_port"], "supervision.loopback_port", 0, 65_535),
        notify=_notify(values["notify"]),
    )


def _address(value: object) -> str:
    try:
        if isinstance(value, str):
            return str(ipaddress.ip_address(value))
    except ValueError:
        pass
    raise ValueError("supervision.address must be an address, such as 192.0.2.7")


def _notify(value: object) -> tuple[Mapping[str, object], ...]:
    tables = [] if value is None else value
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise ValueError("supervision.notify must be tables: [[supervision.notify]]")
    if len(tables) > _MOST_NOTIFIERS:
        raise ValueError(f"supervision.notify: there are more than {_MOST_NOTIFIERS}")
    return tuple(tables)
