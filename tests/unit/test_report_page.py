"""The auditor's report: the verdict first, everything that was found, nothing from outside."""

import copy
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from audit.report.page import render_report, write_report
from audit.report.parts import MOST_FINDINGS, MOST_GAPS
from audit.report.words import ENGLISH
from base.errors import OperatorError
from evidence.coverage import State
from tests.fakes import answers
from tests.fakes.answers import Json

EVIL = '"><script>alert(1)</script><img src="https://example.org/x">'


def body(page: str) -> ElementTree.Element:
    """The page as XML: it is written so that it is both."""
    return ElementTree.fromstring(page.split("\n", 1)[1])


def said(page: str) -> str:
    """All text of the page but its style."""
    root = body(page)
    return re.sub("[ \n]+", " ", " ".join(text for part in root.iter("body") for text in part.itertext()))


def first_record(answer: Json) -> Json:
    """The only record of an answer."""
    records = answer["records"]
    assert isinstance(records, list)
    found: Json = records[0]
    return found


def held_day(covered_ms: int = 0) -> Json:
    """The calm day, most of which the archive has and the unit pruned; ``covered_ms`` of it are still here."""
    answer = copy.deepcopy(answers.calm_day())
    record = first_record(answer)
    cameras = record["cameras"]
    assert isinstance(cameras, list)
    for each in cameras:
        each["held_ms"] = [each["covered_ms"][0] - covered_ms] * 2
        each["covered_ms"] = [covered_ms, covered_ms]
        for span in each["spans"]:
            span.update({"state": "held", "mode": "LIVE"} if span["state"] == "segment" else {})
    return answer


DAYS = {
    "calm": answers.calm_day(),
    "hard": answers.hard_day(),
    "many": answers.many_gaps(60),
    "unset": answers.never_set(),
    "held": held_day(),
    "several": answers.answer(first_record(answers.calm_day()), first_record(answers.hard_day())),
    "nothing": answers.answer(),
}


@pytest.mark.parametrize("name", DAYS)
def test_a_page_is_well_formed_and_asks_nothing_of_anyone(name: str) -> None:
    page = render_report(DAYS[name])
    body(page)
    assert not re.search(r"""(src|href|action|data)\s*=\s*["'](?!#)""", page)
    assert not re.search(r"url\((?!#)|@import|<script|<link|<iframe", page)


@pytest.mark.parametrize("name", DAYS)
def test_the_same_answer_gives_the_same_bytes(name: str) -> None:
    assert render_report(DAYS[name]) == render_report(copy.deepcopy(DAYS[name]))


@pytest.mark.parametrize("name", DAYS)
def test_every_id_is_there_once_and_every_link_leads_to_one(name: str) -> None:
    root = body(render_report(DAYS[name]))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = [element.get("href", "") for element in root.iter() if element.get("href")]
    assert {link[1:] for link in links} <= set(ids)
    used = set(re.findall(r"url\(#([^)]*)\)", render_report(DAYS[name])))
    assert used <= set(ids)


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("calm", "Everything recorded is here and checks"),
        ("hard", "Something does not check"),
        ("held", "Everything recorded checks here or is held by the archive"),
        ("nothing", "Cannot tell"),
    ],
)
def test_the_verdict_in_words_is_the_headline(name: str, headline: str) -> None:
    (found,) = body(render_report(DAYS[name])).iter("h1")
    assert found.text == headline


def test_what_the_archive_holds_is_told_in_the_verdict_the_numbers_the_picture_and_its_twin() -> None:
    page = render_report(DAYS["held"])
    text = said(page)
    assert ENGLISH.held_meaning in text
    assert ENGLISH.held_note in text
    assert "cam0: held by the archive 19 h 57 min 1 s." in text
    assert "Held by the archive cam0: 19 h 57 min 1 s, cam1: 19 h 59 min 15 s" in text
    assert "Held by the archive, by its signed receipt; not here · LIVE" in text
    legend = next(each for each in body(page).iter("ul") if each.get("class") == "key")
    assert ENGLISH.states["held"] in " ".join(legend.itertext())
    assert "It is not election video" not in text


def test_what_stays_at_the_station_is_told_in_the_verdict_and_the_picture() -> None:
    calm = first_record(answers.calm_day())
    cameras: Any = calm["cameras"]
    cameras[0]["spans"][0] |= {"state": "at-unit", "mode": "UNARMED"}
    page = render_report(answers.answer(calm))
    (headline,) = body(page).iter("h1")
    assert headline.text == "Everything recorded since arming is here and checks"
    text = said(page)
    assert ENGLISH.at_unit_note in text
    assert "Not armed: stays at the station · UNARMED" in text
    assert ENGLISH.held not in text


def test_an_answer_without_held_time_says_nothing_of_an_archive() -> None:
    assert ENGLISH.held not in said(render_report(DAYS["calm"]))


def test_the_page_names_station_unit_election_and_head() -> None:
    text = said(render_report(DAYS["calm"]))
    assert all(part in text for part in ("57-002", "U1", "AZ-2026-11", answers.HEAD, "36\u202f481"))


def test_times_are_local_with_utc_its_uncertainty_and_boot_time_beneath() -> None:
    text = said(render_report(DAYS["calm"]))
    assert "2026-11-01 14:20:00.0 – 14:22:14.0" in text
    assert "UTC 2026-11-01 10:20:00.0 – 10:22:14.0, ± 80 ms" in text
    assert "boot 3f2a1b9c +08:20:00.0 – +08:22:14.0" in text
    assert "Asia/Baku (UTC+04:00)" in text


def test_a_zone_can_be_asked_for_and_an_unknown_one_falls_back_to_utc() -> None:
    assert "2026-11-01 11:20:00.0" in said(render_report(DAYS["calm"], time_zone="Europe/Berlin"))
    unknown = said(render_report(DAYS["calm"], time_zone="../../etc/passwd"))
    assert "2026-11-01 10:20:00.0" in unknown
    assert "times are UTC" in unknown


def test_a_record_whose_time_was_never_set_says_so_and_counts_from_power_on() -> None:
    text = said(render_report(DAYS["unset"]))
    assert "TIME UNSET +00:00:12.2" in text
    assert ENGLISH.clock_none in text


def test_unbounded_time_is_told_as_at_least() -> None:
    assert "at least 1 h 41 min 23 s" in said(render_report(DAYS["hard"]))


def test_causes_are_told_in_plain_words_with_what_they_were_concluded_from() -> None:
    text = said(render_report(DAYS["hard"]))
    assert "the unit was too hot" in text
    assert "from celsius 86" in text


def test_a_finding_has_its_class_code_sentence_place_and_advice() -> None:
    root = body(render_report(DAYS["hard"]))
    item = next(each for each in root.iter("li") if "media-changed" in "".join(each.itertext()))
    text = " ".join(item.itertext())
    expected = ("does not check", "A segment's bytes are not the ones that were signed.", "cam0", "line 5\u202f013")
    assert all(part in text for part in (*expected, "2026-11-01 08:46:40.0", "What to do", "300 times"))


def test_the_gravest_findings_come_first() -> None:
    page = render_report(DAYS["hard"])
    places = [page.index(f"<code>{code}</code>") for code in ("media-missing", "hole", "open-end", "torn-tail")]
    assert places == sorted(places)


def test_an_open_end_is_never_silently_fine() -> None:
    assert ENGLISH.open_end in said(render_report(DAYS["hard"]))
    assert ENGLISH.closed in said(render_report(DAYS["calm"]))


def test_a_test_recording_is_called_one_at_the_top() -> None:
    assert "This is a TEST recording. It is not election video." in said(render_report(DAYS["many"]))
    assert "It is not election video" not in said(render_report(DAYS["calm"]))


def test_the_picture_in_words_has_a_row_for_each_span() -> None:
    answer = answers.hard_day()
    cameras = first_record(answer)["cameras"]
    assert isinstance(cameras, list)
    root = body(render_report(answer))
    states = [row.get("data-state") for row in root.iter("tr") if row.get("data-state")]
    known = [state for state in states if state != State.UNEXPLAINED]
    assert known == [span["state"] for span in cameras[0]["spans"]]
    assert states.count(State.UNEXPLAINED) == 1


def test_every_state_of_the_day_is_in_the_picture_and_in_its_legend() -> None:
    page = render_report(DAYS["hard"])
    drawn = {element.get("class") for element in body(page).iter()}
    assert {"day-segment", "day-recovered", "day-known", "day-bad", "day-empty", "day-unsaid", "day-pin"} <= drawn
    legend = next(each for each in body(page).iter("ul") if each.get("class") == "key")
    text = " ".join(legend.itertext())
    others = (State.GAP, State.HELD, State.THINNED, State.WITHHELD)
    assert all(ENGLISH.states[state] in text for state in State if state not in others)
    assert "Gap: no power" in text


def test_the_state_of_the_clock_is_in_the_picture_its_legend_and_a_table() -> None:
    page = render_report(DAYS["hard"])
    drawn = {element.get("class") for element in body(page).iter()}
    assert {"day-synced", "day-unsynced", "day-unset"} <= drawn
    text = said(page)
    assert all(ENGLISH.clock_keys[state] in text for state in ("synced", "unsynced", "unset"))
    assert ENGLISH.clock_states["unsynced"] in text


def test_phases_stand_as_flags_above_the_day() -> None:
    flags = [each for each in body(render_report(DAYS["calm"])).iter() if each.get("class") == "day-flag"]
    told = {" ".join(flag.itertext()) for flag in flags}
    assert any("Opened" in text for text in told)
    assert any("Protocol shown" in text for text in told)


def test_hundreds_of_gaps_and_findings_are_cut_and_the_count_is_told() -> None:
    page = render_report(answers.many_gaps(700))
    assert page.count('id="r0-gap-') == MOST_GAPS
    assert page.count('<li id="r0-finding-') == MOST_FINDINGS
    assert f"{MOST_GAPS} of 700 gaps are shown" in page
    assert f"{MOST_FINDINGS} of 700 findings are shown" in page


@pytest.mark.parametrize("name", ["calm", "hard"])
def test_hostile_texts_stay_texts(name: str) -> None:
    def spoil(value: object, member: str = "") -> object:
        if isinstance(value, dict):
            spoilt = {key: spoil(each, key) for key, each in value.items()}
            return {EVIL: EVIL} if member in ("data", "evidence") else spoilt
        if isinstance(value, list):
            return [spoil(each) for each in value]
        return EVIL + value if isinstance(value, str) and member != "schema" else value

    spoilt = spoil(DAYS[name])
    assert isinstance(spoilt, dict)
    page = render_report(spoilt)
    root = body(page)
    assert not list(root.iter("script"))
    assert not list(root.iter("img"))
    assert "alert(1)" in said(page)


def test_times_from_outside_the_calendar_do_not_stop_the_report() -> None:
    answer = answers.calm_day()
    cameras = first_record(answer)["cameras"]
    assert isinstance(cameras, list)
    cameras[0]["spans"][0]["from"]["utc_us"] = [-(2**53), 2**53 - 1]
    cameras[0]["spans"][-1]["to"]["utc_us"] = [2**62, 2**62]
    body(render_report(answer))


@pytest.mark.parametrize(
    "broken",
    [{}, {"schema": "unbroken-verdict-2"}, {"schema": "unbroken-verdict-1", "verdict": "findings", "records": [7]}],
)
def test_what_is_not_an_answer_is_refused(broken: Json) -> None:
    with pytest.raises(ValueError, match=r"schema|not an object"):
        render_report(broken)


def test_the_report_is_written_to_its_file(tmp_path: Path) -> None:
    write_report(DAYS["calm"], tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == render_report(DAYS["calm"]).encode()


def test_a_folder_that_does_not_exist_is_told_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="Give a file in a folder that exists"):
        write_report(DAYS["calm"], tmp_path / "nowhere" / "report.html")
