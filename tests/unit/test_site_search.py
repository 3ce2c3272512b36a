"""Stations are found by what people type, whatever their keyboard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.roster import Roster, RosterStation, StationStatus
from archive.site.pages.folding import fold, spellings, words_of
from archive.site.pages.search import MOST_FOUND, StationSearch


def _station(constituency: int, number: int, *, name: str = "", address: str = "", ru: str = "") -> RosterStation:
    return RosterStation(
        name=f"{constituency}-{number:03d}",
        constituency=str(constituency),
        number=f"{number:03d}",
        names={"az": name or "Bina", **({"ru": ru} if ru else {})},
        addresses={"az": address} if address else {},
        cameras=1,
        status=StationStatus.RECORDED,
        reason={},
    )


STATIONS = Roster(
    stations=(
        _station(2, 57, name="Klub", address="Nizami küçəsi 57"),
        _station(5, 1, name="İsmayıllı şəhər məktəbi", address="Ç. İldırım küç. 12"),
        _station(57, 1, name="Kürdəmir mərkəzi kitabxana", ru="Кюрдамир, центральная библиотека"),
        _station(57, 2, name="Kürdəmir orta məktəbi №7", address="Şirvanlı küçəsi 2", ru="Школа № 7, ёлка"),
        _station(57, 20, name="Xəstəxana", address="Kürdəmir şəhəri"),
        _station(118, 2, name="Mədəniyyət evi", address="Qızılağac"),
    )
).stations
SEARCH = StationSearch(STATIONS)


def _found(typed: str) -> list[str]:
    return [station.name for station in SEARCH.find(typed).stations]


@pytest.mark.parametrize(
    "typed",
    [
        "57/2",
        "57-2",
        "57 002",
        "57-002",
        "57\\2",
        " 57 . 2 ",
        "№57/2",
        "057/02",
        "seçki məntəqəsi 57-2",
        "участок 57/2",
    ],
)
def test_constituency_and_number_lead_to_the_one_station_first(typed: str) -> None:
    assert _found(typed)[0] == "57-002"


@pytest.mark.parametrize("typed", ["Kürdəmir 57/2", "kurdemir 57-2", "57/2 Kurdemir", "Кюрдамир 57/1"])
def test_a_name_beside_the_number_narrows_it(typed: str) -> None:
    assert _found(typed)[0] in ("57-002", "57-001")
    assert len(_found(typed)) <= 2
    assert _found("Naxçıvan 57/2") == []


def test_a_constituency_shows_its_stations_before_others_that_hold_the_number() -> None:
    assert _found("57") == ["57-001", "57-002", "57-020", "2-057"]
    assert _found("5") == ["5-001"], "5 is not the beginning of 57"


@pytest.mark.parametrize("typed", ["İSMAYILLI", "ismayilli", "Ismayıllı", "ısmayıllı", "İsmayıl", "ISMAYILLI SEHER"])
def test_dotted_and_dotless_i_are_one_letter_in_both_cases(typed: str) -> None:
    assert _found(typed) == ["5-001"]


@pytest.mark.parametrize("typed", ["Şirvanlı", "sirvanli", "shirvanli", "SHIRVANLI", "ŞİRVANLI", "shirvan"])
def test_azerbaijani_letters_and_their_fallbacks_find_the_same(typed: str) -> None:
    assert _found(typed) == ["57-002"]
    assert _found("ch ildirim") == _found("Ç. İldırım") == _found("c ildirim") == ["5-001"]


def test_cyrillic_names_are_found_as_they_are_and_with_e_for_yo() -> None:
    assert _found("библиотека") == ["57-001"]
    assert _found("ЕЛКА") == _found("ёлка") == ["57-002"]


def test_several_words_must_all_be_found_in_any_order_and_a_name_comes_before_an_address() -> None:
    assert _found("məktəbi kürdəmir") == ["57-002"]
    assert _found("Kürdəmir") == ["57-001", "57-002", "57-020"]
    assert _found("Kürdəmir yoxdur") == []


@pytest.mark.parametrize("typed", ["", "  ", "-/.", "'", "\x00\ud800", "%s {0}", "9" * 5000, "a" * 5000, "٣٤"])
def test_nothing_and_nonsense_find_nothing(typed: str) -> None:
    assert _found(typed) == []


def test_at_most_fifty_are_shown_and_all_are_counted() -> None:
    found = StationSearch([_station(1, number, name="Bakı") for number in range(1, 200)]).find("baki")
    assert (len(found.stations), found.count) == (MOST_FOUND, 199)
    assert found.stations[0].name == "1-001"


def test_folding_knows_the_letters() -> None:
    assert fold("ƏIİŞĞÇÖÜəıişğçöü") == "eiisgcoueiisgcou"
    assert fold("I") == fold("ı") == fold("İ") == fold("i") == fold("i\u0307") == "i"
    assert words_of("Məktəb№7-də A'bc 12a") == ["mekteb", "7", "de", "abc", "12", "a"]
    assert list(spellings("Şəki-Çay")) == ["Şəki-Çay", "shəki-Çay", "Şəki-chay", "shəki-chay"]


@given(st.text(max_size=200))
def test_whatever_is_typed_is_answered_and_folding_twice_changes_nothing(typed: str) -> None:
    found = SEARCH.find(typed)
    assert len(found.stations) <= min(found.count, MOST_FOUND)
    assert fold(fold(typed)) == fold(typed)
    assert all(word for word in words_of(typed))


@given(st.sampled_from(STATIONS), st.data())
def test_a_station_is_found_by_any_of_its_words_and_by_its_number_in_any_form(
    station: RosterStation, data: st.DataObject
) -> None:
    words = [word for text in (*station.names.values(), *station.addresses.values()) for word in text.split()]
    word = data.draw(st.sampled_from([word for word in words if any(char.isalnum() for char in word)]))
    for typed in (word, word.upper(), word.casefold()):
        assert station in SEARCH.find(typed).stations, typed
    between = data.draw(st.sampled_from(["/", "-", " ", " / ", ".", "\\", "–"]))
    typed = f"{station.constituency}{between}{int(station.number)}"
    assert SEARCH.find(typed).stations[0] == station, typed
