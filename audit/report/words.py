"""Every sentence of the report, in one table for each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evidence.codes import MEANINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The report in one language. Braces are places that are filled in; mappings go by the words of the answer."""

    language: str
    page_title: str
    kicker: str
    verdicts: Mapping[str, str]
    meanings: Mapping[str, str]
    next_steps: Mapping[str, str]
    held_headline: str
    held_meaning: str
    at_unit_headline: str
    at_unit_note: str
    several: str
    nothing: str
    nothing_next: str
    not_live: str
    part_live: str
    missing_each: str
    findings_lede: str
    station: str
    unit: str
    election: str
    unknown_name: str
    state: str
    closed: str
    open_end: str
    head: str
    head_text: str
    no_head: str
    head_use: str
    lines: str
    modes: str
    modes_sum: str
    record_verdict: str
    day: str
    picture_title: str
    picture_camera: str
    picture_held: str
    picture_twin: str
    legend_note: str
    states: Mapping[str, str]
    causes: Mapping[str, str]
    gap_key: str
    finding_key: str
    times_in: str
    times_in_utc: str
    zone_unknown: str
    time_unset: str
    utc_unknown: str
    boot: str
    cameras: str
    camera: str
    covered: str
    held: str
    held_note: str
    missing: str
    nothing_missing: str
    at_least: str
    between: str
    segments: str
    recovered: str
    pictures: str
    dropped: str
    cameras_note: str
    no_cameras: str
    findings: str
    no_findings: str
    classes: Mapping[str, str]
    codes: Mapping[str, tuple[str, str]]
    what_to_do: str
    line: str
    line_number: str
    all_cameras: str
    times_over: str
    whole_record: str
    findings_cut: str
    gaps: str
    no_gaps: str
    gaps_note: str
    gaps_cut: str
    when: str
    how_long: str
    why: str
    what: str
    concluded_from: str
    events: str
    no_events: str
    event: str
    event_names: Mapping[str, str]
    events_cut: str
    clock: str
    clock_said: str
    clock_states: Mapping[str, str]
    clock_keys: Mapping[str, str]
    clock_all: str
    clock_some: str
    clock_none: str
    clock_note: str
    clock_findings: str
    utc_within: str
    first_last: str
    in_words: str
    in_words_note: str
    rows_cut: str
    show_rows: str
    repeat: str
    repeat_text: str
    repeat_command: str
    repeat_codes: str
    promise: str


ENGLISH = Words(
    language="en",
    page_title="{station}: report of a check",
    kicker="Report of a check",
    verdicts=MappingProxyType(
        {
            "verified": "Everything recorded is here and checks",
            "findings": "Something does not check",
            "cannot-tell": "Cannot tell",
        }
    ),
    meanings=MappingProxyType(
        {
            "verified": "Every line of the record is signed by this unit and follows the line before it. Every piece "
            "of video that the record names is here and unchanged, or was deleted as the rules allow.",
            "findings": "At least one part of the record, or of the video that it names, is not as it was signed, or "
            "is not here. What does not check is listed below, each with its place. The rest of the record was "
            "checked all the same.",
            "cannot-tell": "Nothing was found that does not check, but something that is needed to be sure is not "
            "here. What is needed is listed below.",
        }
    ),
    next_steps=MappingProxyType(
        {
            "verified": "Nothing has to be done. Keep this report with the record, and compare the head below with "
            "one that was seen elsewhere: a receipt, the archive, a photograph of the unit's code.",
            "findings": "Keep this copy unchanged. Follow the advice at each finding; most can be settled with another "
            "copy of the same record.",
            "cannot-tell": "Follow the advice at each open point, then repeat the check.",
        }
    ),
    held_headline="Everything recorded checks here or is held by the archive",
    held_meaning="Every line of the record is signed by this unit and follows the line before it. Every piece of "
    "video that the record names is here and unchanged, is held by the archive, by its signed receipt, or was deleted "
    "as the rules allow.",
    at_unit_headline="Everything recorded since arming is here and checks",
    at_unit_note="What was recorded unarmed is left out: it stays at the station, and an archive never takes it.",
    several="{count} records were checked. Each has its own part below.",
    nothing="No record was found in what was given.",
    nothing_next="Give the folder that holds ledger.jws, or the unit's disk.",
    not_live="This is a {mode} recording. It is not election video.",
    part_live="Part of this recording is a TEST: {parts}. It is marked in the picture.",
    missing_each="{camera}: {time}",
    findings_lede="Findings: {wrong} that do not check, {open} that cannot be told, {note} to note.",
    station="Polling station",
    unit="Unit",
    election="Election",
    unknown_name="not known",
    state="State of the record",
    closed="Closed: the record has an end, and nothing follows it",
    open_end="Not closed: what came after its last line cannot be told from this copy",
    head="Head",
    head_text="line {seq}",
    no_head="none: no line could be checked",
    head_use="The head stands for the whole record before it. Two copies with the same head are the same record.",
    lines="Lines checked",
    modes="Recorded as",
    modes_sum="{modes} (sum of {count} cameras)",
    record_verdict="This record",
    day="The day",
    picture_title="Station {station}, unit {unit}: the day as a line",
    picture_camera="{camera}: covered {covered}, missing {missing}, gaps: {gaps}.",
    picture_held="{camera}: held by the archive {held}.",
    picture_twin="The table “{table}” says the same.",
    legend_note="What is shorter than the picture can show is drawn wider than it was.",
    states=MappingProxyType(
        {
            "segment": "Verified video",
            "recovered": "Found after a restart, not signed at capture",
            "gap": "Gap: nothing was recorded",
            "held": "Held by the archive, by its signed receipt; not here",
            "missing": "Recorded and signed, but not here",
            "damaged": "Here, but does not check",
            "at-unit": "Not armed: stays at the station",
            "pruned": "Deleted as the rules allow; the digest remains",
            "unexplained": "Missing, and the record does not say why",
        }
    ),
    causes=MappingProxyType(
        {
            "starting": "the recorder was starting",
            "stopping": "the recorder was stopping",
            "stopped": "the recorder had been stopped",
            "power": "no power",
            "crash": "the recorder failed",
            "camera": "the camera gave no picture",
            "overload": "the unit could not keep up",
            "disk-full": "the disk was full",
            "disk-error": "the disk failed",
            "thermal": "the unit was too hot",
            "paused": "recording was paused",
            "reconfigured": "the settings were changed",
            "replaced": "the unit or its disk was replaced",
            "unknown": "the cause is not known",
        }
    ),
    gap_key="Gap: {cause}",
    finding_key="Does not check, or cannot be told, here",
    times_in="Times are local, in the zone {zone} ({offset}), where not marked otherwise.",
    times_in_utc="Times are UTC.",
    zone_unknown="The record names the zone {zone}, which is not known here: times are UTC.",
    time_unset="TIME UNSET",
    utc_unknown="UTC not known",
    boot="boot {boot}",
    cameras="Cameras",
    camera="Camera",
    covered="Covered",
    held="Held by the archive",
    held_note="What is held by the archive is not here: the unit deleted it on a receipt in which the archive signed "
    "its digest. This check has seen the receipt, not the video. Ask the archive for it; the digest in the record "
    "shows whether it is the same.",
    missing="Missing",
    nothing_missing="nothing",
    at_least="at least {least}",
    between="{least} to {most}",
    segments="Segments",
    recovered="Found after a restart",
    pictures="Pictures",
    dropped="Pictures lost within video",
    cameras_note="Covered and missing time are sums. Where a duration cannot be known exactly, its least and greatest "
    "value are given.",
    no_cameras="The record names no camera.",
    findings="Findings",
    no_findings="None.",
    classes=MappingProxyType({"wrong": "does not check", "open": "cannot tell", "note": "note"}),
    codes=MappingProxyType({code.value: (meaning.sentence, meaning.advice) for code, meaning in MEANINGS.items()}),
    what_to_do="What to do",
    line="line {seq}",
    line_number="Line",
    all_cameras="all cameras",
    times_over="{count} times",
    whole_record="the whole record",
    findings_cut="{shown} of {count} findings are shown, the gravest first. All are in the answer of "
    "unbroken verify --json.",
    gaps="Gaps",
    no_gaps="None: no gap is on record.",
    gaps_note="A gap is part of the record: the unit signed that it recorded nothing, and why.",
    gaps_cut="{shown} of {count} gaps are shown, the longest, in order of time. All are in the answer of "
    "unbroken verify --json.",
    when="When",
    how_long="How long",
    why="Why",
    what="What",
    concluded_from="from {facts}",
    events="Events",
    no_events="None.",
    event="Event",
    event_names=MappingProxyType(
        {
            "armed": "Armed",
            "opened": "Opened",
            "closed": "Closed",
            "counting": "Counting",
            "protocol-shown": "Protocol shown",
            "finished": "Finished",
            "stopped": "Recorder stopped",
            "pin-refused": "PIN refused",
            "camera-restart": "Camera restarted",
            "set-aside": "Bytes found and set aside",
        }
    ),
    events_cut="{shown} of {count} events are shown: phases, then the first of the rest. All are in the answer of "
    "unbroken verify --json.",
    clock="The clock",
    clock_said="The unit's clock",
    clock_states=MappingProxyType(
        {
            "synced": "synchronised",
            "unsynced": "running, not synchronised: nobody vouches for its time",
            "unset": "not set",
        }
    ),
    clock_keys=MappingProxyType(
        {"synced": "Clock synchronised", "unsynced": "Clock not synchronised", "unset": "Clock not set"}
    ),
    clock_all="UTC is known for the whole record, to within {within}.",
    clock_some="UTC is known in {known} of {count} boots, to within {within}. Elsewhere only boot time is known: "
    "order and durations are certain, the time of day is not.",
    clock_none="UTC is not known anywhere in this record. Order and durations are certain, the time of day is not.",
    clock_note="Boot time counts from power-on and cannot be set. UTC is worked out from the moments at which the "
    "unit's clock was synchronised, and is given with its uncertainty.",
    clock_findings="There are findings about the clock; see above.",
    utc_within="UTC to within",
    first_last="From – to",
    in_words="The picture in words",
    in_words_note="Each row is one piece of the picture, in order.",
    rows_cut="The first {shown} of {count} rows are shown. All are in the answer of unbroken verify --json.",
    show_rows="Show the {count} rows",
    repeat="How to repeat this check",
    repeat_text="Anybody can repeat it, on any computer, without a network. Take the same files, the election's root "
    "certificate from a source that you trust, and run:",
    repeat_command="unbroken verify FOLDER --trust ROOT.pem --report report.html",
    repeat_codes="The command ends with 0 (everything checks), 1 (something does not check) or 3 (cannot tell). The "
    "same files give the same report, byte for byte.",
    promise="This report says what was recorded, what is missing, and what checks. It says nothing about what the "
    "pictures show.",
)
