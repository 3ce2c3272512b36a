"""The answer of a verifier in words, for a terminal or a log."""

from datetime import UTC, datetime
from typing import Any

from audit.files import printable

_VERDICTS = {
    "verified": "Verified: the record is whole and genuine, gaps told.",
    "findings": "Findings: something does not check.",
    "cannot-tell": "Cannot tell: nothing is wrong, but something is open.",
}
_CLIP_VERDICTS = _VERDICTS | {"verified": "Verified: this clip is genuine, gaps told."}
_CUT = frozenset({"line-missing", "media-missing"})
_CUT_VERDICT = "Cut: what is here is genuine, but something between its ends is not here."
_NOT_LIVE = {
    "TEST": "TEST: this is a test recording, not video of an election.",
    "UNARMED": "UNARMED: nobody had armed the unit; this is not video of an election.",
}
_HELD = (
    "Some of the video is not here: it is held by the archive, by its signed receipt.\n"
    "This check has seen the receipts, not the video: ask the archive for it."
)
_AT_UNIT = "Video recorded unarmed is not in an archive's copy: it stays at the station."
_MOST_GAPS = 40
_MOST_FINDINGS = 60


def summarise(answer: dict[str, Any]) -> str:
    """The answer of spec/verify.md, section 5, as text: verdict first, then each unit."""
    found = [each for record in answer["records"] for each in record["findings"] if each["class"] != "note"]
    clips = bool(answer["records"]) and all("clip" in record for record in answer["records"])
    parts = [(_CLIP_VERDICTS if clips else _VERDICTS)[answer["verdict"]]]
    if clips and found and _CUT.issuperset(each["code"] for each in found):
        parts = [_CUT_VERDICT]
    if any(_held(camera) for record in answer["records"] for camera in record["cameras"]):
        parts.append(_HELD)
    if any(_at_unit(camera) for record in answer["records"] for camera in record["cameras"]):
        parts.append(_AT_UNIT)
    parts += [_record(record) for record in answer["records"]]
    parts += [_station(station) for station in answer.get("stations", [])]
    return "\n\n".join(parts)


def _record(record: dict[str, Any]) -> str:
    lines = [_title(record)]
    if "clip" in record:
        lines += _clip(record["clip"], record["modes"])
    elif record["head"] is not None:
        end = "closed" if record["closed"] else "not closed"
        lines.append(f"  {record['lines']} lines, {end}, head {record['head']['seq']} {record['head']['sha256']}")
    if record["modes"]:
        lines.append("  " + ", ".join(f"{mode} {_duration(total)}" for mode, total in record["modes"].items()))
    for camera in record["cameras"]:
        lines += ["", *_camera(camera)]
    lines += ["", *_findings(record["findings"])]
    return "\n".join(lines)


def _clip(clip: dict[str, Any], modes: dict[str, int]) -> list[str]:
    """What a clip shows, and what it is a part of."""
    lines = [f"  a clip of {clip['camera']}, {_moment(clip['from'])} to {_moment(clip['to'])}"]
    lines += [f"  {words}" for mode, words in _NOT_LIVE.items() if mode in modes]
    lines.append(
        f"  a part of a longer record: lines before {clip['first_seq']} and after {clip['last_seq']} are not here"
    )
    named = (
        f"receipts of the archive name {clip['receipted']} of them" if clip["receipted"] else "no receipt names them"
    )
    lines.append(f"  {clip['segments']} segments check; {named}")
    return lines


def _station(station: dict[str, Any]) -> str:
    """What several units of a station cover together."""
    lines = [f"Station {station['station']}, units {', '.join(station['units'])} together:"]
    for camera in station["cameras"]:
        lines.append(f"  {camera['camera']}: covered {_duration(camera['covered_ms'])}")
        if camera["undated_ms"]:
            lines.append(f"    {_duration(camera['undated_ms'])} more have no UTC and cannot be placed")
        between = camera["between"]
        for hole in between[:_MOST_GAPS]:
            units = (
                "unit " + hole["after"] if hole["after"] == hole["before"] else f"{hole['after']} to {hole['before']}"
            )
            begin = _moment({"utc_us": hole["from_utc_us"]})
            lines.append(f"    missing from {begin:<32} {_bounds(hole['duration_ms']):>22}  {units}")
        if len(between) > _MOST_GAPS:
            lines.append(f"    and {len(between) - _MOST_GAPS} more; --json lists all")
    return "\n".join(lines)


def _title(record: dict[str, Any]) -> str:
    if record["station"] is None:
        return "A record of nobody"
    title = f"Station {record['station']}, unit {record['unit']}, election {record['election']}"
    return f"{title}: {str(record['verdict']).replace('-', ' ')}"


def _camera(camera: dict[str, Any]) -> list[str]:
    covered, missing = _bounds(camera["covered_ms"]), _bounds(camera["missing_ms"])
    held = f"held by the archive {_bounds(camera['held_ms'])}, " if _held(camera) else ""
    lines = [f"  {camera['camera']}: covered {covered}, {held}missing {missing}"]
    pieces = f"{camera['segments']} segments, {camera['frames']} pictures"
    if camera["recovered"]:
        pieces += f", {camera['recovered']} found after a restart"
    if camera["dropped_frames"]:
        pieces += f", {camera['dropped_frames']} pictures dropped"
    lines.append(f"    {pieces}")
    gaps = camera["gaps"]
    if gaps:
        lines.append("    gaps:")
    lines += [
        f"      {_moment(gap['from']):<32} {_bounds(gap['duration_ms']):>22}  {gap['cause']}"
        for gap in gaps[:_MOST_GAPS]
    ]
    if len(gaps) > _MOST_GAPS:
        lines.append(f"      and {len(gaps) - _MOST_GAPS} more; --json lists all")
    return lines


def _held(camera: dict[str, Any]) -> bool:
    return bool(camera["held_ms"] != [0, 0])


def _at_unit(camera: dict[str, Any]) -> bool:
    return any(span["state"] == "at-unit" for span in camera["spans"])


def _findings(findings: list[dict[str, Any]]) -> list[str]:
    if not findings:
        return ["  No findings."]
    lines = ["  Findings:"]
    order = ("wrong", "open", "note")
    for finding in sorted(findings, key=lambda each: order.index(each["class"]))[:_MOST_FINDINGS]:
        where = [finding["camera"]] if finding["camera"] else []
        where += [f"line {finding['seq']}"] if finding["seq"] is not None else []
        where += [_moment(finding)] if finding["boot_ns"] is not None else []
        times = f" ×{finding['count']}" if finding["count"] > 1 else ""
        head = f"    {finding['class']}: {finding['code']}{times}"
        lines.append(f"{head}  {', '.join(where)}".rstrip())
        lines.append(f"      {printable(finding['message'])}")
        lines.append(f"      {finding['advice']}")
    if len(findings) > _MOST_FINDINGS:
        lines.append(f"    and {len(findings) - _MOST_FINDINGS} more; --json lists all")
    return lines


def _moment(at: dict[str, Any]) -> str:
    """UTC to the second where it is known to better than that, else boot time."""
    if at["utc_us"] is None:
        boot = f"boot {at['boot_id'][:8]}" if at["boot_id"] else "boot"
        return f"{boot} +{_clock(at['boot_ns'] // 1_000_000)}"
    least, most = at["utc_us"]
    middle = datetime.fromtimestamp((least + most) // 2 / 1e6, UTC)
    text = f"{middle:%Y-%m-%d %H:%M:%S} UTC"
    error_s = (most - least) / 2e6
    return text if error_s < 0.5 else f"{text} ± {error_s:.0f} s"


def _bounds(bounds: list[int | None]) -> str:
    least, most = bounds
    assert least is not None
    if most is None:
        return f"{_duration(least)} or more"
    if most - least <= 1_000:
        return _duration((least + most) // 2)
    return f"{_duration(least)} to {_duration(most)}"


def _duration(total_ms: int) -> str:
    if total_ms < 60_000:
        return f"{total_ms / 1000:.1f} s"
    return _clock(total_ms)


def _clock(total_ms: int) -> str:
    seconds = total_ms // 1_000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
