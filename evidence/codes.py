"""The codes of findings: what each means and what the reader does next (spec/verify.md, section 4)."""

from enum import StrEnum
from typing import NamedTuple


class Weight(StrEnum):
    """What a finding does to the verdict."""

    WRONG = "wrong"
    OPEN = "open"
    NOTE = "note"


class Code(StrEnum):
    """Every finding that a verifier can report."""

    LINE_TOO_LONG = "line-too-long"
    TORN_TAIL = "torn-tail"
    LINE_MALFORMED = "line-malformed"
    HEADER_REFUSED = "header-refused"
    VERSION_UNKNOWN = "version-unknown"
    PAYLOAD_MALFORMED = "payload-malformed"
    KIND_UNKNOWN = "kind-unknown"
    NO_TRUST = "no-trust"
    CERT_UNTRUSTED = "cert-untrusted"
    CERT_WRONG_ELECTION = "cert-wrong-election"
    CERT_WRONG_STATION = "cert-wrong-station"
    CERT_WRONG_UNIT = "cert-wrong-unit"
    CERT_EXPIRED = "cert-expired"
    CERT_NOT_YET_VALID = "cert-not-yet-valid"
    CERT_REVOKED = "cert-revoked"
    CERT_TIME_UNKNOWN = "cert-time-unknown"
    START_MISMATCH = "start-mismatch"
    KEY_UNKNOWN = "key-unknown"
    KEY_STALE = "key-stale"
    SIGNATURE_WRONG = "signature-wrong"
    HEAD_MISSING = "head-missing"
    LINE_MISSING = "line-missing"
    LINE_REPEATED = "line-repeated"
    LINE_REORDERED = "line-reordered"
    PREV_MISMATCH = "prev-mismatch"
    LINE_AFTER_CLOSE = "line-after-close"
    OPEN_END = "open-end"
    TIME_BACKWARDS = "time-backwards"
    TIME_AHEAD = "time-ahead"
    CLOCK_STEP_UNTOLD = "clock-step-untold"
    CLOCK_CONTRADICTION = "clock-contradiction"
    CLOCK_STEP = "clock-step"
    HOLE = "hole"
    OVERLAP = "overlap"
    GAP_OVER_SEGMENT = "gap-over-segment"
    RECOVERED_NOT_CONTIGUOUS = "recovered-not-contiguous"
    RECOVERED_TOO_LONG = "recovered-too-long"
    INDEX_MISSING = "index-missing"
    RUN_UNKNOWN = "run-unknown"
    PROFILE_REFUSED = "profile-refused"
    MODE_MISMATCH = "mode-mismatch"
    TEST_AS_LIVE = "test-as-live"
    MEDIA_MISSING = "media-missing"
    UNARMED_AT_UNIT = "unarmed-at-unit"
    MEDIA_CHANGED = "media-changed"
    MEDIA_SWAPPED = "media-swapped"
    MEDIA_MALFORMED = "media-malformed"
    IDENTITY_MISMATCH = "identity-mismatch"
    MEDIA_MISMATCH = "media-mismatch"
    MEDIA_UNDECODABLE = "media-undecodable"
    INIT_MISSING = "init-missing"
    INIT_CHANGED = "init-changed"
    INIT_MISMATCH = "init-mismatch"
    PRUNED_UNLAWFULLY = "pruned-unlawfully"
    RECEIPT_REFUSED = "receipt-refused"
    MEDIA_UNNAMED = "media-unnamed"
    MEDIA_UNCHECKED = "media-unchecked"
    TAIL_LOST = "tail-lost"
    ROLLED_BACK = "rolled-back"
    EQUIVOCATION = "equivocation"
    UNSIGNED_ALONE = "unsigned-alone"
    PART_ONLY = "part-only"
    CLIP_UNSIGNED = "clip-unsigned"
    MEDIA_FOREIGN = "media-foreign"


class Meaning(NamedTuple):
    """What a code says: its weight, one sentence for a judge, and the next step."""

    weight: Weight
    sentence: str
    advice: str


_SOURCE = "Compare with the unit's disk, the archive and the observers' copies; ask who held this copy."
_KEEP = "Keep both copies; have the unit and its card examined."

MEANINGS: dict[Code, Meaning] = {
    Code.LINE_TOO_LONG: Meaning(Weight.WRONG, "A line is longer than the format allows.", _SOURCE),
    Code.TORN_TAIL: Meaning(
        Weight.NOTE, "The last line is unfinished, as a power cut leaves it.", "Nothing; it counts for nothing."
    ),
    Code.LINE_MALFORMED: Meaning(Weight.WRONG, "A line is not a compact JWS.", _SOURCE),
    Code.HEADER_REFUSED: Meaning(Weight.WRONG, "A line's header is not the one that the format fixes.", _SOURCE),
    Code.VERSION_UNKNOWN: Meaning(
        Weight.OPEN, "A line is of a later version of the format.", "Get a newer verifier and repeat."
    ),
    Code.PAYLOAD_MALFORMED: Meaning(Weight.WRONG, "A line's content breaks the format.", _SOURCE),
    Code.KIND_UNKNOWN: Meaning(
        Weight.NOTE, "A line is of a kind that this verifier does not know.", "Get a newer verifier and repeat."
    ),
    Code.NO_TRUST: Meaning(
        Weight.OPEN,
        "No election root was given, so nobody vouches for the keys.",
        "Repeat with --trust and the root certificate that the election commission published.",
    ),
    Code.CERT_UNTRUSTED: Meaning(
        Weight.WRONG,
        "The unit's certificate does not lead to a trusted election root.",
        "Check that the root is this election's; if it is, the record is not from one of its units.",
    ),
    Code.CERT_WRONG_ELECTION: Meaning(
        Weight.WRONG, "The unit's certificate is for another election.", "Treat the record as not of this election."
    ),
    Code.CERT_WRONG_STATION: Meaning(
        Weight.WRONG, "The unit's certificate is for another station.", "Treat the record as not of this station."
    ),
    Code.CERT_WRONG_UNIT: Meaning(
        Weight.WRONG, "The unit's certificate is for another unit.", "Treat the record as not of this unit."
    ),
    Code.CERT_EXPIRED: Meaning(
        Weight.WRONG,
        "The unit's certificate had expired when the session began.",
        "Ask the election authority whether the unit was in use at that time.",
    ),
    Code.CERT_NOT_YET_VALID: Meaning(
        Weight.WRONG,
        "The unit's certificate was not yet valid when the session began.",
        "Ask the election authority whether the unit was in use at that time.",
    ),
    Code.CERT_REVOKED: Meaning(
        Weight.WRONG,
        "The unit's certificate had been revoked before the session ended.",
        "Ask the election authority why; lines from before the revocation keep their verdict.",
    ),
    Code.CERT_TIME_UNKNOWN: Meaning(
        Weight.OPEN,
        "The time of the session is not known well enough to judge its certificate.",
        "Bring evidence of the time: receipts, the archive's record, the observers' notes.",
    ),
    Code.START_MISMATCH: Meaning(
        Weight.WRONG, "A session names another election, station or unit than the record it stands in.", _SOURCE
    ),
    Code.KEY_UNKNOWN: Meaning(Weight.WRONG, "A line is signed by a key that no session enrolled.", _SOURCE),
    Code.KEY_STALE: Meaning(Weight.WRONG, "A line is signed by the key of an earlier session.", _SOURCE),
    Code.SIGNATURE_WRONG: Meaning(Weight.WRONG, "A line's signature does not check.", _SOURCE),
    Code.HEAD_MISSING: Meaning(Weight.WRONG, "The beginning of the record is missing.", _SOURCE),
    Code.LINE_MISSING: Meaning(Weight.WRONG, "Lines are missing from the record.", _SOURCE),
    Code.LINE_REPEATED: Meaning(Weight.WRONG, "A line stands in the record twice.", _SOURCE),
    Code.LINE_REORDERED: Meaning(Weight.WRONG, "A line stands in the wrong place.", _SOURCE),
    Code.PREV_MISMATCH: Meaning(Weight.WRONG, "A line does not follow the line before it.", _SOURCE),
    Code.LINE_AFTER_CLOSE: Meaning(Weight.WRONG, "A line follows the end of the record.", _KEEP),
    Code.OPEN_END: Meaning(
        Weight.OPEN,
        "The record is not closed: what came after its last line cannot be told from this copy.",
        "Compare the head with the archive, a receipt, or a photograph of the unit's code.",
    ),
    Code.TIME_BACKWARDS: Meaning(
        Weight.WRONG, "Boot time runs backwards, or a session tells of time before it began.", _KEEP
    ),
    Code.TIME_AHEAD: Meaning(Weight.WRONG, "A line tells of time that had not come when it was made.", _KEEP),
    Code.CLOCK_STEP_UNTOLD: Meaning(
        Weight.WRONG, "The wall clock was set and the record does not say so.", "Rely on boot time, not on UTC, here."
    ),
    Code.CLOCK_CONTRADICTION: Meaning(
        Weight.WRONG,
        "The clock's statements contradict each other: the time server or the clock was wrong.",
        "Rely on boot time; UTC is given as the interval that holds all statements.",
    ),
    Code.CLOCK_STEP: Meaning(
        Weight.NOTE,
        "The synchronised clock was set, and the record says so.",
        "UTC of that boot is given as the interval that holds all statements.",
    ),
    Code.HOLE: Meaning(Weight.WRONG, "Time is missing that no gap explains.", _KEEP),
    Code.OVERLAP: Meaning(Weight.WRONG, "Two segments claim the same time.", _KEEP),
    Code.GAP_OVER_SEGMENT: Meaning(Weight.WRONG, "A gap claims time that a segment covers.", _KEEP),
    Code.RECOVERED_NOT_CONTIGUOUS: Meaning(
        Weight.WRONG, "Media found after a restart do not continue the record.", _KEEP
    ),
    Code.RECOVERED_TOO_LONG: Meaning(
        Weight.WRONG, "Media found after a restart are longer than a crash can leave.", _KEEP
    ),
    Code.INDEX_MISSING: Meaning(Weight.WRONG, "A run or a segment is left out of the count.", _KEEP),
    Code.RUN_UNKNOWN: Meaning(Weight.WRONG, "A segment belongs to a run that was never opened.", _KEEP),
    Code.PROFILE_REFUSED: Meaning(
        Weight.WRONG, "The election profile does not verify.", "Ask the election authority for the signed profile."
    ),
    Code.MODE_MISMATCH: Meaning(Weight.WRONG, "A segment's mode is not the one in force.", _KEEP),
    Code.TEST_AS_LIVE: Meaning(
        Weight.WRONG, "A test or unarmed recording is passed off as live.", "Do not use it as election video."
    ),
    Code.MEDIA_MISSING: Meaning(
        Weight.WRONG,
        "A segment that the record names is not here.",
        "Fetch it by its digest from the unit's disk, the archive or a mirror.",
    ),
    Code.UNARMED_AT_UNIT: Meaning(
        Weight.NOTE,
        "An unarmed segment is not in this archive's copy: such video stays at the unit.",
        "Nothing. Whether it is still there, only the unit's disk can tell.",
    ),
    Code.MEDIA_CHANGED: Meaning(
        Weight.WRONG,
        "A segment's bytes are not the ones that were signed.",
        "Fetch it by its digest from the unit's disk, the archive or a mirror.",
    ),
    Code.MEDIA_SWAPPED: Meaning(
        Weight.WRONG,
        "Another segment lies in the place of this one.",
        "Fetch the right one by its digest; ask who held this copy.",
    ),
    Code.MEDIA_MALFORMED: Meaning(Weight.WRONG, "A signed segment is not in the format.", _KEEP),
    Code.IDENTITY_MISMATCH: Meaning(Weight.WRONG, "A segment says that it is another than the record says.", _KEEP),
    Code.MEDIA_MISMATCH: Meaning(Weight.WRONG, "A segment's times or pictures are not as the record says.", _KEEP),
    Code.MEDIA_UNDECODABLE: Meaning(Weight.WRONG, "A segment's pictures cannot be decoded.", _KEEP),
    Code.INIT_MISSING: Meaning(
        Weight.NOTE,
        "A run's init segment is not here, and no segment that would prove it.",
        "Nothing; it can be rebuilt from any segment of the run.",
    ),
    Code.INIT_CHANGED: Meaning(
        Weight.WRONG,
        "A run's init segment is not the one that was signed.",
        "Rebuild it from any segment of the run.",
    ),
    Code.INIT_MISMATCH: Meaning(Weight.WRONG, "A segment belongs to another init segment than its run's.", _KEEP),
    Code.PRUNED_UNLAWFULLY: Meaning(Weight.WRONG, "Media were deleted that must be kept.", _KEEP),
    Code.RECEIPT_REFUSED: Meaning(
        Weight.WRONG,
        "A receipt of the archive does not verify.",
        "Ask the archive for the receipt; what was deleted on it is not accounted for.",
    ),
    Code.MEDIA_UNNAMED: Meaning(
        Weight.NOTE, "A media file is here that the record does not name.", "It counts for nothing; keep it."
    ),
    Code.MEDIA_UNCHECKED: Meaning(
        Weight.OPEN,
        "Only the ledger was given: the media that it names were not checked.",
        "Repeat with the folder that holds the media.",
    ),
    Code.TAIL_LOST: Meaning(
        Weight.NOTE,
        "A power cut cost the unit lines that had already been delivered; both branches count.",
        "Nothing; the branches are kept and shown.",
    ),
    Code.ROLLED_BACK: Meaning(
        Weight.WRONG, "The unit went on from an older state of its card.", "Have the unit and its card examined."
    ),
    Code.EQUIVOCATION: Meaning(
        Weight.WRONG,
        "One unit signed two different histories.",
        "Keep both; nothing after the fork can be attributed without other evidence.",
    ),
    Code.UNSIGNED_ALONE: Meaning(
        Weight.OPEN,
        "A segment alone proves nothing: its digest is signed in the ledger.",
        "Give the ledger of its station too.",
    ),
    Code.PART_ONLY: Meaning(
        Weight.NOTE,
        "This is a part of a longer record: what came before and after it is not here.",
        "Nothing; the archive has the whole record.",
    ),
    Code.CLIP_UNSIGNED: Meaning(
        Weight.WRONG,
        "A clip shows something else than the signed segments, in their order.",
        "Do not rely on this copy; fetch the clip from the archive.",
    ),
    Code.MEDIA_FOREIGN: Meaning(
        Weight.OPEN,
        "A file was not made by this system, or was made anew from something that was: nothing in it is signed.",
        "Ask for the clip as the archive gave it out.",
    ),
}
"""The table of spec/verify.md, section 4; a test holds the two together."""
