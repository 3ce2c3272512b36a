"""The player's texts: complete in three languages, none unused, none missing for what the record can say."""

import json
import re
from pathlib import Path

import pytest

from archive.account.state import StationState
from evidence.coverage import COVERED, State
from evidence.words import Cause, Mode

PLAYER = Path(__file__).resolve().parents[2] / "archive/site/player"
WORDS: dict[str, dict[str, str]] = json.loads((PLAYER / "words.json").read_text())
MODULES = {path.name: path.read_text() for path in sorted(PLAYER.glob("*.js"))}
# Texts whose key is put together: `state-…` and the like.
FAMILIES = ("cause-", "gap-", "mode-", "seal-", "state-", "wrong-", "clock")


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{([a-z]+)\}", text))


def test_there_are_three_languages_with_the_same_texts() -> None:
    assert list(WORDS) == ["en", "az", "ru"]
    assert list(WORDS["az"]) == list(WORDS["en"])
    assert list(WORDS["ru"]) == list(WORDS["en"])


@pytest.mark.parametrize("language", ["az", "ru"])
def test_each_translation_says_something_and_keeps_the_placeholders(language: str) -> None:
    for key, text in WORDS["en"].items():
        assert WORDS[language][key].strip(), key
        assert placeholders(WORDS[language][key]) == placeholders(text), key


def test_russian_is_cyrillic_and_azerbaijani_is_latin() -> None:
    for key, text in WORDS["ru"].items():
        assert re.search("[а-яё]", text, re.IGNORECASE) or not re.search("[a-z]{3}", placeholder_free(text)), key
    assert not any(re.search("[а-яё]", text, re.IGNORECASE) for text in WORDS["az"].values())


def placeholder_free(text: str) -> str:
    return re.sub(r"\{[a-z]+\}|UTC", "", text)


def test_every_text_that_a_module_names_exists_and_every_text_is_used() -> None:
    source = "\n".join(MODULES.values())
    named = set(re.findall(r"say\(\s*'([a-z-]+)'", source))
    assert named <= set(WORDS["en"])
    quoted = set(re.findall(r"'([A-Za-z-]+)'", source))
    assert [key for key in WORDS["en"] if key not in quoted and not key.startswith(FAMILIES)] == []


def test_there_is_a_word_for_every_state_cause_and_mode() -> None:
    words = WORDS["en"]
    assert {key.removeprefix("state-") for key in words if key.startswith("state-")} == {*StationState}
    assert {key.removeprefix("cause-") for key in words if key.startswith("cause-")} == {*Cause}
    assert {key.removeprefix("mode-") for key in words if key.startswith("mode-")} == {*Mode} - {Mode.LIVE}


def test_every_kind_of_hole_has_a_sentence() -> None:
    told = dict(re.findall(r"'?([a-z-]+)'?: '(gap-[a-z-]+)'", MODULES["notices.js"]))
    assert set(told) == {state.value for state in State} - {state.value for state in COVERED} | {"thinned"}
    assert set(told.values()) <= set(WORDS["en"])


def test_the_modules_ask_no_other_host_and_run_no_text_as_code() -> None:
    for name, source in MODULES.items():
        assert "://" not in source.replace("http://www.w3.org", ""), name
        for forbidden in ("innerHTML", "eval(", "new Function", "document.write", "document.cookie", "outerHTML"):
            assert forbidden not in source, f"{name}: {forbidden}"
