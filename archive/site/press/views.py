"""The press desk's pages and open data, and the page that other sites show in a frame."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from archive.account.incidents import Kind
from archive.account.reconciliation import Contradiction, Missing, Reconciliation, reconcile
from archive.account.stations import LineAt
from archive.notices import Notices
from archive.site.pages.lists import find
from archive.site.pages.opendata import CSV, MOST_INCIDENTS, open_answer, open_json
from archive.site.pages.page import Answer, Asked, NotHere, Site
from archive.site.pages.station import MOST_CAMERAS
from archive.site.pages.terms import CAUSES
from archive.site.pages.texts import player_words
from archive.site.pages.times import iso
from archive.site.pages.told import told
from archive.site.press.hours import Hour, Hours
from archive.site.words import N_
from evidence.notice import NoticeKind

FRAMED = (
    "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors *"
)
"""Of embeds alone: any site may show them, and nothing else about them is looser."""
MOST_SHOWN = 500
"""Rows of a table on the page; the open data have all."""
MOST_GAPS = 3
"""Notices of gaps that stand over an embed."""

_CONTRADICTIONS = MappingProxyType(
    {
        Contradiction.DUPLICATE: N_("stands in the list more than once"),
        Contradiction.EXEMPT_DELIVERS: N_("is exempt by the list, and delivers"),
        Contradiction.NOT_COVERED_DELIVERS: N_("has no camera by the list, and delivers"),
        Contradiction.UNLISTED: N_("is in no list, and delivers"),
        Contradiction.TWO_UNITS: N_("has two units that record at the same time"),
        Contradiction.CAMERAS: N_("has another number of cameras than the list says"),
    }
)


_KINDS = MappingProxyType(
    {
        NoticeKind.NOTICE: N_("Notice"),
        NoticeKind.STATEMENT: N_("Statement"),
        NoticeKind.CORRECTION: N_("Correction"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTold:
    """A notice in the reader's language. ``corrects`` and ``corrected_by`` are numbers, 0 for none."""

    number: int
    kind: str
    at_us: int
    title: str
    paragraphs: tuple[str, ...]
    corrects: int
    corrected_by: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """The views, over what the site counts by the hour and what the authority has said."""

    hours: Hours
    notices: Callable[[], Notices] = Notices
    """All that the authority has said."""

    def views(self) -> Sequence[tuple[str, Callable[[Site, Asked], Answer]]]:
        """Pages, by what stands behind ``/LANGUAGE``."""
        return (("/press", self.desk), ("/press/wall", wall), ("/notices", self.told))

    def data(self) -> Sequence[tuple[str, Callable[[Site, Asked], Answer]]]:
        """Addresses without a language, or with one at their end."""
        name = r"[A-Za-z0-9][A-Za-z0-9-]{0,31}"
        return (
            ("/open/hours.json", self.hours_json),
            ("/open/hours.csv", self.hours_csv),
            ("/open/reconciliation.json", reconciliation_json),
            ("/open/reconciliation.csv", reconciliation_csv),
            ("/open/notices.json", self.notices_json),
            (f"/embed/{{station:{name}}}", embed),
            (f"/embed/{{station:{name}}}/{{in:az|en|ru}}", embed),
        )

    def desk(self, site: Site, asked: Asked) -> Answer:
        """The table that adds up, the hours, and how to quote."""
        table, say = _table(site), site.layout.words[asked.language].say
        return site.layout.page(
            asked,
            "press.html",
            table=table,
            sums=[
                (say(N_("In the list")), table.listed),
                (say(N_("Exempt")), table.exempt),
                (say(N_("Not covered")), table.not_covered),
                (say(N_("To be recorded")), table.expected),
                (say(N_("Recorded")), table.recorded),
                (say(N_("Missing")), len(table.missing)),
            ],
            missing=table.missing[:MOST_SHOWN],
            causes={word: say(text) for word, text in CAUSES.items()},
            contradictions=[(each, say(_CONTRADICTIONS[each.what])) for each in table.contradictions[:MOST_SHOWN]],
            line=line_address,
            hours=self._rows(site),
            origin=site.origin,
            example=next((each.name for each in site.facts.stations() if each.units), "57-002"),
        )

    def told(self, site: Site, asked: Asked) -> Answer:
        """Notices, statements and corrections, newest first; each leads to what it corrects and what corrects it."""
        held, language = self.notices(), asked.language
        corrected = {each.notice.corrects: each.notice.number for each in held.published if each.notice.corrects}
        say = site.layout.words[language].say
        rows = [
            NoticeTold(
                number=each.notice.number,
                kind=say(_KINDS[each.notice.kind]),
                at_us=each.notice.at_us,
                title=title,
                paragraphs=tuple(text.split("\n\n")),
                corrects=each.notice.corrects,
                corrected_by=corrected.get(each.notice.number, 0),
                sha256=each.sha256,
            )
            for each in reversed(held.published)
            for title, text in [each.notice.said(language)]
        ]
        return site.layout.page(asked, "press_notices.html", rows=rows, broken=held.broken)

    def notices_json(self, _site: Site, _asked: Asked) -> Answer:
        """The same as the authority signed it: ``signed`` is the JWS whose SHA-256 stands beside it."""
        held = self.notices()
        rows = [
            {"number": each.notice.number, "kind": each.notice.kind, "at": iso(each.notice.at_us)}
            | {"corrects": each.notice.corrects or None, "sha256": each.sha256, "signed": each.signed}
            for each in held.published
        ]
        return open_json({"notices": rows, "broken": bool(held.broken)})

    def hours_json(self, site: Site, _asked: Asked) -> Answer:
        """The hours, newest first."""
        rows = [
            {
                "from": iso(each.begin_us),
                "expected": each.expected,
                "recorded": each.recorded,
                "live": each.live,
                "gaps": each.gaps,
                "incidents": each.incidents,
                "most_watched": [{"station": name, "requests": count} for name, count in each.watched],
            }
            for each in self._rows(site)
        ]
        return open_json({"at": iso(site.facts.totals().at_us), "hours": rows})

    def hours_csv(self, site: Site, _asked: Asked) -> Answer:
        """The same in columns."""
        return _csv(
            ("from_utc", "expected", "recorded", "live", "gaps", "incidents", "most_watched", "requests"),
            (
                (
                    *(iso(each.begin_us), _cell(each.expected), _cell(each.recorded), _cell(each.live)),
                    *(each.gaps, each.incidents),
                    *(each.watched[0] if each.watched else ("", "")),
                )
                for each in self._rows(site)
            ),
        )

    def _rows(self, site: Site) -> list[Hour]:
        self.hours.count(site.facts.totals())
        return self.hours.rows(site.facts.incidents(None, 0, MOST_INCIDENTS)[0])


def wall(site: Site, asked: Asked) -> Answer:
    """Live stations in turn, over the whole screen; which, the browser asks of the open data."""
    return site.layout.page(asked, "press_wall.html", max_age_s=60)


def embed(site: Site, asked: Asked) -> Answer:
    """One station for a frame of another site: state, gap and player. Nothing in the address removes any. NotHere."""
    name = asked.parts["station"]
    facts = find(site, name)
    if facts is None:
        raise NotHere(N_("There is no such station."))
    language = asked.parts.get("in", "az")
    times = site.layout.times[language]
    records = [record for _, record in site.facts.records(name) if record.unit]
    cameras = [f"{record.unit}/{camera.camera}" for record in records for camera in record.cameras]
    incidents, _ = site.facts.incidents(name, 0, 100)
    gaps = [told(each, times) for each in incidents if each.kind is Kind.GAP and each.ongoing][:MOST_GAPS]
    answer = site.layout.page(
        Asked(language=language, path=f"/stations/{name}"),
        "press_embed.html",
        station=facts,
        gaps=gaps,
        cameras=cameras[:MOST_CAMERAS],
        player_words=player_words(times.words),
        election=site.election,
    )
    return Answer(body=answer.body, max_age_s=answer.max_age_s, headers={"Content-Security-Policy": FRAMED})


def reconciliation_json(site: Site, _asked: Asked) -> Answer:
    """The table that adds up, with every missing station and every contradiction."""
    table = _table(site)
    return open_json(
        {
            "at": iso(table.at_us),
            "listed": table.listed,
            "exempt": table.exempt,
            "not_covered": table.not_covered,
            "unlisted": table.unlisted,
            "expected": table.expected,
            "recorded": table.recorded,
            "missing": len(table.missing),
            "missing_stations": [_missing(each) for each in table.missing],
            "contradictions": [
                {"station": each.station, "what": each.what, "detail": each.detail} for each in table.contradictions
            ],
        }
    )


def reconciliation_csv(site: Site, _asked: Asked) -> Answer:
    """Every station of the list with its part in the sum; of those missing cause and evidence."""
    table = _table(site)
    missing = {each.station: each for each in table.missing}
    wrong: dict[str, list[str]] = {}
    for each in table.contradictions:
        wrong.setdefault(each.station, []).append(each.what)
    rows: list[Sequence[object]] = []
    for station in site.facts.stations():
        found = missing.get(station.name)
        part = "unlisted" if station.listed is None else station.listed.status.value
        cells = (
            ("missing", found.cause, found.gap or "", iso(found.since_us), iso(found.proven_us), _yes(found.coming))
            if found is not None
            else (part, "", "", "", iso(station.proven_us), _yes(station.coming))
        )
        evidence = line_address(found.line) if found is not None and found.line is not None else ""
        rows.append(
            (station.name, *cells, evidence and f"{site.origin}{evidence}", " ".join(wrong.get(station.name, ())))
        )
    columns = (
        "station",
        "counts_as",
        "cause",
        "gap_cause",
        "since_utc",
        "proven_utc",
        "coming",
        "evidence",
        "contradictions",
    )
    return _csv(columns, rows)


def line_address(line: LineAt) -> str:
    """Where the signed line can be fetched."""
    return f"/ledger/{line.name.station}/{line.name.unit}/{line.branch}/{line.seq}-{line.seq}.jws"


def _table(site: Site) -> Reconciliation:
    return reconcile(site.facts.stations(), site.facts.totals().at_us)


def _missing(each: Missing) -> dict[str, object]:
    return {
        "station": each.station,
        "cause": each.cause,
        "gap_cause": each.gap,
        "since": iso(each.since_us) or None,
        "proven": iso(each.proven_us) or None,
        "coming": each.coming,
        "evidence": None if each.line is None else line_address(each.line),
    }


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Answer:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return open_answer(("\ufeff" + out.getvalue()).encode(), CSV)


def _cell(value: int | None) -> object:
    return "" if value is None else value


def _yes(value: bool) -> str:
    return "yes" if value else "no"
