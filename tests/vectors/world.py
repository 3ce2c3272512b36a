"""The sample election of the vectors: its names, its day, and keys that follow from fixed seeds."""

import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.keys import SoftwareSigner
from evidence.terms import Terms
from provisioning.authority import Authority

ELECTION = "sample-2027"
STATION, OTHER_STATION = "57-002", "57-003"
UNIT, OTHER_UNIT = "u-0001", "u-0002"

SHA256 = hashes.SHA256()
SECOND = 1_000_000_000
MS = 1_000_000

# Boot time 0 of the first boot is 03:59:40 UTC, so that a recorder started 20 s later begins at 04:00:00.
MIDNIGHT = datetime(2027, 6, 6, tzinfo=UTC)
FIRST_BOOT_US = (int(MIDNIGHT.timestamp()) + 4 * 3600 - 20) * 1_000_000
VALID_FROM = datetime(2027, 5, 1, tzinfo=UTC)
WINDOW_FROM_US = FIRST_BOOT_US + 20_000_000
WINDOW_TO_US = WINDOW_FROM_US + 12 * 3600 * 1_000_000

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def private_key(seed: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key of a seed. Keys of this kind are public knowledge."""
    number = int.from_bytes(hashlib.sha256(f"unbroken test vector {seed}".encode()).digest(), "big")
    return ec.derive_private_key(number % (ORDER - 1) + 1, ec.SECP256R1())


def signer(seed: str) -> SoftwareSigner:
    """A signer with the key of a seed; it signs as RFC 6979, so the same message gets the same bytes."""
    return SoftwareSigner(private_key(seed), deterministic=True)


def device_key(station: str, unit: str, election: str = ELECTION) -> ec.EllipticCurvePrivateKey:
    """A unit's device key."""
    return private_key(f"{election} {station} {unit} device")


def authority(election: str = ELECTION, seed: str = "") -> Authority:
    """An election's authority; another ``seed`` makes an impostor of the same name."""
    return Authority(
        election,
        root_key=private_key(f"{election} root {seed}"),
        authority_key=private_key(f"{election} authority {seed}"),
        valid_from=VALID_FROM,
        valid_to=VALID_FROM + timedelta(days=400),
        deterministic=True,
    )


def receipts_key(election: str = ELECTION) -> ec.EllipticCurvePrivateKey:
    """The key with which an election's archive acknowledges."""
    return private_key(f"{election} receipts")


def sign_profile(by: Authority, *, mode: str = "LIVE", terms: Terms | None = None) -> str:
    """A profile for the sample day."""
    return by.sign_profile_with(
        terms or Terms(),
        title="Sample election",
        mode=mode,
        from_us=WINDOW_FROM_US,
        to_us=WINDOW_TO_US,
        margin_s=3600,
        time_zone="Etc/UTC",
        witnesses=0,
    )


def der(cert: x509.Certificate) -> bytes:
    """A certificate as ``certs`` carries it."""
    return cert.public_bytes(Encoding.DER)


def boot_id(name: str) -> str:
    """A kernel boot id of 32 hex digits for a name."""
    return hashlib.sha256(f"unbroken test vector boot {name}".encode()).hexdigest()[:32]
