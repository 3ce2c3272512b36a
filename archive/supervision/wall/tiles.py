"""What a tile says of a station, in one language. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from archive.account.state import StationState
from archive.account.stations import StationFacts
from archive.site.pages.terms import STATES
from archive.site.pages.times import Times
from archive.site.words import N_

STANDS_OUT = frozenset(
    (
        StationState.RECORDING,
        StationState.DEGRADED,
        StationState.SILENT,
        StationState.NOT_ARMED,
        StationState.NOT_RECORDING,
    )
)
"""States that come forward by themselves; a case that nobody has answered for does so in any state."""

Needs = Callable[[], Collection[str]]
"""The stations that need an answer now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """``alert`` says that it comes forward. ``search`` is what the filter reads, in small letters."""

    name: str
    constituency: str
    state: str
    sign: str
    word: str
    detail: str
    test: bool
    alert: bool
    search: str

    def as_json(self) -> list[object]:
        """As events carry it: name, state, sign, word, detail, test, alert."""
        return [self.name, self.state, self.sign, self.word, self.detail, self.test, self.alert]


def tiles_of(
    stations: Iterable[StationFacts], needs: Collection[str], finish_s: Mapping[str, int], times: Times
) -> list[Tile]:
    """One for each station. ``finish_s`` is how long what is catching up still takes, where that is known."""
    return [_tile(each, each.name in needs, finish_s.get(each.name), times) for each in stations]


def _tile(facts: StationFacts, needs: bool, finish_s: int | None, times: Times) -> Tile:
    text, sign = STATES.get(facts.state, (str(facts.state), "·"))
    listed = facts.listed
    return Tile(
        name=facts.name,
        constituency="" if listed is None else listed.constituency,
        state=facts.state,
        sign=sign,
        word=times.words.say(text),
        detail=_detail(facts, finish_s, times),
        test=bool(getattr(facts, "test", False)),
        alert=needs,
        search=f"{facts.name} {'' if listed is None else listed.named(times.words.language)}".lower(),
    )


def _detail(facts: StationFacts, finish_s: int | None, times: Times) -> str:
    say = times.words.say
    if facts.state is StationState.BACKFILLING:
        return "" if finish_s is None else say(N_("done in about {time}")).format(time=times.length(finish_s * 1_000))
    if facts.proven_us is None:
        return ""
    clock = times.clock(facts.proven_us)
    if facts.state is StationState.RECORDING:
        return say(N_("proven until {time}, expected to go on")).format(time=clock)
    if facts.state in (StationState.SILENT, StationState.NOT_RECORDING):
        return say(N_("proven until {time}")).format(time=clock)
    return ""
