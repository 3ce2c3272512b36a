"""Pages that explain, and those that hold a place for a module: mosaic and verify."""

import json
from functools import cache

from markupsafe import Markup

from archive.site.onefile import one_file
from archive.site.pages.page import Answer, Asked, Site
from archive.site.pages.static import SITE
from archive.site.pages.terms import CAUSES, STATE_MEANINGS, STATES, TEST, TEST_MEANING
from archive.site.words import N_, Words

STILL_S = 60
"""What changes with a new version only may be kept longer."""

_ADDRESSES = (
    ("/open/stations.csv", N_("every station with its state, and those that are exempt or not covered")),
    ("/open/stations.json", N_("the same as JSON")),
    ("/open/stations/STATION.json", N_("one station: units, cameras, what is true of each moment, gaps, events")),
    ("/open/gaps.csv", N_("gaps and incidents of all stations, newest first, with their addresses")),
    ("/open/gaps.json", N_("the same as JSON")),
    ("/open/status.json", N_("the numbers of the day")),
    (
        "/open/reconciliation.csv",
        N_("every station and what it counts as, with cause and evidence where it is missing"),
    ),
    ("/open/reconciliation.json", N_("the same as JSON")),
    ("/open/hours.csv", N_("hour by hour: stations recorded and live, gaps, incidents")),
    ("/open/hours.json", N_("the same as JSON")),
    ("/open/notices.json", N_("notices of the election authority, as it signed them")),
    ("/hls/STATION/UNIT/CAMERA/live.m3u8", N_("live list (HLS)")),
    ("/hls/STATION/UNIT/CAMERA/2027-02-07T05Z.m3u8", N_("replay list of one hour of UTC (HLS)")),
    ("/media/ab/SHA256.m4s", N_("a segment, by its digest")),
    ("/clip/STATION/UNIT/CAMERA/FROM-TO.mp4", N_("a clip with its proof; times as 20270207T080700Z")),
    ("/bulk/STATION/UNIT/manifest.json", N_("every public file of a unit, with digest and size")),
    ("/bulk/STATION/UNIT/SHA256SUMS", N_("the same for sha256sum")),
    ("/bulk/STATION/UNIT/urls.txt", N_("the same as addresses, for programs that download")),
    ("/ledger/STATION/UNIT/BRANCH.jws", N_("the signed ledger")),
    ("/receipts/STATION/UNIT.jws", N_("receipts of the archive")),
    ("/trust.pem", N_("election root, as this page has it")),
    ("/revoked.pem", N_("revoked certificates")),
)


def mosaic(site: Site, asked: Asked) -> Answer:
    """Four or nine stations, chosen in the browser."""
    words = player_words(site.layout.words[asked.language])
    return site.layout.page(asked, "mosaic.html", max_age_s=STILL_S, player_words=words, election=site.election)


def verify(site: Site, asked: Asked) -> Answer:
    """The place of the verify page's module."""
    return site.layout.page(asked, "verify.html", max_age_s=STILL_S, sha256=one_file().sha256)


def how(site: Site, asked: Asked) -> Answer:
    """How it works, and law."""
    words = site.layout.words[asked.language]
    return site.layout.page(
        asked,
        "how.html",
        max_age_s=STILL_S,
        sha256=one_file().sha256,
        states=_meanings(words),
        test_meaning=words.say(TEST_MEANING),
    )


def data(site: Site, asked: Asked) -> Answer:
    """Addresses for programs."""
    words = site.layout.words[asked.language]
    return site.layout.page(
        asked,
        "data.html",
        max_age_s=STILL_S,
        addresses_told=[(address, address == address.lower(), words.say(text)) for address, text in _ADDRESSES],
        states=_meanings(words),
        test_meaning=words.say(TEST_MEANING),
        causes=[(cause, words.say(text)) for cause, text in CAUSES.items()],
    )


def status(site: Site, asked: Asked) -> Answer:
    """What is how, in numbers that add up."""
    totals, words = site.facts.totals(), site.layout.words[asked.language]
    say = words.say
    sums = [
        (say(N_("To be recorded")), totals.expected),
        (say(N_("of these recorded")), totals.recorded),
        (say(N_("of these missing")), totals.missing),
        (say(N_("Exempt")), totals.exempt),
        (say(N_("Not covered")), totals.not_covered),
        (say(N_("Not in the list of stations")), totals.unlisted),
        (say(N_("All")), totals.stations),
    ]
    states = [(state, count, words.say(STATE_MEANINGS[state])) for state, count in totals.states.items()]
    return site.layout.page(
        asked, "status.html", totals=totals, sums=sums, states=states, test_meaning=say(TEST_MEANING)
    )


def player_words(words: Words) -> Markup:
    """The player's texts in one language as a data block, with the page's own words for states and causes."""
    texts = dict(_player_words().get(words.language, {}))
    texts |= {f"state-{word}": words.say(text) for word, (text, _sign) in STATES.items()}
    texts["test"] = words.say(TEST[0])
    texts |= {f"cause-{cause}": words.say(text) for cause, text in CAUSES.items()}
    return data_block(texts)


def data_block(value: object) -> Markup:
    """JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(value, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@cache
def _player_words() -> dict[str, dict[str, str]]:
    held = json.loads((SITE / "player" / "words.json").read_text("utf-8"))
    return {language: dict(texts) for language, texts in held.items()}


def _meanings(words: Words) -> list[tuple[str, str]]:
    return [(word, words.say(meaning)) for word, meaning in STATE_MEANINGS.items()]
