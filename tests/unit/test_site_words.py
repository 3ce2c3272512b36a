"""The three catalogues say everything that pages say, and nothing else."""

import re

import pytest
from babel.messages.catalog import Message

from archive.roster import LANGUAGES
from archive.site.words import load_words, read_catalogue
from archive.site.words.extract import used_texts

USED = {message.id: message for message in used_texts() if message.id}
CATALOGUES = {
    language: {message.id: message for message in read_catalogue(language) if message.id} for language in LANGUAGES
}
UPDATE = "python -m archive.site.words.extract, then translate"
_PLACES = re.compile(r"%\([a-z_]+\)s|\{[a-z_]+\}")
_CYRILLIC = re.compile(r"[А-Яа-яЁё]")
_MARKS = ("“", "”", "«", "»")


def _texts(message: Message) -> tuple[str, ...]:
    string = message.string
    return (string,) if isinstance(string, str) else tuple(string or ())


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_in_all_its_forms(language: str) -> None:
    forms = read_catalogue(language).num_plurals
    assert forms == {"az": 2, "en": 2, "ru": 3}[language]
    for id_ in USED:
        message = CATALOGUES[language].get(id_)
        assert message is not None, f"{language} lacks {id_!r}: {UPDATE}"
        assert not message.fuzzy, id_
        assert all(text.strip() for text in _texts(message)), f"{language}: {id_!r} is not translated"
        assert len(_texts(message)) == (1 if isinstance(id_, str) else forms)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_catalogue_holds_what_no_page_says(language: str) -> None:
    dead = [id_ for id_ in CATALOGUES[language] if id_ not in USED]
    assert dead == [], UPDATE
    assert not read_catalogue(language).obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_places_for_values_and_the_ends_of_sentences_agree(language: str) -> None:
    for message in CATALOGUES[language].values():
        places = sorted(_PLACES.findall(_ids(message)[0]))
        for text in _texts(message):
            assert sorted(_PLACES.findall(text)) == places, text
            assert text.count("%") == _ids(message)[0].count("%"), text
            assert text == text.strip(), text
            assert "  " not in text, text
            assert text[-1:] in ".:?" if _ids(message)[0][-1] in ".:?" else text[-1:] not in ".:", text


def test_english_says_the_text_itself() -> None:
    assert all(_texts(message) == _ids(message) for message in CATALOGUES["en"].values())


def test_each_language_is_written_in_its_own_letters() -> None:
    for id_, message in CATALOGUES["az"].items():
        assert not _CYRILLIC.search("".join(_texts(message))), id_
        assert "«" not in "".join(_texts(message)), id_
    for id_, message in CATALOGUES["ru"].items():
        assert "“" not in "".join(_texts(message)), id_
        assert not re.search("[əğışçöüƏĞİŞÇÖÜ]", "".join(_texts(message))), id_
    same = [id_ for id_ in USED if _texts(CATALOGUES["az"][id_]) == _texts(CATALOGUES["en"][id_])]
    assert same == ["ms"], "left in English"
    assert all(_CYRILLIC.search("".join(_texts(message))) for message in CATALOGUES["ru"].values())


def test_russian_counts_in_three_forms_and_azerbaijani_in_one() -> None:
    words = load_words()
    one, many = "%(num)s polling station found", "%(num)s polling stations found"

    def say(language: str, number: int) -> str:
        return words[language].count(one, many, number) % {"num": number}

    assert [say("ru", number) for number in (1, 3, 5, 11, 21, 112)] == [
        "Найден 1 избирательный участок",
        "Найдено 3 избирательных участка",
        "Найдено 5 избирательных участков",
        "Найдено 11 избирательных участков",
        "Найден 21 избирательный участок",
        "Найдено 112 избирательных участков",
    ]
    assert [say("az", number) for number in (1, 5)] == ["1 seçki məntəqəsi tapıldı", "5 seçki məntəqəsi tapıldı"]


LOOK = {
    "Live": ("Canlı", "Прямой эфир"),
    "Recording, no connection": ("Yazılır, əlaqə yoxdur", "Идёт запись, связи нет"),
    "Live, reduced": ("Canlı, azaldılmış", "Прямой эфир, неполный"),
    "Catching up": ("Tamamlanır", "Догружается"),
    "Complete": ("Tamdır", "Полная запись"),
    "View obstructed": ("Görüntü örtülüb", "Обзор закрыт"),
    "Silent": ("Siqnal yoxdur", "Нет сигнала"),
    "Recording, not armed": ("Yazılır, hazır vəziyyətdə deyil", "Идёт запись, не введено в работу"),
    "Not recording": ("Yazılmır", "Запись не ведётся"),
    "Exempt": ("İstisna edilib", "Исключён"),
    "Test": ("Sınaq", "Тест"),
    "Checked in this browser": ("Bu brauzerdə yoxlanılıb", "Проверено в этом браузере"),
    "Does not check": ("Uyğun gəlmir", "Не сходится"),
    "Not checked here": ("Burada yoxlanılmayıb", "Здесь не проверено"),
    "Polling station": ("Seçki məntəqəsi", "Избирательный участок"),
    "Gap": ("Fasilə", "Пропуск"),
    "Opening": ("Açılış", "Открытие"),
    "Counting": ("Səslərin sayılması", "Подсчёт голосов"),
    "Verify": ("Yoxla", "Проверить"),
    "Download": ("Yüklə", "Скачать"),
}


def test_the_words_that_all_parts_share_are_these() -> None:
    words = load_words()
    for english, (az, ru) in LOOK.items():
        assert (words["az"].say(english), words["ru"].say(english)) == (az, ru)
