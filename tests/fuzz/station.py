"""What the station's delivery reads from outside: the archive's answers, and receipts that somebody laid."""

import functools
import hashlib
import json
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from appliance.store.layout import Layout
from appliance.store.receipted import ReceiptedMedia
from appliance.uplink.answers import MOST_PAUSE_S, LinesAnswer, ReceiptAnswer, Refused, Reply, pause_s
from base.durable import Disk
from base.errors import PeerError
from base.receiptfolder import ReceiptFolder
from evidence import jws
from evidence.certificate import Trust
from evidence.receipt import RECEIPT_TYP, Acknowledged, Receipt, read_receipt, write_receipt
from tests.fakes.station import NOON_US, Station, authority, private_key, signer
from tests.vectors.answers import make_answers

RECEIPTS = "fuzz-receipts"
_HEADERS = {"Content-Type": "application/json"}


@functools.cache
def _trust() -> Trust:
    return Trust.from_pem(authority().root_pem)


@functools.cache
def _station() -> Station:
    """Two LIVE segments."""
    station = Station(authority(), seed="fuzz")
    station.begin()
    station.arm()
    station.segments(2)
    return station


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-station-"))
    _station().write(folder / "unit")
    (folder / "receipts").mkdir()
    return folder


def answer(data: bytes) -> None:
    """An answer's status, ``Retry-After`` and body, as somebody on the way may make them up."""
    head, _, body = data.partition(b"\n")
    text = head[2:].decode("latin-1")
    asked = pause_s(text)
    assert asked is None or 0 <= asked <= MOST_PAUSE_S
    reply = Reply(status=int.from_bytes(head[:2]), headers={**_HEADERS, "Retry-After": text}, body=body)
    with suppress(PeerError):
        reply.require(200, 201, 409, 422)
    for kind in (LinesAnswer, ReceiptAnswer, Refused):
        with suppress(PeerError):
            reply.read(kind)


def receipt_entry(data: bytes) -> None:
    """An entry as it stands; and one whose receipt says what ``data`` says, signed by whom it may be.

    Whatever is pruned was acknowledged: so says a receipt that verifies.
    """
    folder, station = _folder(), _station()
    _take(folder, station, data)
    with suppress(ValueError):
        signed = jws.seal(data[:8_192], signer(RECEIPTS), RECEIPT_TYP).decode()
        places = [[station.kid, "cam-0", 0, index] for index in range(2)]
        _take(folder, station, json.dumps({"receipt": signed, "places": places}).encode())


def _take(folder: Path, station: Station, entry: bytes) -> None:
    names = ("000000000001-000000.json", "000000000002-000000.json")
    (folder / "receipts" / names[0]).write_bytes(entry)
    laid = ReceiptFolder(folder / "receipts", Disk())
    laid.receipt(names[0])
    layout = Layout(folder / "unit")
    media = ReceiptedMedia(
        folder / "receipts",
        layout,
        trust=_trust(),
        election=station.election,
        station=station.station,
        unit=station.unit,
        boot_ns=lambda: 1,
    )
    assert isinstance(media.prunable, bool)
    for line in media.shrink():
        acknowledged = read_receipt(line.receipt or "", _trust()).media
        for index in range(line.from_index, line.to_index):
            place = layout.segment(line.session, line.camera, line.run, index)
            assert hashlib.sha256(place.read_bytes()).hexdigest() in acknowledged


def answers() -> list[bytes]:
    """Those of the test vectors."""
    found: list[bytes] = []
    for each in make_answers():
        head = each.status.to_bytes(2) + (each.pause or "").encode()
        body = each.body if isinstance(each.body, str) else json.dumps(each.body)
        found.append(head + b"\n" + body.encode())
    spaced = (503).to_bytes(2) + b" " * 12 + b"5\n{}"
    return [*(data for data in found if len(data) < 4_096), spaced]


def acknowledged() -> str:
    """A good receipt for both segments of the unit."""
    station = _station()
    digests = sorted(hashlib.sha256(data).hexdigest() for name, data in station.files.items() if name.endswith(".m4s"))
    cert = authority().certify_receipts(private_key(RECEIPTS).public_key())
    receipt = Receipt(
        kind=Acknowledged.STORED,
        election=station.election,
        station=station.station,
        unit=station.unit,
        archive="centre",
        utc_us=NOON_US,
        certs=(cert.public_bytes(Encoding.DER),),
        media=tuple(digests),
    )
    return write_receipt(receipt, signer(RECEIPTS))


def receipt_entries() -> list[bytes]:
    """A good entry, one for media that are not here, one whose receipt is nobody's; and what a receipt says."""
    station, text = _station(), acknowledged()
    places = [[station.kid, "cam-0", 0, 0], [station.kid, "cam-0", 0, 1]]
    entries: list[object] = [
        {"receipt": text, "places": places},
        {"receipt": text, "places": [[station.kid, "cam-0", 7, 0]]},
        {"receipt": "a.b.c", "places": places},
        {"receipt": text, "places": []},
        [],
    ]
    payload = jws.unseal(text.encode(), RECEIPT_TYP).payload
    return [*(json.dumps(entry).encode() for entry in entries), payload]
