"""What the wall says, how long catching up takes, and who gets which news."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from archive.account.state import StationState
from archive.account.stations import StationFacts
from archive.names import UnitName
from archive.roster import LANGUAGES
from archive.site.pages.times import Times
from archive.supervision.wall.backlog import EVERY_US, Backlog
from archive.supervision.wall.tiles import tiles_of
from archive.supervision.wall.watch import KEPT_BATCHES, Watch
from archive.supervision.words import FOLDER, load_words
from base.zones import UTC_ZONE

NOON_US = 1_801_987_200_000_000
UNIT = UnitName(station="57-002", unit="u1")
ROOT = Path(__file__).parents[2]
_PLACES = re.compile(r"%\([a-z_]+\)s|\{[a-z_]+\}")


def _facts(state: StationState, name: str = "57-002", proven_us: int | None = NOON_US) -> StationFacts:
    return StationFacts(name=name, listed=None, units=(UNIT,), state=state, since_us=None, proven_us=proven_us)


def _detail(facts: StationFacts, **finish_s: int) -> str:
    times = Times(words=load_words()["en"], zone=UTC_ZONE)
    found = {name.replace("_", "-"): value for name, value in finish_s.items()}
    return tiles_of([facts], frozenset(), found, times)[0].detail


def test_a_tile_says_how_far_is_proven_and_never_more() -> None:
    assert _detail(_facts(StationState.LIVE)) == ""
    assert _detail(_facts(StationState.SILENT)) == "proven until 08:00:00"
    assert _detail(_facts(StationState.RECORDING)) == "proven until 08:00:00, expected to go on"
    assert _detail(_facts(StationState.SILENT, proven_us=None)) == ""


def test_a_tile_that_catches_up_says_how_long_it_takes_once_that_is_known() -> None:
    assert _detail(_facts(StationState.BACKFILLING)) == ""
    times = Times(words=load_words()["en"], zone=UTC_ZONE)
    (tile,) = tiles_of([_facts(StationState.BACKFILLING)], frozenset(), {"57-002": 150}, times)
    assert tile.detail == "done in about 2 min 30 s"


def test_the_time_to_finish_comes_from_how_fast_it_went() -> None:
    left = [900]
    backlog = Backlog(lambda _: left[0])
    behind = [_facts(StationState.BACKFILLING)]
    backlog.told(behind, NOON_US)
    assert backlog.finish_s() == {}
    left[0] = 800
    backlog.told(behind, NOON_US + EVERY_US)
    assert backlog.finish_s() == {"57-002": 80}
    left[0] = 950
    backlog.told(behind, NOON_US + 2 * EVERY_US)
    assert backlog.finish_s() == {}, "more comes than goes"
    backlog.told([_facts(StationState.LIVE)], NOON_US + 3 * EVERY_US)
    assert backlog.finish_s() == {}


class _Watch(Watch):
    """Sees one station in the states that it is told."""

    def __init__(self) -> None:
        self.now: Sequence[StationFacts] = ()
        super().__init__(None, _Nobody(), lambda: NOON_US)  # type: ignore[arg-type]

    def look(self) -> tuple[StationFacts, ...]:
        return tuple(self.now)


class _Nobody:
    stations = ()


def test_who_was_away_gets_what_he_missed_each_station_once_and_else_everything() -> None:
    watch = _Watch()
    for state in (StationState.LIVE, StationState.RECORDING, StationState.BACKFILLING):
        watch.now = [_facts(state), _facts(StationState.LIVE, "57-003")]
        watch.refresh()
    missed = watch.since(1)
    assert missed is not None
    assert [(each.name, each.state) for each in missed] == [("57-002", StationState.BACKFILLING)]
    assert watch.since(3) == ()
    assert watch.since(99) is None, "a look of another process"
    for _ in range(KEPT_BATCHES):
        watch.refresh()
    assert watch.since(2) is None


def _used() -> set[str]:
    methods = [("templates/**.html", "jinja2"), ("wall/**.py", "python")]
    options = {"templates/**.html": {"newstyle_gettext": "true", "trim_blocks": "true", "silent": "false"}}
    found = extract_from_dir(ROOT / "archive" / "supervision", methods, options)
    return {text for _, _, text, _, _ in found if isinstance(text, str)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_wall_is_there_in_each_language(language: str) -> None:
    words, english = load_words()[language], load_words()["en"]
    missing = [text for text in _used() if language != "en" and words.say(text) == english.say(text)]
    assert missing == []
    for path in FOLDER.glob(f"*.{language}.po"):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    assert isinstance(message.id, str)
                    assert isinstance(message.string, str)
                    assert sorted(_PLACES.findall(message.string)) == sorted(_PLACES.findall(message.id))
