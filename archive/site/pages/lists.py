"""Pages that are lists: the home page, stations, a constituency, what a search finds, gaps and incidents."""

from archive.account.stations import StationFacts, total
from archive.site.pages.page import Answer, Asked, NotHere, Site, whole
from archive.site.pages.search import MOST_TYPED
from archive.site.pages.terms import STATES, TEST
from archive.site.pages.told import told
from archive.site.words import N_

A_PAGE = 200
"""Rows of a list on one page."""
MOST_PAGES = 10_000
NEWEST = 6
"""Incidents on the home page."""

_GROUPS = {
    "recorded": (N_("Recorded"), lambda each: total([each], 0).recorded),
    "on-air": (N_("Live now"), lambda each: total([each], 0).live),
    "missing": (N_("Missing"), lambda each: total([each], 0).missing),
    "expected": (N_("To be recorded"), lambda each: total([each], 0).expected),
    "test": (TEST[0], lambda each: total([each], 0).test),
    "unlisted": (N_("Not in the list of stations"), lambda each: total([each], 0).unlisted),
}
"""What the numbers of the day count, by the word in the address: asked of the rule that counts them."""


def home(site: Site, asked: Asked) -> Answer:
    """The state of the day: search first, then the numbers."""
    totals, times = site.facts.totals(), site.layout.times[asked.language]
    say, base = times.words.say, f"/{asked.language}/stations"
    incidents, _ = site.facts.incidents(None, 0, NEWEST)
    numbers = [
        (say(N_("To be recorded")), totals.expected, f"{base}?state=expected"),
        (say(N_("Recorded")), totals.recorded, f"{base}?state=recorded"),
        (say(N_("Live now")), totals.live, f"{base}?state=on-air"),
        (say(N_("Missing")), totals.missing, f"{base}?state=missing"),
        (say(N_("Exempt")), totals.exempt, f"{base}?state=exempt"),
        (say(N_("Not covered")), totals.not_covered, f"{base}?state=not-covered"),
    ]
    if totals.unlisted:
        numbers.append((say(N_("Not in the list of stations")), totals.unlisted, f"{base}?state=unlisted"))
    return site.layout.page(
        asked,
        "home.html",
        totals=totals,
        numbers=numbers,
        states=[(state, count) for state, count in totals.states.items() if count],
        constituencies=site.roster.constituencies(),
        incidents=[told(incident, times) for incident in incidents],
    )


def stations(site: Site, asked: Asked) -> Answer:
    """Every station, or those of one state or number of the day. Raises NotHere for a word that is neither."""
    chosen = asked.query.get("state", "")
    if chosen and chosen not in STATES and chosen not in _GROUPS:
        raise NotHere
    rows = [each for each in site.facts.stations() if not chosen or _is(each, chosen)]
    most = max(1, -(-len(rows) // A_PAGE))
    page = whole(asked.query.get("page"), most)
    return site.layout.page(
        asked,
        "stations.html",
        rows=rows[(page - 1) * A_PAGE : page * A_PAGE],
        count=len(rows),
        chosen=chosen,
        group=site.layout.words[asked.language].say(_GROUPS[chosen][0]) if chosen in _GROUPS else "",
        page=page,
        most=most,
        at_us=site.facts.totals().at_us,
    )


def _is(facts: StationFacts, chosen: str) -> bool:
    return bool(_GROUPS[chosen][1](facts)) if chosen in _GROUPS else facts.state == chosen


def constituency(site: Site, asked: Asked) -> Answer:
    """The stations of one constituency. Raises NotHere."""
    number = asked.parts["constituency"]
    rows = [each for each in site.facts.stations() if each.listed and each.listed.constituency == number]
    if not rows:
        raise NotHere
    at_us = site.facts.totals().at_us
    return site.layout.page(asked, "constituency.html", constituency=number, rows=rows, at_us=at_us)


def search(site: Site, asked: Asked) -> Answer:
    """What is found; stations that no list names are found by their whole name."""
    typed = asked.query.get("q", "")[:MOST_TYPED]
    now = {each.name: each for each in site.facts.stations()}
    found = site.search.find(typed)
    rows = [now[each.name] for each in found.stations if each.name in now]
    unlisted = now.get(typed.strip())
    if unlisted and unlisted.listed is None:
        rows = [unlisted, *rows]
    count = max(found.count, len(rows))
    return site.layout.page(asked, "search.html", typed=typed, rows=rows, count=count)


def gaps(site: Site, asked: Asked) -> Answer:
    """All gaps and incidents, or those of one station, newest first. Raises NotHere."""
    station = asked.query.get("station", "")
    if station and find(site, station) is None:
        raise NotHere
    times = site.layout.times[asked.language]
    _, count = site.facts.incidents(station or None, 0, 0)
    most = max(1, min(MOST_PAGES, -(-count // A_PAGE)))
    page = whole(asked.query.get("page"), most)
    incidents, count = site.facts.incidents(station or None, (page - 1) * A_PAGE, A_PAGE)
    rows = [told(incident, times) for incident in incidents]
    return site.layout.page(asked, "gaps.html", incidents=rows, count=count, station=station, page=page, most=most)


def find(site: Site, station: str) -> StationFacts | None:
    """The station of that name."""
    return next((each for each in site.facts.stations() if each.name == station), None)
