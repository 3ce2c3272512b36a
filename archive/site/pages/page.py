"""What is asked, what is answered, and how an answer becomes a page in one of three languages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from archive.roster import LANGUAGES, Roster
from archive.site.pages.facts import Facts
from archive.site.pages.search import StationSearch
from archive.site.pages.terms import STATES, TEST
from archive.site.pages.times import Times, number
from archive.site.words import N_, Words
from base.zones import Zone

TEMPLATES = Path(__file__).parents[1] / "templates"
HTML = "text/html"

NATIVE_NAMES = MappingProxyType({"az": "Azərbaycanca", "en": "English", "ru": "Русский"})

_NAVIGATION = (
    ("/stations", N_("Polling stations")),
    ("/mosaic", N_("Mosaic")),
    ("/gaps", N_("Gaps and incidents")),
    ("/verify", N_("Verify")),
    ("/how", N_("How it works")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a page: ``path`` is what stands behind ``/LANGUAGE``; ``parts`` are the named parts of it."""

    language: str
    path: str = "/"
    parts: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back. ``max_age_s`` is how long it may be kept by anybody."""

    body: bytes
    status: int = 200
    content_type: str = HTML
    max_age_s: int = 2
    headers: Mapping[str, str] = field(default_factory=dict)


class NotHere(Exception):  # noqa: N818 - an answer, not a failure
    """There is nothing at this address; ``why`` is a key of the catalogues."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why


class NotUnderstood(Exception):  # noqa: N818
    """The address asks for what cannot be; ``why`` is a key of the catalogues, with ``values`` for its braces."""

    def __init__(self, why: str, **values: str) -> None:
        super().__init__(why)
        self.why, self.values = why, values


class Layout:
    """Renders templates: one environment for each language, made at the start."""

    def __init__(
        self,
        words: Mapping[str, Words],
        *,
        zone: Zone,
        titles: Mapping[str, str],
        static: str,
        origin: str | None,
        test: bool,
    ) -> None:
        self.words = words
        self.times = MappingProxyType(
            {language: Times(words=each, zone=zone) for language, each in words.items()},
        )
        self._titles, self._origin, self._static, self._zone, self._test = titles, origin or "", static, zone, test
        self._environments = {language: self._environment(each) for language, each in words.items()}

    def page(self, asked: Asked, template: str, *, status: int = 200, max_age_s: int = 2, **values: object) -> Answer:
        """The template as an answer. Raises jinja2.TemplateError where a template is wrong: a bug."""
        language, words = asked.language, self.words[asked.language]
        query = f"?{self._kept_query(asked)}" if self._kept_query(asked) else ""
        addresses = {each: f"{self._origin}/{each}{quote(asked.path, errors='replace')}{query}" for each in LANGUAGES}
        text = (
            self._environments[language]
            .get_template(template)
            .render(
                lang=language,
                path=asked.path,
                addresses=addresses,
                languages=NATIVE_NAMES,
                navigation=[(f"/{language}{path}", words.say(text), path) for path, text in _NAVIGATION],
                site_title=self._titles.get(language) or words.say(N_("Video from polling stations")),
                zone=self._zone.name,
                **values,
            )
        )
        return Answer(body=text.encode("utf-8", "replace"), status=status, max_age_s=max_age_s)

    def _kept_query(self, asked: Asked) -> str:
        """What of the query belongs to the page's lasting address."""
        kept = [(name, asked.query[name]) for name in ("q", "station", "state", "page") if asked.query.get(name)]
        return "&".join(f"{name}={quote(value, safe='', errors='replace')}" for name, value in kept)

    def _environment(self, words: Words) -> jinja2.Environment:
        times = self.times[words.language]
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.install_gettext_callables(words.say, words.count, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(static=self._static, say=words.say, test_shown=self._test, sign=_sign)
        environment.filters.update(
            number=number,
            when=lambda utc_us: _when(times, utc_us),
            local=times.local,
            bounds=times.bounds,
        )
        environment.globals["state"] = lambda state, test=False: _state(words, state, test)
        environment.globals["test_mark"] = _drawn("test", TEST[1], words.say(TEST[0]))
        return environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All that pages are made of. ``pages`` are called from one thread at a time."""

    layout: Layout
    facts: Facts
    roster: Roster
    search: StationSearch
    zone: Zone
    election: str = ""
    origin: str = ""


def whole(text: str | None, most: int) -> int:
    """A page number of a query: 1 where it is none, and at most ``most``."""
    if text is None or not text.isascii() or not text.isdecimal():
        return 1
    return max(1, min(int(text[:9]), most))


def _when(times: Times, utc_us: int | None) -> Markup:
    """Date and time in the election's zone, with UTC; a dash where none is known."""
    if utc_us is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time> <span class="utc">({})</span>').format(
        times.machine(utc_us), times.local(utc_us), times.utc(utc_us)
    )


def _sign(state: str) -> str:
    return STATES.get(state, ("", "·"))[1]


def _state(words: Words, state: str, test: bool) -> Markup:
    """Sign and word of a state, with its colour; of a test the mark of tests before it."""
    text, sign = STATES.get(state, (state, "·"))
    drawn = _drawn(state, sign, words.say(text))
    return _drawn("test", TEST[1], words.say(TEST[0])) + Markup(" · ") + drawn if test else drawn


def _drawn(state: str, sign: str, word: str) -> Markup:
    drawn = Markup('<span class="sign" aria-hidden="true">{}</span> <span class="word">{}</span>').format(sign, word)
    return Markup('<span class="state state-{}">{}</span>').format(state, drawn)
