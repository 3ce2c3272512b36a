"""The site's texts in three languages: gettext catalogues, compiled in memory at the start.

The English text is the key; ``en.po`` holds it once more, so that all three are complete in the same way.
"""

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from archive.roster import LANGUAGES

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The texts of one language. A text that no catalogue has is given back as it is."""

    language: str
    texts: gettext.NullTranslations

    def say(self, text: str) -> str:
        """``text`` in this language."""
        return self.texts.gettext(text) if text else ""

    def count(self, one: str, many: str, number: int) -> str:
        """The form that goes with ``number``."""
        return self.texts.ngettext(one, many, number)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name, which the extractor knows
    """Marks a text that is translated where it is shown."""
    return text


def read_catalogue(language: str) -> Catalog:
    """The committed catalogue of a language."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def load_words() -> Mapping[str, Words]:
    """Words by language, az, en and ru."""
    return MappingProxyType({language: _words(language) for language in LANGUAGES})


def _words(language: str) -> Words:
    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return Words(language=language, texts=gettext.GNUTranslations(compiled))
