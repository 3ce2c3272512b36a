"""The wall's page and the page of the access log, rendered on the server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import jinja2

from archive.site.pages.page import NATIVE_NAMES
from archive.site.pages.terms import STATES
from archive.site.pages.times import Times
from archive.site.words import Words
from archive.supervision.accesslog import AccessRow
from archive.supervision.doors import Operator, Right
from archive.supervision.wall.tiles import Tile
from archive.supervision.wall.watch import Seen
from base.zones import Zone

TEMPLATES = Path(__file__).parents[1] / "templates"
ALERT = "alert"
"""Instead of a state: what needs an answer."""


class SupervisionLayout:
    """Renders supervision's templates: one environment for each language, made at the start."""

    def __init__(self, words: Mapping[str, Words], *, zone: Zone, titles: Mapping[str, str], static: str) -> None:
        self.times = MappingProxyType({key: Times(words=each, zone=zone) for key, each in words.items()})
        self._titles, self._static, self._zone = titles, static, zone
        self._environments = {key: self._environment(each) for key, each in words.items()}

    def page(self, language: str, path: str, operator: Operator, template: str, **values: object) -> bytes:
        """The template as UTF-8; ``path`` is what stands behind the language."""
        text = (
            self._environments[language]
            .get_template(template)
            .render(
                lang=language,
                path=path,
                languages=NATIVE_NAMES,
                site_title=self._titles.get(language, ""),
                zone=self._zone.name,
                operator=operator,
                administers=operator.may(Right.ADMINISTER),
                **values,
            )
        )
        return text.encode("utf-8", "replace")

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
        environment.globals.update(static=self._static, say=words.say)
        environment.filters.update(local=times.local, clock=times.clock)
        return environment


def wall_page(
    layout: SupervisionLayout,
    language: str,
    operator: Operator,
    seen: Seen,
    tiles: Sequence[Tile],
    query: Mapping[str, str],
) -> bytes:
    """The wall, with what ``query`` leaves out hidden: state, constituency and q."""
    state, constituency, typed = (query.get(name, "")[:100] for name in ("state", "constituency", "q"))
    groups: dict[str, list[tuple[Tile, bool]]] = {}
    for tile in tiles:
        groups.setdefault(tile.constituency, []).append((tile, is_shown(tile, state, constituency, typed)))
    return layout.page(
        language,
        "/",
        operator,
        "wall.html",
        at_us=seen.at_us,
        groups=groups,
        states=[(word, text) for word, (text, _) in STATES.items() if word != "test"],
        counts={str(each): count for each, count in seen.totals.states.items()},
        alerts=sum(tile.alert for tile in tiles),
        shown=sum(shown for group in groups.values() for _, shown in group),
        count=len(tiles),
        state=state,
        constituency=constituency,
        typed=typed,
        alert=ALERT,
    )


def is_shown(tile: Tile, state: str, constituency: str, typed: str) -> bool:
    """Whether the filter leaves a tile on the wall. grid.js says the same."""
    if state and not (tile.alert if state == ALERT else tile.state == state):
        return False
    if constituency and tile.constituency != constituency:
        return False
    return all(word in tile.search for word in typed.lower().split())


def log_page(
    layout: SupervisionLayout, language: str, operator: Operator, rows: Sequence[AccessRow], broken: int | None
) -> bytes:
    """The newest rows, and whether the chain is whole."""
    return layout.page(language, "/log", operator, "log.html", rows=rows, broken=broken)
