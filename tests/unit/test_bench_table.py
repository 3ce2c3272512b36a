"""The table of measured numbers: what is measured again is replaced, the rest stays."""

from bench.readme import _cells_of, merged
from bench.row import Cells, Row, cells, render


def _line(name: str, value: str) -> Cells:
    return (name, value, "", "", "", "")


def test_a_row_that_was_measured_again_takes_its_place_and_the_rest_stays() -> None:
    held = [_line("a", "1"), _line("b", "2"), _line("b", "3"), _line("c", "4")]
    new = [_line("d", "9"), _line("b", "5")]
    assert merged(held, new) == [_line("a", "1"), _line("b", "5"), _line("c", "4"), _line("d", "9")]


def test_a_table_that_was_drawn_can_be_read_back() -> None:
    rows = [
        cells(Row(name="long name", value=1.5, unit="s", target=2, note="a note", reference="x", reference_value=3)),
        cells(Row(name="b", value=7, unit="")),
    ]
    assert _cells_of(render(rows)) == rows
