"""``python -m archive.site.words.extract``: bring the catalogues up to date with what pages say.

New texts come in empty, dead ones go, and the test names what is not translated yet.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from archive.roster import LANGUAGES
from archive.site.words import FOLDER, read_catalogue
from evidence.codes import MEANINGS

SITE = Path(__file__).parents[1]
_METHODS = [("templates/**.html", "jinja2"), ("pages/**.py", "python"), ("press/**.py", "python")]
_OPTIONS: dict[str, dict[str, str]] = {
    "templates/**.html": {"newstyle_gettext": "true", "trim_blocks": "true", "silent": "false"}
}
_HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


def used_texts() -> Catalog:
    """Every text that a template or a page's module shows, with where; and what findings mean."""
    catalogue = Catalog(charset="utf-8")
    for name, line, text, comments, context in extract_from_dir(SITE, _METHODS, _OPTIONS, comment_tags=("NOTE",)):
        catalogue.add(text, locations=[(name, line)], auto_comments=comments, context=context)
    for meaning in MEANINGS.values():
        catalogue.add(meaning.sentence, locations=[("evidence/codes.py", 0)])
    return catalogue


def _filled(text: object) -> bool:
    """Whether a text, or each form of one, is there."""
    return all(text) if isinstance(text, list | tuple) else bool(text)


def main() -> None:
    """Rewrite all catalogues. English says what is shown, unless the catalogue has it already."""
    used = used_texts()
    for language in LANGUAGES:
        held = read_catalogue(language)
        fresh = Catalog(locale=language, charset="utf-8", fuzzy=False)
        for message in used:
            if not message.id:
                continue
            known = held.get(message.id)
            text = known.string if known is not None else None
            if language == "en" and not _filled(text):
                text = message.id
            fresh.add(message.id, text, locations=sorted({(name, 0) for name, _ in message.locations}))
        with (FOLDER / f"{language}.po").open("wb") as file:
            # A header without dates and names, so that the same texts give the same file.
            file.write(_HEADER.format(language=language, plural=fresh.plural_forms).encode())
            write_po(file, fresh, width=110, omit_header=True, sort_output=True, include_lineno=False)


if __name__ == "__main__":
    main()
