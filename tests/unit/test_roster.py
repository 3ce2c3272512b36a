"""The list of stations: read strictly, and every complaint names the row and the column."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.roster import COLUMNS, MOST_BYTES, MOST_LETTERS, StationStatus, parse_roster, read_roster
from base.errors import OperatorError

HEADER = ",".join(COLUMNS)
ROW = "57-002,57,002,Məktəb №5,School No. 5,Школа № 5,Şəhər küç. 1,,,2,recorded,,,"
EXEMPT = "57-003,57,003,Hərbi hissə,,,,,,0,exempt,Qanun,Law,Закон"


def _roster(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def test_a_list_is_read_with_its_letters_and_in_the_order_of_numbers() -> None:
    rows = ["100-001,100,001,Yüz,,,,,,1,recorded,,,", EXEMPT, ROW, "9-010,9,010,Doqquz,,,,,,0,not-covered,,,"]
    roster = parse_roster(_roster(*rows))
    assert [station.name for station in roster.stations] == ["9-010", "57-002", "57-003", "100-001"]
    school, exempt = roster.stations[1:3]
    assert school.names == {"az": "Məktəb №5", "en": "School No. 5", "ru": "Школа № 5"}
    assert (school.named("ru"), school.address("ru"), school.cameras) == ("Школа № 5", "Şəhər küç. 1", 2)
    assert (exempt.status, exempt.why("en"), exempt.named("en")) == (StationStatus.EXEMPT, "Law", "Hərbi hissə")
    assert roster.find("57-003") is exempt
    assert roster.find("57-999") is None
    assert roster.constituencies() == ("9", "57", "100")
    assert [station.name for station in roster.of_constituency("57")] == ["57-002", "57-003"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_spreadsheets_write_is_read_too(mark: str, newline: str) -> None:
    text = mark + newline.join([HEADER, ROW, ",,,,,,,,,,,,,", ""]).replace(",", ";")
    assert [station.name for station in parse_roster(text.encode()).stations] == ["57-002"]


def test_a_quoted_cell_may_hold_what_parts_cells() -> None:
    roster = parse_roster(_roster(ROW.replace("Şəhər küç. 1", '"Şəhər küç. 1, ""A"""')))
    assert roster.stations[0].address("az") == 'Şəhər küç. 1, "A"'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "row 1 lacks the column station"),
        (_roster(ROW, header=HEADER.replace("cameras", "kameras")), "row 1 lacks the column cameras"),
        (_roster(ROW, header=f"{HEADER},extra"), "row 1 has the unknown column 'extra'"),
        (_roster(ROW, header=HEADER.replace("name_az,name_en", "name_en,name_az")), "in another order"),
        (_roster(), "it holds no station"),
        (_roster(ROW, ROW), "row 3, column station: 57-002 stands in the list twice"),
        (_roster(ROW[:-1]), "row 2 has 13 columns, not 14"),
        (_roster(ROW.replace("57-002", "57-2")), "row 2, column station: 57-2 is not 57-002"),
        (_roster(ROW.replace("57-002", "57_002")), "row 2, column station: is not a name"),
        (_roster(ROW.replace("57", "057")), "row 2, column constituency: '057'"),
        (_roster(ROW.replace("002", "00002")), "row 2, column number: '00002'"),
        (_roster(ROW.replace("Məktəb №5", " ")), "row 2, column name_az: '' is not the station's name"),
        (_roster(ROW.replace("recorded", "Recorded")), "row 2, column status"),
        (_roster(ROW.replace(",2,rec", ",17,rec")), "row 2, column cameras: '17' is not a number from 0 to 16"),
        (_roster(ROW.replace(",2,rec", ",²,rec")), "row 2, column cameras"),
        (_roster(ROW.replace(",2,rec", ",0,rec")), "row 2, column cameras: 0 cameras do not go with the status"),
        (_roster(EXEMPT.replace(",0,exempt", ",1,exempt")), "row 2, column cameras: 1 cameras do not go"),
        (_roster(EXEMPT.replace("Qanun", "")), "row 2, column reason_az: an exempt station needs its reason"),
        (_roster(ROW[:-2] + "x,,"), "row 2, column reason_az: a recorded station has no reason"),
        (_roster(ROW.replace("Şəhər", "Ş" * (MOST_LETTERS + 1))), "row 2, column address_az: more than 400 letters"),
        (_roster(ROW.replace("Şəhər", '"Şə\nhər"', 1).replace('" küç. 1', ' küç. 1"')), "row 2, column address_az"),
        (_roster(ROW.replace("School", '"School')), "row 2 is not CSV"),
        (_roster(ROW).replace("Ş".encode(), b"\xde"), "row 2 is not UTF-8"),
        (b"\0" * (MOST_BYTES + 1), "longer than 16 MiB"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_roster(data)
    assert words in str(caught.value)


def test_an_operator_is_told_the_file_and_where_to_read(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    with pytest.raises(OperatorError, match="cannot be read"):
        read_roster(path)
    path.write_bytes(_roster(ROW, ROW))
    with pytest.raises(OperatorError, match=r"stations\.csv: row 3, column station.*docs/reference/roster\.md"):
        read_roster(path)
    path.write_bytes(_roster(ROW))
    assert len(read_roster(path).stations) == 1


@given(st.binary(max_size=300), st.integers(0, 200))
def test_whatever_a_file_holds_is_read_or_refused_with_a_sentence(noise: bytes, place: int) -> None:
    data = _roster(ROW, EXEMPT)
    for each in (noise, data[:place] + noise + data[place:], data + b"\n" + noise):
        with contextlib.suppress(ValueError):
            assert parse_roster(each).stations


def test_the_number_of_voters_may_be_there_and_need_not() -> None:
    header = f"{HEADER},voters"
    roster = parse_roster(_roster(f"{ROW},1204", f"{EXEMPT},", header=header))
    assert [station.voters for station in roster.stations] == [1204, None]
    assert parse_roster(_roster(ROW)).stations[0].voters is None
    with pytest.raises(ValueError, match="row 2, column voters: 'many' is not a number"):
        parse_roster(_roster(f"{ROW},many", header=header))
    with pytest.raises(ValueError, match="row 2 has 14 columns, not 15"):
        parse_roster(_roster(ROW, header=header))
