"""Clips, whole, trimmed and bent (spec/clip.md; spec/verify.md, section 2.4)."""

from collections.abc import Callable
from dataclasses import replace

from cmaf.boxes import box
from cmaf.clip import carry, clip_head
from evidence.codes import Code
from evidence.lines import line_hash
from evidence.receipt import Acknowledged
from evidence.words import Cause, Mode
from tests.vectors import day, world
from tests.vectors.case import Case, Expected, Layer
from tests.vectors.clip import Clip, Part, clip_of, join
from tests.vectors.good_receipts import acknowledge
from tests.vectors.record import Record, flipped
from tests.vectors.world import SECOND

_WHY = "A clip is always a part of a record."


def _day(mode: Mode = Mode.LIVE) -> Record:
    """Five segments of cam1, and phases between them; closed."""
    record = day.armed(mode=mode)
    record.record(count=2)
    record.event("opened")
    record.record(count=2)
    record.event("counting")
    record.record()
    record.close()
    return record


def _clip(mode: Mode = Mode.LIVE) -> Clip:
    """The second to fourth segment of ``_day``: lines 6 to 9."""
    return clip_of(_day(mode), range(1, 4))


def _case(name: str, file: bytes, record: Record | None = None, **members: object) -> Case:
    files = {"clip.mp4": file, "root.pem": (record or Record()).authority.root_pem}
    return Case(name=name, files=files, paths=("clip.mp4",), **members)  # type: ignore[arg-type]


def _good(name: str, title: str, file: bytes, covered_ms: int, *gaps: tuple[str, int]) -> Case:
    missing = sum(ms for _, ms in gaps)
    told = tuple((cause, (ms, ms)) for cause, ms in gaps)
    expected = {"cam1": Expected(covered_ms=covered_ms, missing_ms=(missing, missing), gaps=told)}
    return _case(name, file, title=title, layer=Layer.NONE, codes=(Code.PART_ONLY,), cameras=expected)


def _wrong(name: str, code: Code, wrong: str, file: bytes, *, layer: Layer = Layer.MEDIA) -> Case:
    return _case(name, file, layer=layer, codes=(code, Code.PART_ONLY), wrong=wrong, why=_WHY)


def whole() -> Case:
    return _good("clip", "A clip of six seconds of a LIVE day", _clip().written, 6_000)


def test_day() -> Case:
    return _good("clip-of-a-test", "A clip of a TEST recording", _clip(Mode.TEST).written, 6_000)


def trimmed() -> Case:
    clip = _clip()
    file = join(clip.beginning, clip.parts[1])
    return _good(
        "clip-trimmed", "Of a clip, segments were cut off at both ends, and the first proof with them", file, 2_000
    )


def without_beginning() -> Case:
    clip = _clip()
    title = "A clip that lost all in front of its second segment: no player takes it, and it still proves itself"
    return _good("clip-without-beginning", title, join(*clip.parts[1:]), 4_000)


def with_a_gap() -> Case:
    record = Record()
    record.start(day.START_NS, cameras=("cam1", "cam2"))
    record.arm()
    for camera in ("cam1", "cam2"):
        record.run(camera)
        record.gap(day.FIRST_PICTURE_NS, Cause.STARTING, camera)
    record.record(count=2)
    record.record("cam2", count=2)
    record.gap(28 * SECOND, Cause.OVERLOAD)
    record.record("cam2")
    record.record()
    record.close()
    title = "A clip of one of two cameras, with a gap of three seconds in it; the other camera's lines stand between"
    return _good("clip-with-a-gap", title, clip_of(record, range(3)).written, 6_000, ("overload", 3_000))


def after_a_restart() -> Case:
    record = day.crashed()
    record.record(count=2)
    title = "A clip from a second session: armed in the first, whose start stands in the first proof"
    return _good("clip-after-a-restart", title, clip_of(record, range(1, 3)).written, 4_000)


def recovered() -> Case:
    """The first session's video that was found after a crash, in a clip of its own."""
    record = day.armed()
    record.record()
    session, found = record.session, record.shoot()
    path = record.path(1)
    start, run = record.lines[0], record.lines[3]
    take = record.takes["cam1"]
    record.start(30 * SECOND, ended="crash", evidence={"unit_result": "signal"})
    record.recover(found, session)
    data = record.media[path]
    base_ticks = found.from_ns * 9 // 100_000
    part = Part(
        lines=(start, run, *record.lines[-2:]),
        receipts=(),
        boxes=carry(data, base_ticks=base_ticks, sequence=2).head,
        data=data,
    )
    title = "A clip of video that was found after a crash, and named by the session that found it"
    return _good("clip-recovered", title, join(clip_head(take.track, 2_000), part), 2_000)


def _logged(record: Record, seq: int, sha256: str) -> str:
    return acknowledge(record, (), kind=Acknowledged.LOGGED, seq=seq, sha256=sha256, media=())


def receipted() -> Case:
    record = _day()
    stored = acknowledge(record, range(1, 3))
    receipts = {1: [stored], 2: [stored], 3: [_logged(record, 8, line_hash(record.lines[8]))]}
    file = clip_of(record, range(1, 4), receipts=receipts).written
    return _good("clip-receipted", "A clip with receipts of the archive", file, 6_000)


def segment_changed() -> Case:
    clip = _clip()
    parts = [*clip.parts]
    parts[1] = replace(parts[1], data=flipped(-5)(parts[1].data))
    file = join(clip.beginning, clip.opening, *parts)
    return _wrong("clip-segment-changed", Code.MEDIA_CHANGED, "One bit of a picture in a clip was changed.", file)


def cut_short() -> Case:
    wrong = "A clip was not fetched to its end: its last segment lacks 50 bytes."
    return _wrong("clip-cut-short", Code.MEDIA_CHANGED, wrong, _clip().written[:-50])


def segment_removed() -> Case:
    clip = _clip()
    file = join(clip.beginning, clip.opening, clip.parts[0], clip.parts[2])
    wrong = "A segment was cut out of the middle of a clip, and its lines with it."
    return _wrong("clip-segment-removed", Code.LINE_MISSING, wrong, file, layer=Layer.CHAIN)


def media_removed() -> Case:
    clip = _clip()
    file = join(clip.beginning, clip.opening, clip.parts[0], clip.parts[1].proof, clip.parts[2])
    wrong = "A segment was cut out of the middle of a clip; its lines are still there."
    return _wrong("clip-media-removed", Code.MEDIA_MISSING, wrong, file)


def reordered() -> Case:
    clip = _clip()
    one, two, three = clip.parts
    file = join(clip.beginning, clip.opening, one, three, two)
    wrong = "Two segments of a clip have changed places."
    return _wrong("clip-reordered", Code.LINE_REORDERED, wrong, file, layer=Layer.CHAIN)


def doubled() -> Case:
    clip = _clip()
    one, two, three = clip.parts
    file = join(clip.beginning, clip.opening, one, two, two, three)
    wrong = "A segment stands in a clip twice."
    return _wrong("clip-doubled", Code.LINE_REPEATED, wrong, file, layer=Layer.CHAIN)


def line_changed() -> Case:
    clip = _clip()
    one, two, three = clip.parts
    bent = replace(two, lines=(*two.lines[:-1], flipped(-20)(two.lines[-1])))
    file = join(clip.beginning, clip.opening, one, bent, three)
    wrong = "A line in a clip was changed."
    return _wrong("clip-line-changed", Code.SIGNATURE_WRONG, wrong, file, layer=Layer.KEY)


def shifted() -> Case:
    """The segments are genuine, and a player is told to show one of them when another was."""
    clip = _clip()
    one, two, three = clip.parts
    late = replace(three, boxes=three.boxes[:60] + (900_000).to_bytes(8, "big") + three.boxes[68:])
    file = join(clip.beginning, clip.opening, one, two, late)
    wrong = "A clip tells players to show a segment later than it was."
    return _wrong("clip-shifted", Code.CLIP_UNSIGNED, wrong, file)


def shortened() -> Case:
    """The samples of the first fragment only: the rest is in the file, and is not shown."""
    clip = _clip()
    one, two, three = clip.parts
    entry = two.boxes.index(b"trun") + 12
    bent = replace(two, boxes=two.boxes[:entry] + (1).to_bytes(4, "big") + two.boxes[entry + 4 :])
    file = join(clip.beginning, clip.opening, one, bent, three)
    wrong = "A clip shows players not all of a segment."
    return _wrong("clip-shortened", Code.CLIP_UNSIGNED, wrong, file)


def mixed() -> Case:
    clip = _clip()
    stranger = box(b"mdat", b"what nobody signed")
    file = join(clip.beginning, clip.opening, clip.parts[0], stranger, *clip.parts[1:])
    return _wrong(
        "clip-with-a-stranger", Code.CLIP_UNSIGNED, "Between two segments of a clip stands another box.", file
    )


def other_camera() -> Case:
    record = Record()
    record.start(day.START_NS, cameras=("cam1", "cam2"))
    record.arm()
    for camera in ("cam1", "cam2"):
        record.run(camera)
        record.gap(day.FIRST_PICTURE_NS, Cause.STARTING, camera)
    record.record()
    record.record("cam2")
    record.record()
    one = clip_of(record, range(2))
    two = clip_of(record, range(1), camera="cam2")
    tail = replace(one.parts[1], lines=(*one.parts[1].lines[:2], one.parts[1].lines[-1]))
    other = replace(two.parts[0], lines=two.parts[0].lines[-1:])
    file = join(one.beginning, one.opening, one.parts[0], other, tail)
    return _wrong("clip-of-two-cameras", Code.CLIP_UNSIGNED, "A clip shows now one camera, now the other.", file)


def beginning_changed() -> Case:
    clip = _clip()
    beginning = clip.beginning.replace(b"avc1\x00", b"avc1\x01", 1)
    assert beginning != clip.beginning
    file = join(beginning, clip.opening, *clip.parts)
    return _wrong("clip-beginning-changed", Code.INIT_CHANGED, "A clip begins with other boxes than its own.", file)


def receipt_of_another() -> Case:
    record = _day()
    receipt = acknowledge(record, range(1, 3), station=world.OTHER_STATION)
    file = clip_of(record, range(1, 4), receipts={2: [receipt]}).written
    wrong = "A clip carries a receipt that the archive gave to another station."
    return _wrong("clip-receipt-of-another", Code.RECEIPT_REFUSED, wrong, file)


def receipt_of_another_history() -> Case:
    record = _day()
    file = clip_of(record, range(1, 4), receipts={2: [_logged(record, 8, record.prev)]}).written
    wrong = "A clip carries a receipt that names another line in the place of one of its own."
    return _wrong("clip-receipt-of-another-line", Code.RECEIPT_REFUSED, wrong, file)


def untrusted() -> Case:
    record = Record(by=world.authority(seed="impostor"))
    day.armed(record)
    record.record(count=3)
    wrong = "A clip was made by somebody with an election root of his own."
    file = clip_of(record, range(1, 3)).written
    return _case(
        "clip-untrusted",
        file,
        layer=Layer.CERTIFICATE,
        codes=(Code.CERT_UNTRUSTED, Code.PART_ONLY),
        wrong=wrong,
        why=_WHY,
    )


def foreign() -> Case:
    clip = _clip()
    made_anew = clip.beginning + b"".join(part.boxes + part.data for part in clip.parts)
    return _case(
        "film-made-anew",
        made_anew,
        layer=Layer.MEDIA,
        codes=(Code.MEDIA_FOREIGN,),
        wrong="A program has written a clip anew and left all proofs out.",
    )


CASES: tuple[Callable[[], Case], ...] = (
    whole,
    test_day,
    trimmed,
    without_beginning,
    with_a_gap,
    after_a_restart,
    recovered,
    receipted,
    segment_changed,
    cut_short,
    segment_removed,
    media_removed,
    reordered,
    doubled,
    line_changed,
    shifted,
    shortened,
    mixed,
    other_camera,
    beginning_changed,
    receipt_of_another,
    receipt_of_another_history,
    untrusted,
    foreign,
)
