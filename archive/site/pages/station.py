"""The page of one station, and the page of one gap or incident."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archive.account.incidents import Incident, Kind
from archive.names import UnitName
from archive.site.pages.dayline import Picture, picture_of
from archive.site.pages.holds import tell_holds, why_held
from archive.site.pages.lists import find
from archive.site.pages.page import Answer, Asked, NotHere, Site
from archive.site.pages.terms import STATE_MEANINGS
from archive.site.pages.texts import player_words
from archive.site.pages.times import Times
from archive.site.pages.told import NOTES, Told, branch_of, sentence, told
from archive.site.words import N_
from evidence.coverage import State
from evidence.day.answer import Camera, Record
from evidence.day.line import HOUR_US
from evidence.day.rows import Row
from evidence.day.times import middle_us
from evidence.words import Mode, Phase

MOST_INCIDENTS = 100
MOST_HOURS = 120
MOST_CAMERAS = 8
"""As many as the player takes."""
MOST_FINDINGS = 50
MOST_PHASES = 100
_HOUR_NS = HOUR_US * 1_000
PHASES = frozenset(("armed", *Phase))


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingTold:
    """A finding of the record, in one sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTold:
    """What the page says of one unit. ``id`` begins every anchor; ``lists`` are camera, live list (or nothing) and
    hourly lists.
    """

    id: str
    name: str
    branch: int
    picture: Picture | None
    cameras: tuple[Camera, ...]
    lists: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    head: tuple[int, str] | None
    closed: bool
    findings: tuple[FindingTold, ...]


def station(site: Site, asked: Asked) -> Answer:
    """State, video, the day, gaps and incidents, downloads and proof. Raises NotHere."""
    name = asked.parts["station"]
    facts = find(site, name)
    if facts is None:
        raise NotHere(N_("There is no such station."))
    times, say = site.layout.times[asked.language], site.layout.words[asked.language].say
    records = [(branch, record) for branch, record in site.facts.records(name) if record.unit]
    incidents, count = site.facts.incidents(name, 0, MOST_INCIDENTS)
    rows = [told(incident, times) for incident in incidents]
    live = site.facts.live_lists(name)
    holds = site.facts.holds()

    def held(row: Row) -> str:
        return why_held(holds, row.start, row.end, times, asked.language)

    units = [_unit(name, place, branch, record, times, live, held) for place, (branch, record) in enumerate(records)]
    cameras = [f"{record.unit}/{camera.camera}" for _, record in records for camera in record.cameras]
    ends = _ends(records)
    return site.layout.page(
        asked,
        "station.html",
        station=facts,
        meaning=say(STATE_MEANINGS.get(facts.state, "")),
        not_live=_not_live(records, times),
        holds=tell_holds(holds, site.facts.totals().at_us, times, asked.language),
        cameras=cameras[:MOST_CAMERAS],
        player_words=player_words(times.words),
        election=site.election,
        units=units,
        phases=_phases(name, records, times),
        incidents=rows,
        incident_count=count,
        clip_from=times.local(max(ends[0], ends[1] - 60_000_000)).replace(" ", "T") if ends else "",
        clip_to=times.local(ends[1]).replace(" ", "T") if ends else "",
        verify_command=lambda unit: (
            f"wget -x -nH -c -i {site.origin}/bulk/{name}/{unit}/urls.txt && unbroken verify . --trust ROOT.pem"
        ),
    )


def incident(site: Site, asked: Asked) -> Answer:
    """The permanent page of what one line tells. Raises NotHere."""
    parts = asked.parts
    name = UnitName(station=parts["station"], unit=parts["unit"])
    found = site.facts.incident(name, branch_of(parts["branch"]), int(parts["seq"]))
    if found is None:
        raise NotHere(N_("No line of this number tells a gap or an incident."))
    times = site.layout.times[asked.language]
    return site.layout.page(
        asked,
        "incident.html",
        incident=told(found, times),
        listed=site.roster.find(name.station),
        note=times.words.say(NOTES[Kind(found.kind)]),
    )


def _unit(
    station: str,
    place: int,
    branch: int,
    record: Record,
    times: Times,
    live: frozenset[tuple[str, str]],
    held: Callable[[Row], str],
) -> UnitTold:
    id_, unit = f"u{place}", record.unit or ""
    return UnitTold(
        id=id_,
        name=unit,
        branch=branch,
        picture=picture_of(record, times, id_, "#proof", held),
        cameras=record.cameras,
        lists=tuple(
            (
                camera.camera,
                f"/hls/{station}/{unit}/{camera.camera}/live.m3u8" if (unit, camera.camera) in live else "",
                _hours(station, unit, camera, times),
            )
            for camera in record.cameras
        ),
        head=record.head,
        closed=record.closed,
        findings=tuple(
            FindingTold(code=finding.code, message=sentence(finding.code, times) or finding.message)
            for finding in record.findings[:MOST_FINDINGS]
        ),
    )


def _hours(station: str, unit: str, camera: Camera, times: Times) -> tuple[tuple[str, str], ...]:
    """For each hour with video here, its beginning and its list; the newest where there are very many.

    Hours are of UTC, or of a boot whose UTC was never known.
    """
    dated: set[int] = set()
    undated: dict[tuple[str, int], None] = {}
    for span in camera.spans:
        if span.state not in (State.SEGMENT, State.RECOVERED):
            continue
        if span.start.utc_us and span.end.utc_us:
            first, last = middle_us(span.start.utc_us) // HOUR_US, (middle_us(span.end.utc_us) - 1) // HOUR_US
            dated.update(range(max(first, last - MOST_HOURS), last + 1))
        elif span.start.boot_id == span.end.boot_id:
            first, last = span.start.boot_ns // _HOUR_NS, (span.end.boot_ns - 1) // _HOUR_NS
            undated.update({(span.end.boot_id, hour): None for hour in range(max(first, last - MOST_HOURS), last + 1)})
    base = f"/hls/{station}/{unit}/{camera.camera}"
    lists = [(f"TIME UNSET +{hour:02d}:00", f"{base}/{boot}+{hour:02d}.m3u8") for boot, hour in undated]
    lists += [
        (times.local(hour * HOUR_US)[:16], f"{base}/{times.machine(hour * HOUR_US)[:13]}Z.m3u8")
        for hour in sorted(dated)
    ]
    return tuple(lists[-MOST_HOURS:])


def _ends(records: Sequence[tuple[int, Record]]) -> tuple[int, int] | None:
    """First and last moment of UTC with video that is here."""
    known = [
        middle_us(moment.utc_us)
        for _, record in records
        for camera in record.cameras
        for span in camera.spans
        if span.state in (State.SEGMENT, State.RECOVERED)
        for moment in (span.start, span.end)
        if moment.utc_us is not None
    ]
    return (min(known), max(known)) if known else None


def _not_live(records: Sequence[tuple[int, Record]], times: Times) -> str:
    """A test must never be taken for the day itself."""
    timed: dict[str, int] = {}
    for _, record in records:
        for mode, time_ms in record.modes:
            timed[mode] = timed.get(mode, 0) + time_ms
    if timed.get(Mode.TEST) and not timed.get(Mode.LIVE):
        return times.words.say(N_("This is a TEST recording. It is not election video."))
    if timed.get(Mode.TEST):
        return times.words.say(N_("A part of this recording is a TEST. It is marked in the picture."))
    return ""


def _phases(name: str, records: Sequence[tuple[int, Record]], times: Times) -> list[Told]:
    """What the commission declared, in the order of the record."""
    return [
        told(
            Incident(
                name=UnitName(station=name, unit=record.unit or ""),
                branch=branch,
                seq=event.seq,
                kind=Kind.EVENT,
                what=event.event,
                camera=event.camera,
                start=event.at,
                end=None,
                duration_ms=None,
                ongoing=False,
                facts=event.data,
                heard_us=None,
            ),
            times,
        )
        for branch, record in records
        for event in record.events
        if event.event in PHASES
    ][:MOST_PHASES]
