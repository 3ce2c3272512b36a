"""Attacks on media: changed, missing, swapped, contradicting their lines."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cmaf.boxes import box
from evidence.codes import Code
from evidence.words import Cause, Mode
from tests.vectors import day, world
from tests.vectors.case import Case, Layer, ledger, pack, short_of
from tests.vectors.media import Take, relabel
from tests.vectors.record import Edit, Record, flipped
from tests.vectors.world import MS, SECOND


def _case(name: str, record: Record, wrong: str, *codes: Code, why: str = "") -> Case:
    return Case(name=name, layer=Layer.MEDIA, codes=codes, files=pack(record), wrong=wrong, why=why)


def _altered(name: str, code: Code, wrong: str, edit: Edit) -> Callable[[], Case]:
    """An ordinary day in whose copy the second segment's file was altered."""

    def make() -> Case:
        record = day.ordinary()
        path = record.path(1)
        record.media[path] = edit(record.media[path])
        return replace(_case(name, record, wrong, code), cameras={"cam1": short_of(2_000, covered_ms=2_000)})

    return make


def _recorded(name: str, code: Code, wrong: str, **record_as: Any) -> Callable[[], Case]:
    """A day whose writer recorded one segment in the wrong way and signed it."""

    def make() -> Case:
        record = day.quiet()
        record.record(**record_as)
        return _case(name, day.finish(record), wrong, code)

    return make


def media_missing() -> Case:
    record = day.ordinary()
    del record.media[record.path(1)]
    case = _case("media-missing", record, "A segment's file is not there.", Code.MEDIA_MISSING)
    return replace(case, cameras={"cam1": short_of(2_000, covered_ms=2_000)})


def swapped_cameras() -> Case:
    record = Record()
    record.start(day.START_NS, cameras=("cam1", "cam2"))
    record.arm()
    for camera in ("cam1", "cam2"):
        record.run(camera)
        record.gap(day.FIRST_PICTURE_NS, Cause.STARTING, camera)
        record.record(camera)
    record.close()
    record.media[record.path(0, "cam1")] = record.media[record.path(0, "cam2")]
    wrong = "In the place of the first camera's segment lies the second camera's."
    return _case("segment-of-another-camera", record, wrong, Code.MEDIA_SWAPPED)


def swapped_runs() -> Case:
    record = day.quiet()
    first = record.media[record.path(0)]
    record.gap(24 * SECOND, Cause.CAMERA)
    record.run()
    record.record()
    record.media[record.path(0)] = first
    record.close()
    wrong = "In the place of a run's first segment lies that of the run before."
    return _case("segment-of-another-run", record, wrong, Code.MEDIA_SWAPPED)


def swapped_sessions() -> Case:
    record = day.quiet()
    first = record.media[record.path(0)]
    day.restart(record)
    record.media[record.path(0)] = first
    record.close()
    wrong = "In the place of a session's first segment lies that of the session before."
    return _case("segment-of-another-session", record, wrong, Code.MEDIA_SWAPPED)


def swapped_index() -> Case:
    record = day.ordinary()
    record.media[record.path(1)] = record.media[record.path(0)]
    wrong = "In the place of a segment lies the one before it."
    return _case("segment-of-another-time", record, wrong, Code.MEDIA_SWAPPED)


def swapped_stations() -> Case:
    record, other = day.ordinary(), Record(station=world.OTHER_STATION, unit=world.OTHER_UNIT)
    day.armed(other).record(count=2)
    record.media[record.path(1)] = other.media[other.path(1)]
    wrong = "In the place of a segment lies another station's of the same time."
    return _case("segment-of-another-station", record, wrong, Code.MEDIA_SWAPPED)


def swapped_elections() -> Case:
    record, other = day.ordinary(), Record(election="other-2027")
    day.armed(other).record(count=2)
    record.media[record.path(1)] = other.media[other.path(1)]
    wrong = "In the place of a segment lies one of another election."
    return _case("segment-of-another-election", record, wrong, Code.MEDIA_SWAPPED)


def exchanged() -> Case:
    record = day.ordinary()
    first, second = record.path(0), record.path(1)
    record.media[first], record.media[second] = record.media[second], record.media[first]
    wrong = "Two segments have changed places; the bytes of both are there."
    return _case("segments-exchanged", record, wrong, Code.MEDIA_SWAPPED)


def init_changed() -> Case:
    record = day.ordinary()
    path = f"{record.folder()}/init.mp4"
    record.media[path] = flipped(-1)(record.media[path])
    return _case("init-changed", record, "A bit of the init segment was changed.", Code.INIT_CHANGED)


def init_swapped() -> Case:
    record = day.quiet()
    record.gap(24 * SECOND, Cause.RECONFIGURED)
    first = f"{record.folder()}/init.mp4"
    record.run(take=Take(high=False))
    record.record()
    record.close()
    record.media[f"{record.folder()}/init.mp4"] = record.media[first]
    wrong = "In the place of a run's init segment lies that of the run before, which differs."
    return _case("init-swapped", record, wrong, Code.INIT_CHANGED)


def init_mismatch() -> Case:
    record = day.quiet()
    record.takes["cam1"] = Take(width=48)
    wrong = "A segment's decoder configuration and picture size are not those of its run's init segment."
    return _case("init-mismatch", day.finish(record), wrong, Code.INIT_MISMATCH)


def fragments_out_of_order() -> Case:
    record = day.quiet()

    def reverse(data: bytes) -> bytes:
        boxes = _boxes(data)
        head, fragments = boxes[:2], boxes[2:]
        pairs = [fragments[at : at + 2] for at in range(0, len(fragments), 2)]
        return b"".join(head + [part for pair in pairs[::-1] for part in pair])

    record.record(media=reverse)
    wrong = "A signed segment holds its fragments in reverse."
    return _case("media-fragments-reversed", day.finish(record), wrong, Code.MEDIA_MALFORMED)


def shorter_than_line() -> Case:
    record = day.quiet()
    record.record(frames=9, line={"to_ns": 25 * SECOND})
    record.at["cam1"] = 25 * SECOND
    wrong = "A line claims 2 s; its segment holds 1.8 s."
    return _case("media-shorter-than-line", day.finish(record), wrong, Code.MEDIA_MISMATCH)


def another_mode() -> Case:
    record = day.armed(mode=Mode.TEST)
    record.record(identity={"mode": Mode.UNARMED})
    wrong = "A signed segment's identity says UNARMED, its line says TEST."
    return _case("identity-of-another-mode", day.finish(record), wrong, Code.IDENTITY_MISMATCH)


def media_unchecked() -> Case:
    record = day.ordinary()
    return Case(
        name="ledger-alone",
        layer=Layer.MEDIA,
        codes=(Code.MEDIA_UNCHECKED,),
        files={"ledger.jws": ledger(record.lines), "root.pem": record.authority.root_pem},
        paths=("ledger.jws",),
        wrong="Only the ledger is given.",
    )


def unsigned_alone() -> Case:
    record = day.ordinary()
    return Case(
        name="segment-alone",
        layer=Layer.MEDIA,
        codes=(Code.UNSIGNED_ALONE,),
        files={"segment.m4s": record.media[record.path(1)], "root.pem": record.authority.root_pem},
        paths=("segment.m4s",),
        wrong="Only a segment is given, and nothing that signs it.",
    )


def _boxes(data: bytes) -> list[bytes]:
    parts = []
    while data:
        size = int.from_bytes(data[:4], "big")
        parts.append(data[:size])
        data = data[size:]
    return parts


def _without_type(data: bytes) -> bytes:
    boxes = _boxes(data)
    return b"".join(boxes[:1] + boxes[2:])


def _says(name: str, what: str, **members: Any) -> Callable[[], Case]:
    wrong = f"A signed segment's identity says another {what} than its line."
    return _recorded(f"identity-of-another-{name}", Code.IDENTITY_MISMATCH, wrong, identity=members)


CASES: tuple[Callable[[], Case], ...] = (
    _altered("media-byte-changed", Code.MEDIA_CHANGED, "One bit of a picture was changed.", flipped(-5)),
    _altered(
        "identity-changed",
        Code.MEDIA_CHANGED,
        "In the copy, a segment's identity was given another UTC.",
        lambda data: relabel(data, utc_us=world.FIRST_BOOT_US),
    ),
    _altered("media-cut", Code.MEDIA_CHANGED, "A file lost its last 100 bytes.", lambda data: data[:-100]),
    _altered("media-extended", Code.MEDIA_CHANGED, "A file has a box more.", lambda data: data + box(b"free", b"x")),
    _altered("media-empty", Code.MEDIA_CHANGED, "A file is empty.", lambda data: data[:0]),
    media_missing,
    swapped_cameras,
    swapped_runs,
    swapped_sessions,
    swapped_index,
    swapped_stations,
    swapped_elections,
    exchanged,
    init_changed,
    init_swapped,
    init_mismatch,
    _recorded(
        "media-with-extra-box",
        Code.MEDIA_MALFORMED,
        "A signed segment ends with a box that the format does not know.",
        media=lambda data: data + box(b"free", b"hidden"),
    ),
    _recorded("media-without-styp", Code.MEDIA_MALFORMED, "A signed segment has no styp box.", media=_without_type),
    _recorded(
        "media-not-mp4", Code.MEDIA_MALFORMED, "A signed file is a line of text.", media=lambda _: b"no video here\n"
    ),
    _recorded(
        "media-with-two-keyframes", Code.MEDIA_MALFORMED, "A signed segment holds two IDR pictures.", key_every=5
    ),
    _recorded(
        "media-without-a-picture",
        Code.MEDIA_MALFORMED,
        "The last sample of a signed segment is filler, where its flags promise a picture.",
        media=lambda data: data[:-4] + b"\x0c" + data[-3:],
    ),
    _recorded(
        "media-with-broken-units",
        Code.MEDIA_MALFORMED,
        "The last sample of a signed segment is not made of whole NAL units.",
        media=lambda data: data[:-8] + b"\x00\x00\x00\x05" + data[-4:],
    ),
    _recorded(
        "timescale-other",
        Code.MEDIA_MALFORMED,
        "A signed segment counts time in another timescale, where a tick hides half a second.",
        identity={"timescale": 2},
    ),
    fragments_out_of_order,
    _says("camera", "camera", camera="cam2"),
    _says("station", "station", station=world.OTHER_STATION),
    _says("index", "index", index=7),
    _says("boot", "boot", boot_id=world.boot_id("another")),
    _says("time", "boot time", boot_ns=20 * SECOND),
    another_mode,
    _recorded("frames-miscounted", Code.MEDIA_MISMATCH, "A line counts a picture more.", line={"frames": 11}),
    _recorded(
        "dropped-frame-untold",
        Code.MEDIA_MISMATCH,
        "A picture is missing within a segment, and its line does not count it.",
        times_ns=[23 * SECOND + number * 200 * MS for number in (0, 1, 2, 4, 5, 6, 7, 8, 9)],
    ),
    _recorded(
        "hole-inside-a-segment",
        Code.MEDIA_MISMATCH,
        "Two pictures of a segment are 800 ms apart; that is a gap, not a dropped frame.",
        times_ns=[23 * SECOND + number * 200 * MS for number in (0, 1, 2, 6, 7, 8, 9)],
        line={"holes": (3, 800)},
    ),
    shorter_than_line,
    media_unchecked,
    unsigned_alone,
)
