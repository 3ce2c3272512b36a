"""The codes in the code and in the contract are the same."""

import re
from pathlib import Path

from evidence.codes import MEANINGS, Code

SPEC = Path(__file__).parents[2] / "spec" / "verify.md"


def test_the_table_of_the_contract_is_the_table_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (wrong|open|note) \| (.+) \|$", SPEC.read_text(), re.MULTILINE)
    assert rows == [(code.value, MEANINGS[code].weight.value, MEANINGS[code].sentence) for code in Code]


def test_every_code_has_a_meaning_and_a_next_step() -> None:
    assert list(MEANINGS) == list(Code)
    for meaning in MEANINGS.values():
        assert meaning.sentence.endswith(".")
        assert meaning.advice.endswith(".")


def test_the_contract_names_every_code_outside_its_table() -> None:
    steps = SPEC.read_text().split("## 4. Codes")[0]
    unsaid = {Code.CLOCK_STEP, Code.MEDIA_UNDECODABLE}
    assert {code for code in Code if f"`{code.value}`" not in steps} <= unsaid
