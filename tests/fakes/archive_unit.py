"""What tests of the archive do for one unit: record, deliver, read the answers, verify what is kept."""

import base64
import hashlib
import shutil
from pathlib import Path
from typing import Any

from audit.verify import verify
from evidence.lines import line_hash
from tests.fakes.archive import Reply, RunningArchive, Uplink
from tests.fakes.station import Station


def armed_station(archive: RunningArchive, segments: int = 3, **options: object) -> Station:
    """A unit that has recorded LIVE segments of two seconds."""
    station = Station(archive.by, **options)  # type: ignore[arg-type]
    station.begin()
    station.arm()
    station.segments(segments)
    return station


def media_of(station: Station) -> dict[str, bytes]:
    """Its segments by digest, in the order of recording."""
    return {hashlib.sha256(data).hexdigest(): data for name, data in station.files.items() if name.endswith(".m4s")}


def head_of(station: Station) -> dict[str, object]:
    """Its newest line, as answers name one."""
    return {"seq": len(station.lines) - 1, "sha256": line_hash(station.lines[-1])}


def deliver(uplink: Uplink, station: Station) -> str:
    """Everything; the *stored* receipt."""
    assert uplink.lines(station.lines).status == 200
    media = media_of(station)
    for data in media.values():
        assert uplink.media(data).status in (200, 201)
    receipt = uplink.receipts(sorted(media)).json["receipt"]
    assert isinstance(receipt, str)
    return receipt


def begin_media(uplink: Uplink, sha256: bytes, size_bytes: int) -> None:
    """The head of an upload; on return it has been read, and the connection stays open."""
    connection = uplink.open()
    connection.putrequest("PUT", f"/v1/media/{sha256.hex()}")
    for name, value in (
        ("Content-Type", "video/mp4"),
        ("Content-Length", str(size_bytes)),
        ("Repr-Digest", f"sha-256=:{base64.b64encode(sha256).decode()}:"),
        ("Expect", "100-continue"),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    told = b""
    while not told.endswith(b"\r\n\r\n"):
        told += connection.sock.recv(1)
    assert told.startswith(b"HTTP/1.1 100 ")


def refusal(answer: Reply, member: str = "code") -> object:
    """What the answer says of the refused line."""
    refused = answer.json["refused"]
    assert isinstance(refused, dict), answer
    return refused[member]


def verified(archive: RunningArchive, folder: Path) -> dict[str, Any]:
    """What ``unbroken verify`` says of a copy that has nothing but what the archive holds."""
    shutil.copytree(archive.config.data / "ledgers", folder / "ledgers")
    for each in (archive.config.data / "cas").glob("??/*"):
        shutil.copy(each, folder / f"{each.name}.m4s")
    answer: dict[str, Any] = verify([folder], trust=archive.trust)
    (record,) = answer["records"]
    assert isinstance(record, dict)
    return record


def codes(record: dict[str, Any]) -> set[str]:
    """The codes of all findings."""
    return {finding["code"] for finding in record["findings"]}


def again(archive: RunningArchive) -> None:
    """Another process on the same data."""
    archive.stop()
    assert archive.error is None, archive.error
    archive.start()
    assert archive.error is None, archive.error


def digest_header(data: bytes) -> str:
    """The value of Repr-Digest."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
