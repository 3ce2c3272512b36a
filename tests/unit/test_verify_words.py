"""The verify page's words: complete in three languages, every place filled in, nothing left over."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evidence.codes import Code
from evidence.verify.verdict import Verdict
from evidence.words import Cause, Mode
from tests.contract.test_vectors_js import node

PAGE = Path(__file__).parents[2] / "archive" / "site" / "verifypage"
SCRIPT = """
const words = {};
for (const lang of ['az', 'en', 'ru']) {
  [words[lang]] = Object.values(await import(`${process.argv[1]}/words/${lang}.js`));
}
console.log(JSON.stringify(words));
"""
LETTERS = {"az": re.compile("[əığşçöü]", re.IGNORECASE), "ru": re.compile("[а-яё]", re.IGNORECASE)}
SAME_EVERYWHERE = {"digest"}


@pytest.fixture(scope="module")
def words() -> Mapping[str, Any]:
    done = node("--input-type=module", "-e", SCRIPT, "--", str(PAGE))
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def flat(table: Mapping[str, Any], name: str = "") -> dict[str, str]:
    """Every text by its full name."""
    found: dict[str, str] = {}
    for key, value in table.items():
        found |= flat(value, f"{name}{key}.") if isinstance(value, dict) else {f"{name}{key}": value}
    return found


@pytest.mark.parametrize("lang", ["az", "ru"])
def test_each_language_has_every_text_with_the_same_places(lang: str, words: Mapping[str, Any]) -> None:
    english, other = flat(words["en"]), flat(words[lang])
    assert set(english) == set(other)
    for name, text in english.items():
        assert places(text) == places(other[name]), name


def places(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


@pytest.mark.parametrize("lang", ["az", "ru"])
def test_no_text_is_left_in_english(lang: str, words: Mapping[str, Any]) -> None:
    english = flat(words["en"])
    for name, text in flat(words[lang]).items():
        if name not in SAME_EVERYWHERE:
            assert text != english[name], name
    assert all(LETTERS["ru"].search(text) for text in flat(words["ru"]).values() if text != "SHA-256")
    assert sum(bool(LETTERS["az"].search(text)) for text in flat(words["az"]).values()) > 100


def test_every_code_and_every_cause_has_its_words(words: Mapping[str, Any]) -> None:
    for table in words.values():
        assert set(table["codes"]) >= {code.value for code in Code}
        assert set(table["causes"]) == {cause.value for cause in Cause}


def test_every_text_is_used_by_the_page_and_every_text_used_is_there(words: Mapping[str, Any]) -> None:
    code = "".join(path.read_text("utf-8") for path in PAGE.glob("*.js"))
    said = set(re.findall(r"say\('([^']+)'", code))
    names = {name for name in words["en"] if isinstance(words["en"][name], str)}
    assert said <= names
    by_value = {*Mode, *Verdict, "genuine", "altered", "wrong", "unknown"}
    unused = {name for name in names - said - by_value if f"'{name}'" not in code and not name.endswith("-says")}
    assert unused == set()
