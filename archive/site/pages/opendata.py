"""What pages say, for programs: JSON and CSV. Words are those of the record, times are UTC."""

import csv
import io
import json
from collections.abc import Iterable, Sequence

from archive.account.incidents import Incident
from archive.account.stations import StationFacts
from archive.roster import COLUMNS, LANGUAGES
from archive.site.pages.lists import find
from archive.site.pages.page import Answer, Asked, NotHere, Site
from archive.site.pages.times import iso
from archive.site.pages.told import address_of, facts_of
from evidence.coverage import State
from evidence.day.answer import Bounds, Camera, Event, Moment, Record, Span
from evidence.day.thinned import join_thinned
from evidence.day.times import middle_us

JSON = "application/json"
CSV = "text/csv"
MOST_INCIDENTS = 10_000
"""Of the lists of gaps: the newest."""
MOST_SPANS = 20_000
"""Of one camera: the newest."""
MOST_EXACT = 2_000
"""Spans of a camera that are told one by one; of more, each stretch that came thinned is one, of video, and says so."""
_GAP_COLUMNS = (
    *("station", "unit", "branch", "seq", "kind", "what", "camera", "from_utc", "to_utc"),
    *("least_ms", "most_ms", "ongoing", "heard_utc", "address"),
)


def stations_csv(site: Site, _asked: Asked) -> Answer:
    """The list of stations as it was given, with the state of each."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*COLUMNS, "state", "since_utc", "proven_utc", "test"])
    for each in site.facts.stations():
        test = "yes" if each.test else "no"
        writer.writerow([*_listed_cells(each), each.state, iso(each.since_us), iso(each.proven_us), test])
    # The mark makes spreadsheets read it as UTF-8.
    return open_answer(("\ufeff" + out.getvalue()).encode(), CSV)


def stations_json(site: Site, _asked: Asked) -> Answer:
    """The same as JSON."""
    totals = site.facts.totals()
    return open_json({"at": iso(totals.at_us), "stations": [_station(each) for each in site.facts.stations()]})


def station_json(site: Site, asked: Asked) -> Answer:
    """One station: what the player and anybody's program need. Raises NotHere."""
    name = asked.parts["station"]
    facts = find(site, name)
    if facts is None:
        raise NotHere
    records = site.facts.records(name)
    incidents, count = site.facts.incidents(name, 0, MOST_INCIDENTS)
    return open_json(
        {
            **_station(facts),
            "at": iso(site.facts.totals().at_us),
            "units": [_unit(branch, record) for branch, record in records],
            "cameras": [_camera(record.unit, camera, facts) for _, record in records for camera in record.cameras],
            "incidents": [_incident(each) for each in incidents],
            "incident_count": count,
            "holds": [
                {"from": iso(each.from_us), "to": iso(each.to_us), "until": iso(each.until_us), "reason": each.reason}
                for each in site.facts.holds()
            ],
        }
    )


def gaps_json(site: Site, _asked: Asked) -> Answer:
    """Gaps and incidents of all stations, newest first."""
    incidents, count = site.facts.incidents(None, 0, MOST_INCIDENTS)
    return open_json({"count": count, "incidents": [_incident(each) for each in incidents]})


def gaps_csv(site: Site, _asked: Asked) -> Answer:
    """The same in columns. What units write freely is left out: it stands in the JSON."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_GAP_COLUMNS)
    for each in site.facts.incidents(None, 0, MOST_INCIDENTS)[0]:
        least, most = each.duration_ms or ("", "")
        writer.writerow(
            [
                *((each.name.station, each.name.unit) if each.name else ("", "")),
                *(each.branch, each.seq, each.kind, each.what, each.camera or ""),
                *(_middle(each.start), _middle(each.end), least, "" if most is None else most),
                *("yes" if each.ongoing else "no", iso(each.heard_us), _page(site.origin, each)),
            ]
        )
    return open_answer(("\ufeff" + out.getvalue()).encode(), CSV)


def status_json(site: Site, _asked: Asked) -> Answer:
    """The numbers of the day."""
    totals = site.facts.totals()
    return open_json(
        {
            "at": iso(totals.at_us),
            "stations": totals.stations,
            "expected": totals.expected,
            "recorded": totals.recorded,
            "live": totals.live,
            "missing": totals.missing,
            "exempt": totals.exempt,
            "not_covered": totals.not_covered,
            "unlisted": totals.unlisted,
            "test": totals.test,
            "states": {state.value: count for state, count in totals.states.items()},
        }
    )


def _station(facts: StationFacts) -> dict[str, object]:
    listed = facts.listed
    return {
        "station": facts.name,
        "state": facts.state,
        "test": facts.test,
        "since": iso(facts.since_us) or None,
        "proven": iso(facts.proven_us) or None,
        "listed": None
        if listed is None
        else {
            "constituency": listed.constituency,
            "number": listed.number,
            "names": dict(listed.names),
            "addresses": dict(listed.addresses),
            "cameras": listed.cameras,
            "status": listed.status.value,
            "reason": dict(listed.reason),
        },
    }


def _listed_cells(facts: StationFacts) -> list[str]:
    listed = facts.listed
    if listed is None:
        return [facts.name, *[""] * (len(COLUMNS) - 1)]
    return [
        *(listed.name, listed.constituency, listed.number),
        *(listed.names.get(language, "") for language in LANGUAGES),
        *(listed.addresses.get(language, "") for language in LANGUAGES),
        *(str(listed.cameras), listed.status.value),
        *(listed.reason.get(language, "") for language in LANGUAGES),
    ]


def _unit(branch: int, record: Record) -> dict[str, object]:
    return {
        "unit": record.unit,
        "branch": branch,
        "head": None if record.head is None else {"seq": record.head[0], "sha256": record.head[1]},
        "closed": record.closed,
        "lines": record.lines,
        "modes": dict(record.modes),
        "verdict": record.verdict,
        "events": [_event(event) for event in record.events],
        "findings": [
            {"code": each.code, "class": each.weight, "seq": each.seq, "count": each.count} for each in record.findings
        ],
    }


def _camera(unit: str | None, camera: Camera, facts: StationFacts) -> dict[str, object]:
    spans = _joined(camera.spans)
    if len(spans) > MOST_EXACT:
        spans = list(join_thinned(spans))
    return {
        "unit": unit,
        "camera": camera.camera,
        "state": facts.state,
        "test": facts.test,
        "covered_ms": _bounds(camera.covered_ms),
        "held_ms": _bounds(camera.held_ms),
        "missing_ms": _bounds(camera.missing_ms),
        "segments": camera.segments,
        "recovered": camera.recovered,
        "spans": [_span(span) for span in spans[-MOST_SPANS:]],
        "gaps": [
            {
                "from": _moment(gap.start),
                "to": _moment(gap.end),
                "duration_ms": _bounds(gap.duration_ms),
                "cause": gap.cause,
                "evidence": dict(gap.evidence),
            }
            for gap in camera.gaps[-MOST_SPANS:]
        ],
    }


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Neighbours that say the same as one."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and (last.state, last.mode, last.cause, last.end) == (span.state, span.mode, span.cause, span.start):
            joined[-1] = Span(start=last.start, end=span.end, state=span.state, mode=span.mode, cause=span.cause)
        else:
            joined.append(span)
    return joined


def _span(span: Span) -> dict[str, object]:
    known = span.start.utc_us is not None and span.end.utc_us is not None
    return {
        "from": _date(span.start, known),
        "to": _date(span.end, known),
        # Who follows the video looks for what can be played, which in such a stretch there is, every few seconds.
        "state": State.SEGMENT if span.state == State.THINNED else span.state,
        "thinned": span.state == State.THINNED,
        "mode": span.mode,
        "cause": span.cause,
        "boot": None if known else span.end.boot_id,
    }


def _date(moment: Moment, known: bool) -> str:
    """UTC, or boot time counted from 1970 as in the lists."""
    if known and moment.utc_us is not None:
        return iso(middle_us(moment.utc_us))
    return iso(moment.boot_ns // 1_000)


def _event(event: Event) -> dict[str, object]:
    return {
        "seq": event.seq,
        "event": event.event,
        "camera": event.camera,
        "at": _moment(event.at),
        "data": dict(event.data),
    }


def _incident(incident: Incident) -> dict[str, object]:
    return {
        "address": _page("", incident) or None,
        "station": incident.name.station if incident.name else None,
        "unit": incident.name.unit if incident.name else None,
        "branch": incident.branch,
        "seq": incident.seq,
        "kind": incident.kind.value,
        "what": incident.what,
        "camera": incident.camera,
        "from": None if incident.start is None else _moment(incident.start),
        "to": None if incident.end is None else _moment(incident.end),
        "duration_ms": None if incident.duration_ms is None else _bounds(incident.duration_ms),
        "ongoing": incident.ongoing,
        "facts": dict(facts_of(incident)),
        "heard": iso(incident.heard_us) or None,
    }


def _page(origin: str, incident: Incident) -> str:
    """Its permanent page; nothing for a finding that is of no unit."""
    address = address_of(incident)
    return f"{origin}/az/gaps/{address}" if address else ""


def _moment(moment: Moment) -> dict[str, object]:
    utc = None if moment.utc_us is None else [iso(each) for each in moment.utc_us]
    return {"boot": moment.boot_id, "boot_ns": moment.boot_ns, "utc": utc}


def _middle(moment: Moment | None) -> str:
    return "" if moment is None or moment.utc_us is None else iso(middle_us(moment.utc_us))


def _bounds(value: Bounds) -> Sequence[int | None]:
    return list(value)


def open_json(document: dict[str, object]) -> Answer:
    """An answer that pages of other sites may read."""
    return open_answer(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), JSON)


def open_answer(body: bytes, content_type: str) -> Answer:
    """The same, of any kind."""
    return Answer(body=body, content_type=content_type, headers={"Access-Control-Allow-Origin": "*"})
