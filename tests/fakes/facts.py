"""What an account would know of a few stations, without an archive."""

from collections.abc import Sequence

from archive.account.incidents import NO_BRANCH, Incident, Kind
from archive.account.state import StationState
from archive.account.stations import StationFacts, Totals, total
from archive.names import UnitName
from archive.roster import COLUMNS, Roster, parse_roster
from archive.site.pages.page import Layout, Site
from archive.site.pages.search import StationSearch
from archive.site.words import load_words
from base.zones import find_zone
from evidence.day.answer import Camera, Clock, Event, Finding, Gap, Moment, Record, Span
from evidence.terms import Hold

NOON_US = 1_801_987_200_000_000
"""2027-02-07T08:00:00Z."""
BOOT, LATER = "ab" * 16, "cd" * 16
MINUTE_NS = 60_000_000_000

ROSTER = "\n".join(
    [
        ",".join(COLUMNS),
        '57-002,57,002,"Məktəb <b>5</b>",School No. 5,,"Bağ küçəsi 1",,,2,recorded,,,',
        "57-003,57,003,Xəstəxana,Hospital,,,,,0,exempt,Qanun,Law,",
        "57-004,57,004,Klub,Club,,,,,0,not-covered,,,",
        "118-001,118,001,Kitabxana,Library,,,,,1,recorded,,,",
    ]
).encode()


def moment(minute: float, *, boot: str = BOOT, known: bool = True) -> Moment:
    """So many minutes after noon, and after switching on."""
    utc_us = NOON_US + int(minute * 60_000_000)
    return Moment(
        boot_id=boot,
        boot_ns=int(minute * MINUTE_NS) + MINUTE_NS,
        utc_us=(utc_us - 5_000, utc_us + 5_000) if known else None,
    )


def _camera(name: str) -> Camera:
    spans = [
        Span(start=moment(0), end=moment(20), state="segment", mode="LIVE", cause=None),
        Span(start=moment(20), end=moment(30), state="gap", mode=None, cause="power"),
        Span(start=moment(30), end=moment(50), state="missing", mode="LIVE", cause=None),
        Span(start=moment(50), end=moment(60), state="segment", mode="LIVE", cause=None),
        Span(
            start=moment(1, boot=LATER, known=False),
            end=moment(3, boot=LATER, known=False),
            state="segment",
            mode="TEST",
            cause=None,
        ),
    ]
    gap = Gap(
        start=moment(20), end=moment(30), duration_ms=(600_000, 600_000), cause="power", evidence=(("by", "<script>"),)
    )
    return Camera(
        camera=name,
        covered_ms=(1_920_000, 1_920_000),
        held_ms=(0, 0),
        missing_ms=(1_800_000, None),
        segments=960,
        recovered=0,
        frames=14_400,
        dropped_frames=0,
        gaps=(gap,),
        spans=tuple(spans),
    )


RECORD = Record(
    election="az-2027",
    station="57-002",
    unit="u1",
    verdict="cannot-tell",
    head=(1_234, "0" * 64),
    closed=False,
    lines=1_235,
    modes=(("LIVE", 1_800_000), ("TEST", 120_000)),
    time_zone="Asia/Baku",
    cameras=(_camera("cam1"), _camera("cam2")),
    events=(
        Event(seq=7, event="armed", camera=None, at=moment(1), data=(("mode", "LIVE"),)),
        Event(seq=90, event="opened", camera=None, at=moment(2), data=()),
        Event(seq=95, event="of-a-later-version", camera="cam1", at=moment(3), data=()),
    ),
    clock=(Clock(start=moment(0), end=moment(60), state="synced"),),
    findings=(
        Finding(
            code="hole",
            weight="wrong",
            camera="cam1",
            seq=100,
            at=moment(10),
            message="Time is missing that no gap explains.",
            advice="",
            count=1,
        ),
    ),
)

INCIDENTS = (
    Incident(
        name=UnitName(station="57-002", unit="u1"),
        branch=0,
        seq=500,
        kind=Kind.GAP,
        what="power",
        camera="cam1",
        start=moment(20),
        end=moment(30),
        duration_ms=(600_000, None),
        ongoing=True,
        facts=(("by", "<script>alert(1)</script>"),),
        heard_us=NOON_US,
    ),
    Incident(
        name=UnitName(station="57-002", unit="u1"),
        branch=0,
        seq=90,
        kind=Kind.EVENT,
        what="opened",
        camera=None,
        start=moment(2, boot=LATER, known=False),
        end=None,
        duration_ms=None,
        ongoing=False,
        facts=(),
        heard_us=None,
    ),
    Incident(
        name=UnitName(station="118-001", unit="u9"),
        branch=NO_BRANCH,
        seq=3,
        kind=Kind.FINDING,
        what="hole",
        camera=None,
        start=None,
        end=None,
        duration_ms=None,
        ongoing=False,
        facts=(("detail", "between lines 3 and 4"),),
        heard_us=NOON_US,
    ),
    Incident(
        name=None,
        branch=NO_BRANCH,
        seq=4,
        kind=Kind.FINDING,
        what="cert-untrusted",
        camera=None,
        start=None,
        end=None,
        duration_ms=None,
        ongoing=False,
        facts=(("detail", "192.0.2.7"),),
        heard_us=NOON_US,
    ),
)


class FakeFacts:
    """``Facts`` of ``ROSTER`` and of a station that no list names; ``failing`` as an index that is away."""

    def __init__(self, roster: Roster) -> None:
        self.failing: Exception | None = None
        self.asked = 0
        states = {"57-002": "live", "57-003": "exempt", "57-004": "not-covered", "118-001": "never-seen"}
        self._stations = [
            StationFacts(
                name=each.name,
                listed=each,
                units=(),
                state=StationState(states[each.name]),
                since_us=NOON_US if each.name == "57-002" else None,
                proven_us=NOON_US if each.name == "57-002" else None,
            )
            for each in roster.stations
        ]
        silent = StationState.SILENT
        self._stations.append(
            StationFacts(name="9-999", listed=None, units=(), state=silent, since_us=None, proven_us=None)
        )

    def totals(self) -> Totals:
        self._ask()
        return total(self._stations, NOON_US)

    def stations(self) -> Sequence[StationFacts]:
        self._ask()
        return self._stations

    def records(self, station: str) -> Sequence[tuple[int, Record]]:
        self._ask()
        return [(0, RECORD)] if station == "57-002" else []

    def live_lists(self, station: str) -> frozenset[tuple[str, str]]:
        self._ask()
        return frozenset({("u1", "cam1")}) if station == "57-002" else frozenset()

    def holds(self) -> Sequence[Hold]:
        self._ask()
        return ()

    def incidents(self, station: str | None, skip: int, most: int) -> tuple[Sequence[Incident], int]:
        self._ask()
        found = [each for each in INCIDENTS if station in (None, each.name.station if each.name else None)]
        return found[skip : skip + most], len(found)

    def incident(self, name: UnitName, branch: int, seq: int) -> Incident | None:
        self._ask()
        wanted = (name, branch, seq)
        return next((each for each in INCIDENTS if (each.name, each.branch, each.seq) == wanted), None)

    def _ask(self) -> None:
        self.asked += 1
        if self.failing is not None:
            raise self.failing


def fake_site(facts: FakeFacts | None = None, *, test: bool = False, origin: str | None = None) -> Site:
    """Pages over ``ROSTER``."""
    roster = parse_roster(ROSTER)
    zone = find_zone("Asia/Baku")
    assert zone is not None
    layout = Layout(load_words(), zone=zone, titles={}, static="/static/01234567", origin=origin, test=test)
    return Site(
        layout=layout,
        facts=facts or FakeFacts(roster),
        roster=roster,
        search=StationSearch(roster.stations),
        zone=zone,
        election="az-2027",
        origin=origin or "http://127.0.0.1:8080",
    )
