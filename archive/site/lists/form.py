"""The tags of a list (spec/list.md), as text. All of it is ASCII."""

from datetime import UTC, datetime, timedelta

from evidence.words import Mode

TYPE = "application/vnd.apple.mpegurl"
LEAST_TARGET_S = 2
"""A segment is nominally so long; a list of shorter ones says the same, so that it changes less."""
DISCONTINUITY = "#EXT-X-DISCONTINUITY\n"
END = "#EXT-X-ENDLIST\n"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z: beyond it there is no way to write a date."""


def target_s(longest_us: int) -> int:
    """TARGETDURATION for a list whose longest entry lasts so long: no entry, rounded, is longer."""
    return max(LEAST_TARGET_S, (longest_us + 500_000) // 1_000_000)


def head(version: int, target: int) -> str:
    """How every list begins."""
    return f"#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-INDEPENDENT-SEGMENTS\n"


def init_map(sha256: str) -> str:
    """Which init segment the entries from here on need."""
    return f'#EXT-X-MAP:URI="/media/{sha256[:2]}/{sha256}.mp4"\n'


def date(utc_us: int) -> str:
    """When the next entry begins, in whole milliseconds; a time that cannot be written is the nearest that can."""
    text = (_EPOCH + timedelta(microseconds=min(max(utc_us, 0), _LAST_US))).isoformat(timespec="milliseconds")
    return f"#EXT-X-PROGRAM-DATE-TIME:{text[:23]}Z\n"


def lines_of(*, branch: int, seq: int, run_seq: int, start_seq: int, mode: Mode, date: str) -> str:
    """Our own tag: where in the ledger the next entry is signed, and what its date is (section 3)."""
    return f"#EXT-X-UNBROKEN:BRANCH={branch},SEQ={seq},RUN={run_seq},START={start_seq},MODE={mode},DATE={date}\n"


def media(duration_us: int, sha256: str) -> str:
    """An entry whose media are there."""
    return f"{_length(duration_us)}/media/{sha256[:2]}/{sha256}.m4s\n"


def gap(duration_us: int) -> str:
    """An entry without media. Its address leads nowhere, but must look like media: FFmpeg refuses a list otherwise."""
    return f"#EXT-X-GAP\n{_length(duration_us)}gap.m4s\n"


def _length(duration_us: int) -> str:
    return f"#EXTINF:{duration_us // 1_000_000}.{duration_us % 1_000_000:06d},\n"
