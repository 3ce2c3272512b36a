"""A record of its own on a disk that belongs to another unit (design, invariant 10).

The other record is not touched. What is recorded now is signed by a new key that nobody has enrolled; whether it counts
is for people to decide, who find out from the ``start`` and the ``foreign-disk`` line what happened.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from appliance.store.layout import Layout
from appliance.store.prepare import DiskIdentity, prepare
from base.durable import Disk
from evidence.lines import Event

_NO_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NO_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Where a unit records on another's disk, as whom, and what is put on record of the disk that it found."""

    layout: Layout
    name: str
    key: Path
    certificate: Path
    note: Event


def open_guest(disk: Disk, layout: Layout, *, found: DiskIdentity, here: DiskIdentity, reserve_bytes: int) -> Guest:
    """The guest record of unit ``here`` on the disk of ``found``, begun where there is none yet.

    The same unit, board and card come back to the same record. Raises OSError or OperatorError where none can begin.
    """
    who = f"{here.election} {here.station} {here.unit} {here.board} {here.card}"
    folder = layout.guests / hashlib.sha256(who.encode()).hexdigest()[:16]
    guest = Layout(folder)
    key, certificate = folder / "unit.key", folder / "unit.pem"
    if not guest.identity.exists():
        disk.make_directory(folder)
        # Power fails here or below: the next start goes on with the key that is there.
        if not key.exists():
            secret = ec.generate_private_key(ec.SECP256R1())
            pem = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            disk.put(key, pem, mode=0o600)
        name = _name(key)
        disk.put(certificate, _self_signed(key, f"urn:unbroken:{here.election}:unit:{here.station}:{name}"))
        identity = DiskIdentity(
            election=here.election, station=here.station, unit=name, board=here.board, card=here.card
        )
        prepare(disk, guest, identity, reserve_bytes)
    return Guest(layout=guest, name=_name(key), key=key, certificate=certificate, note=_note(found, here))


def _note(found: DiskIdentity, here: DiskIdentity) -> Event:
    names = ("election", "station", "unit", "board", "card")
    data: dict[str, str | int | None] = {"differs": ", ".join(found.differs(here))}
    data |= {f"found_{name}": getattr(found, name) for name in names}
    data |= {f"here_{name}": getattr(here, name) for name in names}
    return Event(event="foreign-disk", data=data)


def _name(key: Path) -> str:
    """A name that no register has given: from the key, so that it is the same each time."""
    secret = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    point = secret.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return f"guest-{hashlib.sha256(point).hexdigest()[:12]}"


def _self_signed(key: Path, uri: str) -> bytes:
    """A certificate that says who speaks and that nobody vouches for it."""
    secret = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "unenrolled")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(secret.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(_NO_BEGINNING)
    builder = builder.not_valid_after(_NO_END)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
    return builder.sign(secret, hashes.SHA256()).public_bytes(Encoding.PEM)
