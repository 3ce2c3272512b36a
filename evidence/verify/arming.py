"""Step 7 of spec/verify.md: which mode is in force, and by whose word."""

from dataclasses import dataclass

from evidence.certificate import Certified, Trust
from evidence.codes import Code
from evidence.errors import EvidenceError
from evidence.lines import Config, Event, Segment
from evidence.profile import Profile, profile_digest, read_profile
from evidence.verify.chain import Standing
from evidence.verify.findings import Findings, Place
from evidence.words import Mode

GRACE_NS = 10 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A change of the mode: from when on, and what was in force before."""

    boot: int
    boot_ns: int
    before: Mode

    def excuses(self, boot: int, from_ns: int) -> bool:
        """Whether a segment that begins there may still be of the mode before."""
        return boot < self.boot or (boot == self.boot and from_ns < self.boot_ns + GRACE_NS)


class Arming:
    """The mode in force, line by line. ``boot`` counts the kernel boots of the ledger."""

    def __init__(self, findings: Findings, trust: Trust) -> None:
        self._findings = findings
        self._trust = trust
        self._mode = Mode.UNARMED
        self._change: _Change | None = None
        self._unsure = False
        self._refused: set[str] = set()
        self._profiles: dict[str, Mode] = {}
        self.profile: Profile | None = None

    def broken(self) -> None:
        """Lines are missing or refused here: one of them may have armed the unit."""
        self._unsure = True

    def config(self, config: Config, election: str, at: Place) -> Certified | None:
        """A ``config`` line; only a profile matters here. Returns who signed it, whose dates are still to be judged."""
        if config.what != "profile" or config.profile is None:
            return None
        digest = profile_digest(config.profile)
        try:
            profile = read_profile(config.profile, self._trust)
            if profile.election != election:
                raise EvidenceError(Code.PROFILE_REFUSED, f"the profile is for the election {profile.election}")
        except EvidenceError as error:
            self._refused.add(digest)
            self._findings.add(Code.PROFILE_REFUSED, at, str(error))
            return None
        self.profile = profile
        self._profiles[digest] = profile.mode
        return self._trust.check(profile.certs)

    def event(self, event: Event, standing: Standing, boot: int, at: Place) -> None:
        """An ``event`` line; only ``armed`` matters here."""
        if event.event != "armed" or standing is Standing.MOVED:
            return
        claimed, digest = event.data.get("mode"), event.data.get("profile_sha256")
        allowed = self._profiles.get(digest) if isinstance(digest, str) else None
        excused = digest in self._refused or (allowed is None and self._unsure)
        if claimed not in (Mode.TEST, Mode.LIVE):
            self._findings.add(Code.MODE_MISMATCH, at, "the event arms no known mode")
            return
        mode = Mode(claimed)
        if allowed is not mode and not excused:
            what = "no profile before it allows that" if allowed is None else f"the profile says {allowed}"
            code = Code.TEST_AS_LIVE if mode is Mode.LIVE and allowed is Mode.TEST else Code.MODE_MISMATCH
            self._findings.add(code, at, f"armed as {mode}, but {what}")
        self._set(mode, boot, at.boot_ns or 0)

    def segment(self, segment: Segment, standing: Standing, boot: int, at: Place) -> None:
        """The mode of a ``segment`` or ``recovered`` line, recorded in ``boot``."""
        if segment.mode is self._mode or standing is Standing.MOVED:
            return
        change = self._change
        if change is not None and segment.mode is change.before and change.excuses(boot, segment.from_ns):
            return
        if self._unsure:
            self._set(segment.mode, boot, segment.from_ns)
            return
        code = Code.TEST_AS_LIVE if segment.mode is Mode.LIVE else Code.MODE_MISMATCH
        self._findings.add(code, at, f"{segment.mode} where {self._mode} is in force")

    def _set(self, mode: Mode, boot: int, boot_ns: int) -> None:
        if mode is not self._mode:
            self._change = _Change(boot=boot, boot_ns=boot_ns, before=self._mode)
        self._mode = mode
        self._unsure = False
