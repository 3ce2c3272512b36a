"""An archive's word, as the uplink lays it beside a recorder: real receipts, real keys, no archive."""

import json
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from evidence.receipt import Acknowledged, Receipt, write_receipt
from provisioning.authority import Authority
from tests.fakes.station import NOON_US, private_key, signer

Place = tuple[str, str, int, int]


class Acknowledger:
    """Signs receipts for one unit and writes them as entries, in ascending order of their names."""

    def __init__(self, authority: Authority, folder: Path, *, station: str = "57-002", unit: str = "u1") -> None:
        certificate = authority.certify_receipts(private_key("receipts").public_key())
        self._certs = (certificate.public_bytes(Encoding.DER),)
        self._election = authority.election
        self._station, self._unit = station, unit
        self.folder = folder
        self.entries = 0

    def receipt(self, digests: Sequence[str], **changes: object) -> str:
        """A *stored* receipt; ``changes`` bend its members."""
        members: dict[str, object] = {
            "kind": Acknowledged.STORED,
            "election": self._election,
            "station": self._station,
            "unit": self._unit,
            "archive": "centre",
            "utc_us": NOON_US,
            "certs": self._certs,
            "media": tuple(sorted(set(digests))),
        }
        return write_receipt(Receipt(**{**members, **changes}), signer("receipts"))  # type: ignore[arg-type]

    def lay(self, receipt: str, places: Sequence[Place]) -> Path:
        """An entry for a receipt."""
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"{self.entries:08d}.json"
        self.entries += 1
        path.write_text(json.dumps({"receipt": receipt, "places": [list(place) for place in places]}))
        return path
