"""What pages say of video that is held back: until when, and why."""

from collections.abc import Mapping, Sequence

from archive.site.pages.times import Times
from archive.site.words import N_
from evidence.day.answer import Moment
from evidence.terms import Hold

AHEAD_US = 86_400_000_000
"""A hold is told a day before it begins."""


def tell_holds(holds: Sequence[Hold], now_us: int, times: Times, language: str) -> list[str]:
    """A sentence for each hold that is near or stands."""
    sentence = N_(
        "Video from {begin} to {end} is recorded and signed, and shown here from {until} on; nothing is lost. "
        "Reason: {reason}"
    )
    return [
        times.words.say(sentence).format(
            begin=times.local(hold.from_us)[:16],
            end=times.local(hold.to_us)[:16],
            until=times.local(hold.until_us)[:16],
            reason=_reason(hold.reason, language),
        )
        for hold in holds
        if hold.from_us - AHEAD_US <= now_us < hold.until_us
    ]


def why_held(holds: Sequence[Hold], start: Moment, end: Moment, times: Times, language: str) -> str:
    """What is said of a piece that is held back."""
    for hold in sorted(holds, key=lambda hold: -hold.until_us):
        least_us = start.utc_us[0] if start.utc_us else hold.from_us
        most_us = end.utc_us[1] if end.utc_us else hold.to_us
        if least_us < hold.to_us and most_us >= hold.from_us:
            until, reason = times.local(hold.until_us)[:16], _reason(hold.reason, language)
            return times.words.say(N_("Held back until {until}: {reason}")).format(until=until, reason=reason)
    return times.words.say(N_("Held back: recorded and signed, not shown now"))


def _reason(reason: Mapping[str, str], language: str) -> str:
    return reason.get(language) or reason.get("az") or next(iter(reason.values()), "")
