"""Every decoder by name: what takes the bytes, and good input to begin with."""

from collections.abc import Callable
from dataclasses import dataclass

from cmaf.read import read_identity
from tests.fuzz import cards, clips, formats, ingest, lists, programs, station
from tests.unit.test_cmaf_hostile import INIT, SEGMENT


@dataclass(frozen=True, slots=True)
class Target:
    """``take`` returns for any input, whatever the decoder says to it. ``seeds`` gives input that it accepts."""

    take: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    most_bytes: int


def _payloads() -> list[bytes]:
    """A payload of each kind."""
    kinds: dict[bytes, bytes] = {}
    for payloads in programs.payload_lists():
        for payload in payloads.splitlines():
            kinds.setdefault(payload.partition(b'"kind":"')[2][:4], payload)
    return list(kinds.values())


def _lines() -> list[bytes]:
    return [line for ledger in programs.ledgers()[:40] for line in ledger.splitlines()[:3]]


def _identities() -> list[bytes]:
    good = programs.CASES / "crash-and-restart"
    return [read_identity(path.read_bytes()) for path in sorted(good.glob("media/*/*/*/*.m4s"))]


TARGETS = {
    "line": Target(formats.line, _lines, 70_000),
    "json": Target(formats.payload, _payloads, 4_096),
    "ledger-line": Target(formats.ledger_line, _payloads, 4_096),
    "identity": Target(formats.identity, _identities, 9_000),
    "certificates": Target(formats.certificates, formats.certificate_chains, 4_096),
    "roots": Target(formats.roots, formats.trusted, 4_096),
    "profile": Target(formats.profile, formats.profiles, 4_096),
    "receipt": Target(formats.receipt, formats.receipts, 8_192),
    "media": Target(formats.media, lambda: [SEGMENT, INIT], 4_096),
    "stream": Target(formats.stream, formats.pictures, 2_048),
    "config": Target(programs.config, programs.configurations, 8_192),
    "pins": Target(programs.pins, programs.pin_files, 4_096),
    "request": Target(programs.request, programs.requests, 4_096),
    "record": Target(programs.record, programs.ledgers, 65_536),
    "clip": Target(clips.clip, clips.clips, 65_536),
    "card": Target(cards.card, cards.cards, 100_000),
    "file-system": Target(cards.file_system, cards.file_systems, 100_000),
    "signed-record": Target(programs.signed_record, programs.payload_lists, 20_000),
    "answer": Target(station.answer, station.answers, 4_096),
    "receipt-entry": Target(station.receipt_entry, station.receipt_entries, 8_192),
    "upload-lines": Target(ingest.lines, ingest.ledgers, 20_000),
    "upload-signed-lines": Target(ingest.signed_lines, programs.payload_lists, 20_000),
    "upload-media": Target(ingest.draft, ingest.drafts, 8_192),
    "upload-forms": Target(ingest.forms, ingest.all_forms, 4_096),
    "archive-folder": Target(ingest.opening, ingest.folders, 20_000),
    "archive-config": Target(ingest.config, ingest.configurations, 8_192),
    "list-addresses": Target(lists.addresses, lists.requests, 1_024),
}
