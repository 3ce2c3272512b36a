"""The election profile that a unit has, and where UTC is proven to lie against its window."""

import logging

from appliance.config import StationConfig
from base.clock import Clock
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.profile import Profile, read_profile

log = logging.getLogger("unbroken.recorder")

MAX_PROFILE_CHARACTERS = 16_384


def load_profile(config: StationConfig) -> tuple[str | None, Profile | None]:
    """The signed profile and what it says. Without a good one the unit still records, unarmed."""
    if config.profile is None:
        return None, None
    try:
        text = config.profile.read_text(encoding="ascii").strip()
        profile = read_profile(text, Trust.from_pem(config.trust.read_bytes()))
        if profile.election != config.election:
            raise ValueError(f"it is for election {profile.election}")
        if len(text) > MAX_PROFILE_CHARACTERS:
            raise ValueError(f"it has {len(text)} characters, at most {MAX_PROFILE_CHARACTERS} fit a line")
    except (OSError, ValueError, EvidenceError) as error:
        log.error("profile refused, recording unarmed", extra={"fields": {"reason": str(error)}})
        return None, None
    return text, profile


class Window:
    """The time in which a profile wants its units armed. Without a profile nothing is ever proven."""

    def __init__(self, clock: Clock, profile: Profile | None) -> None:
        self._clock = clock
        self._profile = profile

    def is_ahead(self) -> bool:
        """Whether even the latest that UTC can be is before the window."""
        reading = self._clock.read()
        if self._profile is None or reading.utc_us is None or reading.error_us is None:
            return False
        return reading.utc_us + reading.error_us < self._profile.from_us

    def is_over(self) -> bool:
        """Whether even the earliest that UTC can be is past the window and its margin."""
        reading = self._clock.read()
        if self._profile is None or reading.utc_us is None or reading.error_us is None:
            return False
        return reading.utc_us - reading.error_us > self._profile.to_us + self._profile.margin_s * 1_000_000
