"""Cards as they were at moments of a day, and how an archive that keeps several histories differs from all of them;
what is told of a day by archive, uplink and verifier.
"""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.serialization import Encoding

from appliance.session import Unit
from appliance.store.prepare import DiskIdentity, prepare
from archive.finding import FindingRow
from archive.index.findings import read_findings
from audit.verify import verify
from base.durable import Disk
from base.version import SOFTWARE
from evidence import jws
from evidence.lines import Recovered, Segment, Start, read_payload
from evidence.words import Mode
from tests.fakes.checker import Json
from tests.fakes.delivering import write_key
from tests.fakes.delivery_day import MINUTE_S, DeliveryDay
from tests.fakes.delivery_site import NOTES, Place, Site
from tests.fakes.station import NOON_US, private_key, signer
from tests.fakes.stepped import RESERVE_BYTES

ZONE_H = 4


def play(folder: Path, story: Callable[[DeliveryDay], Awaitable[None]]) -> None:
    """``story`` with an archive that serves."""

    async def all_of_it() -> None:
        async with DeliveryDay(folder) as day:
            await story(day)

    asyncio.run(all_of_it())


def at(hour: int, minute: int = 0) -> int:
    """That time of 2 May in the stations' zone, UTC+4; the window is open from 16:00 on 1 May until 16:00."""
    return NOON_US + (((24 + hour - ZONE_H - 12) * 60) + minute) * MINUTE_S * 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a unit's card held at one moment, of armed segments, by digest. ``media`` are those that lay there."""

    ledger: bytes
    named: Mapping[str, Segment]
    places: Mapping[str, Place]
    media: Mapping[str, bytes]


def read_card(site: Site) -> Card:
    """As it is now."""
    ledger, session = site.ledger, ""
    named, places, media = dict[str, Segment](), dict[str, Place](), dict[str, bytes]()
    for text in ledger.split(b"\n")[:-1]:
        body = read_payload(jws.unseal(text).payload).body
        if isinstance(body, Start):
            session = body.kid
        if isinstance(body, Segment) and body.mode is not Mode.UNARMED:
            place = body.session if isinstance(body, Recovered) else session, body.camera, body.run, body.index
            named[body.sha256], places[body.sha256] = body, place
            path = site.station.layout.segment(*place)
            if path.exists():
                media[body.sha256] = path.read_bytes()
    return Card(ledger=ledger, named=named, places=places, media=media)


def covered_ms(cards: Sequence[Card], *, without: Collection[str] = ()) -> int:
    """How much time the segments that the cards name cover together, those ``without`` left out."""
    # A session is of one boot.
    spans = sorted(
        {
            (card.places[sha256][0], segment.from_ns, segment.to_ns)
            for card in cards
            for sha256, segment in card.named.items()
            if sha256 not in without
        }
    )
    covered_ns, at = 0, ("", 0)
    for session, from_ns, to_ns in spans:
        begin_ns = max(from_ns, at[1]) if session == at[0] else from_ns
        covered_ns += max(0, to_ns - begin_ns)
        at = session, max(to_ns, begin_ns)
    return covered_ns // 1_000_000


async def until_delivered(day: DeliveryDay, site: Site) -> None:
    """Wait until the archive has the card's ledger as one of its histories and each segment that lies there, and the
    station a receipt for each. Nothing is recorded meanwhile.
    """
    card = read_card(site)
    wanted = {card.places[sha256] for sha256 in card.media}
    await day.until(lambda: card.ledger in day.kept(site.name), f"{site.name}'s ledger is there")
    await day.until(lambda: card.media.keys() <= stored_media(day).keys(), f"{site.name}'s segments are there")
    await day.until(lambda: wanted <= site.receipted(), f"{site.name} is acknowledged")


def judge_histories(day: DeliveryDay, name: str, cards: Sequence[Card]) -> list[str]:
    """How the archive differs from all that the cards of a station held: segments that it lacks, by digest, last."""
    found: list[str] = []
    kept, written = Counter(day.kept(name)), Counter(card.ledger for card in cards)
    if absent := written - kept:
        found.append(f"{absent.total()} histories are not at the archive")
    if strange := kept - written:
        found.append(f"{strange.total()} histories at the archive are nobody's")
    stored = stored_media(day)
    held = {sha256: data for card in cards for sha256, data in card.media.items()}
    named = {sha256: None for card in cards for sha256 in card.named}
    if other := [sha256 for sha256 in stored.keys() & held.keys() if stored[sha256].read_bytes() != held[sha256]]:
        found.append(f"{len(other)} segments are other bytes")
    if strangers := stored.keys() - named.keys():
        found.append(f"{len(strangers)} objects that no station has signed")
    if twice := [sha256 for sha256, times in day.disk.taken.items() if times > 1]:
        found.append(f"{len(twice)} segments were taken twice")
    return [*found, *(sha256 for sha256 in named if sha256 not in stored)]


def stored_media(day: DeliveryDay) -> dict[str, Path]:
    """The archive's objects, by digest."""
    return {path.name: path for path in (day.archive.config.data / "cas").glob("??/*")}


def archive_verdict(day: DeliveryDay, name: str) -> Json:
    """What ``unbroken verify`` says of a station in the archive's own folder, without NOTES in its records."""
    answer: Json = verify([day.archive.config.data / "ledgers" / name], trust=day.archive.trust)
    records = answer["records"]
    assert isinstance(records, list)
    for record in records:
        record["findings"] = [each for each in record["findings"] if each["code"] not in NOTES]
    return answer


def take_out(site: Site, to: Path) -> None:
    """An image of the whole card, of a machine that is off: record, receipts and the uplink's own folder."""
    shutil.copytree(site.station.config.data.parent, to, ignore=shutil.ignore_patterns("run"))


def put_in(image: Path, site: Site) -> None:
    """Another card, or an older state of it, in a machine that is off."""
    folder = site.station.config.data.parent
    shutil.rmtree(folder)
    shutil.copytree(image, folder)
    site.station.config.run.mkdir()


def replace_unit(site: Site, unit: str) -> None:
    """The station has another unit with keys, certificates and a card of its own; it has not been started yet."""
    station, device = site.station, f"{site.name}-{unit}"
    certificate = station.authority.certify_unit(private_key(device).public_key(), site.name, unit)
    station.name = unit
    station.config = replace(station.config, unit=unit)
    station._unit = Unit(
        election=station.config.election,
        station=site.name,
        unit=unit,
        device=signer(device),
        certs=(certificate.public_bytes(Encoding.DER),),
        software=SOFTWARE,
    )
    station._seed = f"{device}-"
    write_key(site.station.config.data.parent / "keys", station.authority, station=site.name, unit=unit)
    shutil.rmtree(station.config.data)
    identity = DiskIdentity(election=station.config.election, station=site.name, unit=unit)
    prepare(Disk(), station.layout, identity, RESERVE_BYTES)


def found(day: DeliveryDay) -> list[tuple[str, str, int | None, int]]:
    """The archive's findings: unit, code, line, and how often."""
    return [(str(row.name or ""), row.code.value, row.seq, row.count) for row in findings(day)]


def findings(day: DeliveryDay) -> list[FindingRow]:
    """What anybody beside the running archive reads."""
    return read_findings(day.archive.config.database, day.archive.config.election)


def told(site: Site) -> Json:
    """What the uplink tells the station; nothing before it has told anything."""
    path = site.station.config.run / "uplink.json"
    return cast("Json", json.loads(path.read_bytes())) if path.exists() else {}


def records(answer: Json) -> list[Json]:
    """Of a verifier's answer."""
    return cast("list[Json]", answer["records"])


def cameras(record: Json) -> list[Json]:
    """Of a record, or of a station's several."""
    return cast("list[Json]", record["cameras"])


def codes(record: Json) -> dict[str, int]:
    """How often each finding of the verifier's was made, by its code."""
    return {str(each["code"]): cast("int", each["count"]) for each in cast("list[Json]", record["findings"])}
