"""When media become public, and what a profile's terms may say."""

import pytest

from archive.publish.release import Ground, Recorded, Release, recorded, release
from evidence import jws
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.profile import read_profile
from evidence.terms import (
    Expected,
    Hold,
    PausePolicy,
    PublicArchive,
    Publication,
    Retention,
    Shows,
    Terms,
    check_terms,
    read_terms,
    terms_members,
)
from evidence.words import Phase
from provisioning.authority import Authority
from provisioning.presets import preset

HOUR_US = 3_600_000_000
HOLD = Hold(from_us=20 * HOUR_US, to_us=21 * HOUR_US, until_us=22 * HOUR_US, reason={"en": "until polls close"})
HELD = Terms(publication=Publication(holds=(HOLD,)))


def at(least_us: int | None, most_us: int) -> Recorded:
    return Recorded(least_us=least_us, most_us=most_us)


def signed(by: Authority, terms: Terms | None = None) -> str:
    return by.sign_profile_with(
        terms or Terms(),
        title="Sample",
        mode="LIVE",
        from_us=0,
        to_us=24 * HOUR_US,
        margin_s=0,
        time_zone="Asia/Baku",
        witnesses=0,
    )


def test_what_was_certainly_recorded_outside_a_hold_is_free() -> None:
    assert release(HELD, at(19 * HOUR_US, 20 * HOUR_US - 1)) is None
    assert release(HELD, at(21 * HOUR_US, 21 * HOUR_US + 9)) is None


def test_what_may_lie_in_a_hold_is_held_until_it_is_lifted() -> None:
    lifted = Release(at_us=22 * HOUR_US, ground=Ground.HOLD)
    assert release(HELD, at(19 * HOUR_US, 20 * HOUR_US)) == lifted
    assert release(HELD, at(21 * HOUR_US - 1, 23 * HOUR_US)) == lifted


def test_media_without_any_utc_are_held_by_every_hold_that_had_begun_before_they_came() -> None:
    assert release(HELD, recorded(None, None, 20 * HOUR_US - 1)) is None
    assert release(HELD, recorded(None, None, 30 * HOUR_US)) == Release(at_us=22 * HOUR_US, ground=Ground.HOLD)


def test_a_unit_that_claims_a_time_that_had_not_come_is_not_believed() -> None:
    late = (22 * HOUR_US, 22 * HOUR_US)
    assert release(HELD, recorded(late, late, 20 * HOUR_US + 1)) == Release(at_us=22 * HOUR_US, ground=Ground.HOLD)


def test_the_latest_of_delay_and_hold_counts() -> None:
    terms = Terms(publication=Publication(holds=(HOLD,), delay_s=7_200))
    assert release(terms, at(20 * HOUR_US, 20 * HOUR_US + 1)) == Release(at_us=22 * HOUR_US + 1, ground=Ground.DELAY)
    assert release(terms, at(10 * HOUR_US, 10 * HOUR_US)) == Release(at_us=12 * HOUR_US, ground=Ground.DELAY)


def test_the_count_only_is_shown_from_closing_on_and_nothing_of_before() -> None:
    terms = preset(Shows.COUNT_ONLY, {Phase.CLOSED: 19 * HOUR_US})
    never = Release(at_us=None, ground=Ground.COUNT_ONLY)
    assert release(terms, at(19 * HOUR_US - 1, 19 * HOUR_US + 1)) == never
    assert release(terms, recorded(None, None, 30 * HOUR_US)) == never
    assert release(terms, at(19 * HOUR_US, 19 * HOUR_US + 1)) is None


def test_evidence_only_shows_nothing_and_the_whole_day_everything() -> None:
    assert release(preset(Shows.EVIDENCE_ONLY), at(0, 1)) == Release(at_us=None, ground=Ground.EVIDENCE_ONLY)
    assert release(preset(Shows.WHOLE_DAY), at(0, 1)) is None


def test_all_terms_come_back_from_a_signed_profile_which_a_verifier_of_before_reads_too() -> None:
    by = Authority.generate("e2027")
    terms = Terms(
        phases=(Expected(phase=Phase.OPENED, at_us=8 * HOUR_US), Expected(phase=Phase.CLOSED, at_us=19 * HOUR_US)),
        pause=PausePolicy.VOTING_HOURS,
        publication=Publication(shows=Shows.COUNT_ONLY, delay_s=30, holds=(HOLD,)),
        public_archive=PublicArchive(from_us=1, until_us=2),
        retention=Retention(days=365, from_us=3),
        exempt={"57-003": {"az": "hospital", "en": "hospital"}},
        thresholds={"silent_s": 60, "free_percent": 10},
        languages=("az", "en"),
    )
    text, trust = signed(by, terms), Trust.from_pem(by.root_pem)
    profile, read, _ = read_terms(text, trust)
    assert read == terms
    assert read_profile(text, trust) == profile


def test_a_profile_of_before_has_the_terms_that_leaving_them_out_means() -> None:
    by = Authority.generate("e2027")
    assert read_terms(signed(by), Trust.from_pem(by.root_pem))[1] == Terms()
    assert terms_members(Terms()) == {}


@pytest.mark.parametrize(
    "members",
    [
        {"audio": "on"},
        {"publication": {"shows": "count-only"}},
        {"publication": {"shows": "some"}},
        {"publication": {"delay_s": -1}},
        {"publication": {"delay_s": 10**7}},
        {"publication": []},
        {"publication": {"holds": [{"from_us": 2, "to_us": 1, "until_us": 3, "reason": {"en": "x"}}]}},
        {"publication": {"holds": [{"from_us": 1, "to_us": 3, "until_us": 2, "reason": {"en": "x"}}]}},
        {"publication": {"holds": [{"from_us": 1, "to_us": 2, "until_us": 3, "reason": {}}]}},
        {"publication": {"holds": [{"from_us": 1, "to_us": 2, "until_us": 3, "reason": {"en": "x" * 401}}]}},
        {"phases": [{"phase": "closed", "at_us": 2}, {"phase": "opened", "at_us": 1}]},
        {"public_archive": {"from_us": 2, "until_us": 1}},
        {"thresholds": {"silent": 1}},
        {"exempt": {"../x": {"en": "x"}}},
        {"retention": {"days": True, "from_us": 1}},
        {"languages": []},
    ],
)
def test_terms_that_make_no_sense_are_refused(members: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w+: "):
        check_terms(jws.parse(jws.compose(members)))


def test_nobody_signs_terms_that_make_no_sense_and_nobody_takes_those_of_another() -> None:
    by, other = Authority.generate("e2027"), Authority.generate("e2027")
    with pytest.raises(ValueError, match="count-only"):
        signed(by, Terms(publication=Publication(shows=Shows.COUNT_ONLY)))
    with pytest.raises(ValueError, match="count-only"):
        preset(Shows.COUNT_ONLY)
    with pytest.raises(EvidenceError):
        read_terms(signed(other), Trust.from_pem(by.root_pem))
