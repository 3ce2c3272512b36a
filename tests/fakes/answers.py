"""Answers of a verifier, made by hand after spec/verify.md, section 5: what a report is drawn from."""

BOOTS = ("3f2a1b9c4d5e6f708192a3b4c5d6e7f8", "9b01c2d3e4f5061728394a5b6c7d8e9f", "c0ffee00c0ffee00c0ffee00c0ffee00")
HEAD = "kq2m1W0z6u9Yp4bXr7TnL5sVcE8hJdGfA3oQiRwUxZs"
ELECTION_DAY_US = 1_793_491_200_000_000 + 2 * 3_600_000_000
"""2026-11-01T02:00:00Z: 06:00 in Baku."""

Json = dict[str, object]


def moment(boot: int, second: float, *, power_on_us: int | None = ELECTION_DAY_US, error_us: int = 80_000) -> Json:
    """``second`` after power-on of a boot that began at ``power_on_us``, or at a time that nobody knows."""
    boot_ns = round(second * 1_000_000_000)
    utc_us = None if power_on_us is None else power_on_us + boot_ns // 1000
    return {
        "boot_id": BOOTS[boot],
        "boot_ns": boot_ns,
        "utc_us": None if utc_us is None else [utc_us - error_us, utc_us + error_us],
    }


def gap(start: Json, end: Json, duration_ms: tuple[int, int | None], cause: str, **evidence: object) -> Json:
    """A gap as a camera lists it."""
    return {"from": start, "to": end, "duration_ms": list(duration_ms), "cause": cause, "evidence": evidence}


def clock(start: Json, end: Json, state: str) -> Json:
    """What the kernel said of the clock."""
    return {"from": start, "to": end, "state": state}


def span(start: Json, end: Json, state: str) -> Json:
    """A span as a camera lists it."""
    return {"from": start, "to": end, "state": state}


def between(start: Json, end: Json, gaps: list[Json], state: str = "segment") -> list[Json]:
    """Spans of ``state`` from ``start`` to ``end``, with ``gaps`` between."""
    spans = []
    for each in gaps:
        if each["from"] != start:
            spans.append({"from": start, "to": each["from"], "state": state})
        spans.append({"from": each["from"], "to": each["to"], "state": "gap"})
        start = each["to"]  # type: ignore[assignment]
    if start != end:
        spans.append(span(start, end, state))
    return spans


def camera(name: str, spans: list[Json], gaps: list[Json], covered_ms: int, missing: tuple[int, int | None]) -> Json:
    """A camera with plausible counts."""
    return {
        "camera": name,
        "covered_ms": [covered_ms, covered_ms],
        "missing_ms": list(missing),
        "segments": covered_ms // 2000,
        "recovered": sum(each["state"] == "recovered" for each in spans),
        "frames": covered_ms * 25 // 1000,
        "dropped_frames": 7,
        "gaps": gaps,
        "spans": spans,
    }


def event(seq: int, name: str, at: Json, **data: object) -> Json:
    """An event of all cameras."""
    return {"seq": seq, "event": name, "camera": None, **at, "data": data}


def finding(code: str, weight: str, message: str, at: Json | None = None, **members: object) -> Json:
    """A finding; one without ``at`` has no time."""
    empty: Json = {"camera": None, "seq": None, "boot_id": None, "boot_ns": None, "utc_us": None}
    advice = "Compare with the archive."
    return {**empty, **(at or {}), "code": code, "class": weight, "message": message, "advice": advice} | members


def record(cameras: list[Json], events: list[Json], findings: list[Json], **members: object) -> Json:
    """A closed record of station 57-002."""
    weights = {str(each["class"]) for each in findings}
    verdict = "findings" if "wrong" in weights else "cannot-tell" if "open" in weights else "verified"
    whole: Json = {
        "election": "AZ-2026-11",
        "station": "57-002",
        "unit": "U1",
        "verdict": verdict,
        "head": {"seq": 36_481, "sha256": HEAD},
        "closed": True,
        "lines": 36_482,
        "modes": {"LIVE": 71_000_000},
        "time_zone": "Asia/Baku",
        "cameras": cameras,
        "events": events,
        "clock": [],
        "findings": findings,
    }
    return whole | members


def answer(*records: Json) -> Json:
    """The whole answer."""
    verdicts = [str(each["verdict"]) for each in records]
    order = ("findings", "cannot-tell", "verified")
    return {
        "schema": "unbroken-verdict-1",
        "verdict": next((verdict for verdict in order if verdict in verdicts), "cannot-tell"),
        "records": list(records),
    }


def calm_day() -> Json:
    """Twenty hours, two cameras, two short gaps, everything checks."""
    begin, end = moment(0, 41.5), moment(0, 20 * 3600)
    first = gap(begin, moment(0, 44.1), (2_600, 2_600), "starting")
    second = gap(moment(0, 30_000), moment(0, 30_134), (134_000, 134_000), "camera", timeouts=3)
    one = camera("cam0", between(begin, end, [first, second]), [first, second], 71_821_900, (136_600, 136_600))
    two = camera("cam1", between(begin, end, [first]), [first], 71_955_900, (2_600, 2_600))
    events = [
        event(12, "armed", moment(0, 3_000), mode="LIVE"),
        event(3_011, "opened", moment(0, 7_200)),
        event(25_044, "closed", moment(0, 46_800)),
        event(26_000, "counting", moment(0, 48_300)),
        event(35_100, "protocol-shown", moment(0, 68_100)),
        event(36_200, "finished", moment(0, 71_000)),
    ]
    modes = {"UNARMED": 5_900_000, "LIVE": 137_877_800}
    told = [clock(begin, moment(0, 95), "unsynced"), clock(moment(0, 95), end, "synced")]
    return answer(record([one, two], events, [], modes=modes, clock=told))


def hard_day() -> Json:
    """Two power cuts, a boot whose UTC was never known, damage, missing media, deleted media and findings."""
    last_us = ELECTION_DAY_US + 9 * 3_600_000_000
    wide = 240_000_000

    def late(second: float) -> Json:
        return moment(2, second, power_on_us=last_us, error_us=wide)

    def lost(second: float) -> Json:
        return moment(1, second, power_on_us=None)

    start, cut, end = moment(0, 38), moment(0, 14_400), late(30_000)
    gaps = [
        gap(start, moment(0, 41), (3_000, 3_000), "starting"),
        gap(moment(0, 14_406), lost(31), (31_000, None), "power", marker="none"),
        gap(lost(5_000), lost(5_600), (600_000, 600_000), "disk-error", errno=5),
        gap(lost(6_000), late(29), (29_000, None), "power"),
        gap(late(12_000), late(15_000), (3_000_000, 3_000_000), "thermal", celsius=86),
        gap(late(22_000), late(22_020), (20_000, 20_000), "paused"),
    ]
    spans = [
        *between(start, moment(0, 2_000), gaps[:1], "pruned"),
        span(moment(0, 2_000), moment(0, 3_000), "at-unit") | {"mode": "UNARMED"},
        span(moment(0, 3_000), moment(0, 8_000), "segment"),
        span(moment(0, 8_000), moment(0, 9_800), "missing"),
        span(moment(0, 9_800), moment(0, 10_000), "segment"),
        span(moment(0, 10_000), moment(0, 10_600), "damaged"),
        span(moment(0, 10_600), cut, "segment"),
        span(cut, moment(0, 14_406), "recovered"),
        *between(gaps[1]["from"], gaps[3]["to"], gaps[1:4]),  # type: ignore[arg-type]
        *between(late(29), late(25_000), gaps[4:]),
        span(late(26_800), end, "segment"),
    ]
    pieces = camera("cam0", spans, gaps, 41_000_000, (6_083_000, None))
    events = [
        event(14, "armed", moment(0, 3_000), mode="LIVE"),
        event(2_000, "opened", moment(0, 7_200)),
        event(9_002, "closed", late(14_000)),
        event(9_100, "counting", late(14_500)),
    ]
    findings = [
        finding("media-missing", "wrong", "900 segments of run 0 are not here.", moment(0, 8_000), camera="cam0")
        | {"seq": 4_012, "count": 900},
        finding(
            "media-changed", "wrong", "media/cam0/0/5000.m4s: the digest differs.", moment(0, 10_000), camera="cam0"
        )
        | {"seq": 5_013, "count": 300},
        finding("hole", "wrong", "30 min are missing that no gap explains.", late(25_000), camera="cam0", seq=9_801),
        finding("open-end", "open", "The record ends without a close line.", end, seq=11_377),
        finding("cert-time-unknown", "open", "Session 2 began at an unknown time.", lost(31), seq=7_205),
        finding("torn-tail", "note", "113 bytes follow the last line."),
    ]
    told = [
        clock(start, cut, "synced"),
        clock(lost(31), lost(6_000), "unset"),
        clock(late(29), late(9_000), "unsynced"),
        clock(late(9_000), end, "synced"),
    ]
    return answer(
        record([pieces], events, findings, clock=told, closed=False, modes={"UNARMED": 1_000, "LIVE": 41_000_000})
    )


def many_gaps(count: int) -> Json:
    """A TEST day in which the power or the camera failed ``count`` times, and as many findings."""
    end = moment(0, 60 + 100 * count)
    causes = ("camera", "power", "overload", "crash")
    gaps = [
        gap(moment(0, 100 * n + 60), moment(0, 100 * n + 61 + n % 37), ((1 + n % 37) * 1000,) * 2, causes[n % 4])
        for n in range(count)
    ]
    findings = [
        finding("media-changed", "wrong", f"segment {n}", moment(0, 100 * n + 10), camera="cam0", seq=n)
        for n in range(count)
    ]
    missing_ms = sum((1 + n % 37) * 1000 for n in range(count))
    spans = between(moment(0, 60), end, gaps)
    lane = camera("cam0", spans, gaps, 100_000 * count - missing_ms, (missing_ms, missing_ms))
    return answer(record([lane], [], findings, modes={"TEST": 100_000 * count - missing_ms}))


def never_set() -> Json:
    """Half a minute of which nobody knows the time of day."""
    begin, end = moment(0, 12.25, power_on_us=None), moment(0, 43.5, power_on_us=None)
    first = gap(begin, moment(0, 13.75, power_on_us=None), (1_500, 1_500), "starting")
    lane = camera("cam0", between(begin, end, [first]), [first], 29_750, (1_500, 1_500))
    return answer(record([lane], [], [], modes={"UNARMED": 29_750}, time_zone=None))
