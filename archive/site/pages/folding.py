"""Text as people type it, made comparable: case, Azerbaijani letters and their Latin fallbacks.

``str.lower`` knows no language and turns İ into two characters and I into i; here I, İ, ı and i are one letter, since
people without an Azerbaijani keyboard type i for all of them.
"""

import re
import unicodedata
from collections.abc import Iterator

_ONE_LETTER = str.maketrans({"№": " ", "İ": "i", "I": "i", "ı": "i", "Ə": "e", "ə": "e", "Ǝ": "e", "ǝ": "e"})
_WORD = re.compile(r"[^\W_]+")
_NUMBER_BESIDE_LETTERS = re.compile(r"[0-9]+|[^0-9]+")
_SPELLED = (("ş", "sh"), ("ç", "ch"))
"""Letters for which people also type two."""


def fold(text: str) -> str:
    """``text`` in small letters without marks: ``Şəki``, ``ŞƏKİ`` and ``seki`` are one."""
    plain = unicodedata.normalize("NFKC", text.translate(_ONE_LETTER)).translate(_ONE_LETTER).casefold()
    return "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))


def words_of(text: str) -> list[str]:
    """The folded words and numbers of ``text`` in order; a number that touches letters is a word of its own."""
    return [
        part for word in _WORD.findall(_spaced(fold(text))) for part in _NUMBER_BESIDE_LETTERS.findall(word) if part
    ]


def spellings(text: str) -> Iterator[str]:
    """``text`` and what people also type for it: ``Şirvan`` and ``Shirvan``. At most four."""
    seen: dict[str, None] = {text: None}
    for letter, typed in _SPELLED:
        for known in list(seen):
            seen.setdefault(known.replace(letter, typed).replace(letter.upper(), typed))
    yield from seen


def _spaced(text: str) -> str:
    """An apostrophe within a word parts nothing."""
    return text.replace("'", "").replace("’", "").replace("ʼ", "")
