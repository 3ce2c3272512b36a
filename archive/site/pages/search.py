"""Finding a station by what people type: number, constituency, name or address, in three alphabets.

Every word must be found, as the beginning of a word of the station; what matches more closely comes first.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive.roster import LANGUAGES, RosterStation
from archive.site.pages.folding import spellings, words_of

MOST_FOUND = 50
MOST_TYPED = 100
"""Letters of a query; what is beyond is not looked at."""
MOST_WORDS = 8

_PAIR, _CONSTITUENCY, _NAME, _NUMBER, _ADDRESS, _BEGINS = 0, 1, 2, 3, 4, 4
"""How far a match is from what was meant. ``_BEGINS`` comes on top where only the beginning of a word matches."""

_NOISE = frozenset(
    word
    for text in (
        "seçki məntəqəsi məntəqə saylı dairəsi dairə nömrə nömrəli no nr",
        "polling station constituency number",
        "избирательный участок избирательного участка округ округа номер",
    )
    for spelled in spellings(text)
    for word in words_of(spelled)
)
"""Words that every station has: left out where anything else was typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The stations that match best, at most ``MOST_FOUND``, and how many match in all."""

    stations: tuple[RosterStation, ...]
    count: int


class StationSearch:
    """Looks up stations of one list. Made once, at the start; asked from one thread or several."""

    def __init__(self, stations: Sequence[RosterStation]) -> None:
        self._stations = tuple(stations)
        weights: dict[str, dict[int, int]] = {}
        self._by_pair: dict[tuple[int, int], list[int]] = {}
        for place, station in enumerate(self._stations):
            self._by_pair.setdefault((int(station.constituency), int(station.number)), []).append(place)
            for word, weight in _words(station):
                places = weights.setdefault(word, {})
                places[place] = min(weight, places.get(place, weight))
        self._words = sorted(weights)
        self._places = [weights[word] for word in self._words]

    def find(self, typed: str) -> Found:
        """The stations that ``typed`` means; none for nothing typed."""
        words = words_of(typed[:MOST_TYPED])
        words = [word for word in words if word not in _NOISE] or words
        best = self._every(words[:MOST_WORDS])
        for at in range(len(words[:MOST_WORDS]) - 1):
            self._with_pair(words[:MOST_WORDS], at, best)
        order = sorted(best, key=lambda place: (best[place], place))
        return Found(stations=tuple(self._stations[place] for place in order[:MOST_FOUND]), count=len(order))

    def _every(self, words: Sequence[str]) -> dict[int, int]:
        """Weight by place of the stations that have all of ``words``."""
        found: dict[int, int] | None = None
        for word in words:
            hits = self._beginning(word)
            if found is None:
                found = hits
            else:
                found = {place: weight + hits[place] for place, weight in found.items() if place in hits}
        return found or {}

    def _with_pair(self, words: Sequence[str], at: int, best: dict[int, int]) -> None:
        """``57/2`` is station 2 of constituency 57, whatever else 57 and 2 may be."""
        if not (words[at].isdecimal() and words[at + 1].isdecimal()):
            return
        places = self._by_pair.get((int(words[at]), int(words[at + 1])), [])
        rest = [*words[:at], *words[at + 2 :]]
        others = self._every(rest) if rest else None
        for place in places:
            if others is None or place in others:
                best[place] = _PAIR if others is None else _PAIR + others[place]

    def _beginning(self, word: str) -> dict[int, int]:
        """Weight by place of the stations with a word that begins so."""
        hits: dict[int, int] = {}
        if word.isdecimal():
            # A number is meant whole, with or without its leading zeros: 2 is 002, and 5 is not 57.
            word = str(int(word))
            at = bisect_left(self._words, word)
            return dict(self._places[at]) if at < len(self._words) and self._words[at] == word else hits
        for at in range(bisect_left(self._words, word), len(self._words)):
            if not self._words[at].startswith(word):
                break
            more = 0 if self._words[at] == word else _BEGINS
            for place, weight in self._places[at].items():
                hits[place] = min(weight + more, hits.get(place, weight + more))
        return hits


def _words(station: RosterStation) -> Iterable[tuple[str, int]]:
    yield str(int(station.constituency)), _CONSTITUENCY
    yield str(int(station.number)), _NUMBER
    for texts, weight in ((station.names, _NAME), (station.addresses, _ADDRESS)):
        for language in LANGUAGES:
            for spelled in spellings(texts.get(language, "")):
                for word in words_of(spelled):
                    yield (str(int(word)) if word.isdecimal() else word), weight
