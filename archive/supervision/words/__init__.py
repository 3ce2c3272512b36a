"""Supervision's texts: catalogues of its own, before those of the public site, whose words for states it shares.

Every file ``NAME.LANGUAGE.po`` here counts. The English text is the key.
"""

import gettext
import io
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from archive.roster import LANGUAGES
from archive.site import words as public
from archive.site.words import Words

FOLDER = Path(__file__).parent


def load_words() -> Mapping[str, Words]:
    """Words by language, az, en and ru."""
    shared = public.load_words()
    return MappingProxyType({language: _words(language, shared[language].texts) for language in LANGUAGES})


def _words(language: str, texts: gettext.NullTranslations) -> Words:
    for path in sorted(FOLDER.glob(f"*.{language}.po")):
        compiled = io.BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=language))
        compiled.seek(0)
        own = gettext.GNUTranslations(compiled)
        own.add_fallback(texts)
        texts = own
    return Words(language=language, texts=texts)
