"""The press desk: numbers that add up, hours, embeds; in three languages and with nothing inline."""

import csv
import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from archive.account.incidents import Kind
from archive.account.reconciliation import reconcile
from archive.notices import Notices, Published
from archive.roster import LANGUAGES, parse_roster
from archive.site.pages.page import Asked, NotHere
from archive.site.press.hours import MOST_HOURS, MOST_WATCHED, Hours
from archive.site.press.views import Press, embed, reconciliation_csv, reconciliation_json, wall
from evidence.day.line import HOUR_US
from evidence.notice import Notice, NoticeKind
from tests.fakes.facts import INCIDENTS, NOON_US, ROSTER, FakeFacts, fake_site
from tests.fakes.markup import read_page

FACTS = FakeFacts(parse_roster(ROSTER))
SITE = fake_site(FACTS)
TOTALS = FACTS.totals()


def desk(language: str) -> str:
    return Press(hours=Hours()).desk(SITE, Asked(language=language, path="/press")).body.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_desk_says_the_table_and_runs_and_styles_nothing_inline(language: str) -> None:
    text = desk(language)
    read_page(text)
    assert f'lang="{language}"' in text
    assert "<style" not in text
    assert " style=" not in text
    assert "118-001" in text, "the station that is missing is named"
    assert "9-999" in text, "and the one that is in no list"


def test_no_text_of_the_desk_stays_in_another_language() -> None:
    for said in ("Press desk", "Missing stations", "Hour by hour", "Most asked for"):
        assert said in desk("en")
        assert said not in desk("az") + desk("ru")


def test_open_data_and_page_are_of_one_table() -> None:
    table = reconcile(FACTS.stations(), NOON_US)
    told = json.loads(reconciliation_json(SITE, Asked(language="en")).body)
    assert told["listed"] - told["exempt"] - told["not_covered"] == told["recorded"] + told["missing"]
    assert (told["expected"], told["recorded"]) == (table.expected, table.recorded)
    assert [each["station"] for each in told["missing_stations"]] == ["118-001"]
    assert [each["what"] for each in told["contradictions"]] == ["unlisted"]
    rows = list(csv.DictReader(io.StringIO(reconciliation_csv(SITE, Asked(language="en")).body.decode("utf-8-sig"))))
    assert [row["counts_as"] for row in rows].count("missing") == told["missing"]
    assert len(rows) == len(FACTS.stations())


def test_an_hour_counts_what_began_in_it_and_the_last_numbers_of_it() -> None:
    hours = Hours()
    hours.count(TOTALS)
    hours.count(replace(TOTALS, at_us=NOON_US + 60_000_000, live=7))
    rows = {each.begin_us: each for each in hours.rows(INCIDENTS)}
    noon = rows[NOON_US // HOUR_US * HOUR_US]
    gaps = [each for each in INCIDENTS if each.kind is Kind.GAP]
    assert (noon.live, noon.recorded, noon.gaps) == (7, TOTALS.recorded, len(gaps))
    assert sum(each.gaps + each.incidents for each in rows.values()) <= len(INCIDENTS)
    assert Hours().rows(INCIDENTS)[0].recorded is None, "nobody counted then"


def test_what_is_asked_for_is_counted_by_station_and_bounded() -> None:
    hours = Hours()
    for number in range(30):
        for _ in range(number + 1):
            hours.asked(f"57-{number:03d}", NOON_US)
    (hour,) = hours.rows(())
    assert len(hour.watched) == MOST_WATCHED
    assert hour.watched[0] == ("57-029", 30)
    for number in range(MOST_HOURS * 2):
        hours.asked("57-002", NOON_US + number * HOUR_US)
        hours.count(replace(TOTALS, at_us=NOON_US + number * HOUR_US))
    assert len(hours.rows(INCIDENTS)) == MOST_HOURS


def test_hours_as_json_and_csv_say_the_same() -> None:
    press = Press(hours=Hours())
    press.hours.asked("57-002", NOON_US)
    told = json.loads(press.hours_json(SITE, Asked(language="en")).body)["hours"]
    rows = list(csv.DictReader(io.StringIO(press.hours_csv(SITE, Asked(language="en")).body.decode("utf-8-sig"))))
    assert [row["from_utc"] for row in rows] == [each["from"] for each in told]
    assert any(each["most_watched"] == [{"station": "57-002", "requests": 1}] for each in told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_embed_keeps_state_and_gap_and_only_it_may_be_framed(language: str) -> None:
    asked = Asked(language="en", parts={"station": "57-002", "in": language}, query={"state": "complete", "q": "x"})
    answer = embed(SITE, asked)
    text = answer.body.decode()
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert 'class="state state-live"' in text
    assert 'class="notice"' in text, "the gap that goes on is told"
    assert text == embed(SITE, replace(asked, query={})).body.decode(), "no parameter changes it"
    assert "Content-Security-Policy" not in Press(hours=Hours()).desk(SITE, Asked(language=language)).headers


def test_the_embed_of_a_test_says_so_and_one_of_nobody_is_not_there() -> None:
    facts = FakeFacts(parse_roster(ROSTER))
    facts._stations = [replace(each, test=True) for each in facts._stations]
    assert "state-test" in embed(fake_site(facts), Asked(language="en", parts={"station": "57-002"})).body.decode()
    with pytest.raises(NotHere):
        embed(SITE, Asked(language="en", parts={"station": "1-1"}))


def test_notices_are_shown_newest_first_in_each_language_and_corrections_beside_what_they_correct() -> None:
    notice = Notice(
        election="az-2027",
        number=1,
        at_us=NOON_US,
        kind=NoticeKind.STATEMENT,
        corrects=0,
        prev="",
        title_az="Başlıq",
        title_en="Title <b>",
        title_ru="Заголовок",
        text_az="Mətn.",
        text_en="One.\n\nTwo.",
        text_ru="Текст.",
        certs=(b"",),
    )
    correction = replace(notice, number=2, kind=NoticeKind.CORRECTION, corrects=1, prev="0" * 64)
    held = Notices(
        published=tuple(Published(notice=each, signed="a.b.c", sha256="0" * 64) for each in (notice, correction)),
        broken="3.jws: no",
    )
    press = Press(hours=Hours(), notices=lambda: held)
    english = press.told(SITE, Asked(language="en", path="/notices")).body.decode()
    assert english.index('id="n2"') < english.index('id="n1"')
    assert "Title &lt;b&gt;" in english
    assert "<p>One.</p>\n<p>Two.</p>" in english
    assert 'href="#n2">Corrected by' in english
    assert "does not check" in english
    assert "Текст." in press.told(SITE, Asked(language="ru", path="/notices")).body.decode()
    told = json.loads(press.notices_json(SITE, Asked(language="en")).body)
    assert [each["corrects"] for each in told["notices"]] == [None, 1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wall_has_its_slate_shown_until_a_station_is(language: str) -> None:
    text = wall(SITE, Asked(language=language, path="/press/wall")).body.decode()
    read_page(text)
    assert f'class="presswall" data-lang="{language}"' in text
    assert '<div class="presswall-slate" role="status">' in text


def test_the_wall_goes_round_live_stations_and_knows_when_the_site_is_away(tmp_path: Path) -> None:
    module = Path(__file__).parents[2] / "archive/site/static/presswall.js"
    (tmp_path / "presswall.mjs").write_text(module.read_text())
    (tmp_path / "try.mjs").write_text(
        """
        import { following, liveStations } from './presswall.mjs';
        const told = (stations, ok = true) => async () => ({ ok, json: async () => ({ stations }) });
        const each = (station, state) => ({ station, state });
        const live = await liveStations(told([each('1-1', 'live'), each('1-2', 'silent'), each('1-3', 'thinned'),
          each('../x', 'live')]));
        console.log(JSON.stringify([live, await liveStations(told([], false)), await liveStations(told(null)),
          await liveStations(async () => { throw new Error('away'); }),
          following(live, null), following(live, '1-1'), following(live, '1-3'), following([], '1-1')]));
        """
    )
    ran = subprocess.run(["node", "try.mjs"], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60)
    assert json.loads(ran.stdout) == [["1-1", "1-3"], None, None, None, "1-1", "1-3", "1-1", None]
