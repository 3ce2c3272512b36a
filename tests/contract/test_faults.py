"""Every fault code stands in the reference with the very words that the unit shows."""

import re
from pathlib import Path

from appliance.recorder import EXIT_AGAIN, EXIT_REBOOT
from appliance.upkeep.faults import ALL

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/faults.md").read_text(encoding="utf-8")


def test_every_code_is_in_the_reference_and_no_other() -> None:
    rows = re.findall(r"^\| (\d{4}) \| (.+?) \| (yes|no) \| (.+?) \|$", PAGE, re.MULTILINE)
    told = [(str(each.code), each.what, "yes" if each.recording else "no", each.advice) for each in ALL]
    assert sorted(rows) == sorted(told)


def test_the_exit_codes_are_the_ones_of_the_reference() -> None:
    assert {int(code) for code in re.findall(r"^\| (\d{1,2}) \|", PAGE, re.MULTILINE)} == {
        0,
        2,
        EXIT_AGAIN,
        EXIT_REBOOT,
    }


def test_every_invariant_of_the_design_is_cited_by_a_test() -> None:
    page = (ROOT / "docs/design/durability.md").read_text(encoding="utf-8")
    numbers = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert numbers == [str(n) for n in range(1, 11)]
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    cited = set(re.findall(r"[Ii]nvariants?[ _]([\d]+)", tests))
    assert set(numbers) <= cited, f"no test cites invariant {sorted(set(numbers) - cited)}"
