"""Records in which nothing is wrong, in forms that a reader must take: what is unknown, odd, elsewhere or torn."""

import json
from dataclasses import replace

from evidence.codes import Code
from evidence.lines import Pruned, Unknown
from evidence.words import Cause
from tests.vectors import day, world
from tests.vectors.case import Case, Expected, Layer, exactly, good, pack
from tests.vectors.record import Edit, Record
from tests.vectors.world import MS, SECOND

_ORDINARY = exactly(4_000, ("starting", 1_000))


def pruned_unarmed() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(21 * SECOND, Cause.STARTING)
    record.record(count=3)
    pruned = Pruned(camera="cam1", session=record.session, run=0, from_index=0, to_index=2, reason="unarmed-expired")
    record.line(pruned)
    for index in (0, 1):
        del record.media[record.path(index)]
    record.close()
    # The pieces are signed for, so they are no gap; they are not there, so they are missing.
    expected = Expected(covered_ms=2_000, missing_ms=(5_000, 5_000), gaps=(("starting", (1_000, 1_000)),))
    return good("pruned-unarmed", "UNARMED segments deleted and told", record, cam1=expected)


def unknown_members() -> Case:
    record = day.running()
    deep: object = []
    for _ in range(6):
        deep = [deep]

    def add(payload: bytes) -> bytes:
        later = {"x-largest": 2**53 - 1, "x-least": -(2**53 - 1), "x-depth": deep, "x-text": "ə🗳"}
        return json.dumps(json.loads(payload) | later, ensure_ascii=False, separators=(",", ":")).encode()

    record.event("opened", edit=add)
    return good(
        "unknown-members",
        "Members of a later version: largest integers, eight levels deep, text beyond ASCII",
        day.finish(record),
        cam1=_ORDINARY,
    )


def spaced_payload() -> Case:
    record = day.running()

    def spread(payload: bytes) -> bytes:
        return json.dumps(json.loads(payload), indent=1, sort_keys=True).encode()

    record.event("opened", edit=spread)
    return good("spaced-payload", "JSON with spaces and another order of members", day.finish(record), cam1=_ORDINARY)


def unknown_kind() -> Case:
    record = day.running()
    record.line(Unknown(kind="anchor"))
    return good(
        "unknown-kind",
        "A line of a kind that this version does not know",
        day.finish(record),
        (Code.KIND_UNKNOWN,),
        cam1=_ORDINARY,
    )


def longest_line() -> Case:
    record = day.running()
    record.event("opened", edit=padded(65_536))
    return good("longest-line", "A line of exactly 65,536 bytes, LF included", day.finish(record), cam1=_ORDINARY)


def padded(size: int) -> Edit:
    """Makes an ordinary event line as long as ``size`` with its LF, by a member that readers ignore."""

    def edit(payload: bytes) -> bytes:
        # Header, signature, two dots and LF around the payload; base64url makes 4 characters of 3 bytes.
        room = size - 115 - 86 - 3
        assert room % 4 != 1, "no base64url has this length"
        length = room // 4 * 3 + (0, 0, 1, 2)[room % 4]
        filler = length - len(payload) - len(b',"x-fill":""')
        return payload[:-1] + b',"x-fill":"' + b"x" * filler + b'"}'

    return edit


def odd_nanoseconds() -> Case:
    record = Record()
    odd = 123_456_789
    record.start(20 * SECOND + odd)
    record.arm()
    record.run()
    record.gap(21 * SECOND + odd, Cause.STARTING)
    for _ in range(2):
        begin = record.at["cam1"]
        times = [begin + number * 200 * MS + number % 3 * 111_111 for number in range(10)]
        record.record(times_ns=times, end_ns=begin + 2 * SECOND)
    record.close()
    return good(
        "odd-nanoseconds", "Times that are no whole number of ticks, and a camera that jitters", record, cam1=_ORDINARY
    )


def moved_media() -> Case:
    record = day.ordinary()
    record.media = {
        f"media/found/{number}{name[-4:]}": data for number, (name, data) in enumerate(record.media.items())
    }
    return good("moved-media", "Every media file lies under another name", record, cam1=_ORDINARY)


def media_unnamed() -> Case:
    record = day.ordinary()
    record.shoot()
    title = "A segment lies there that no line names"
    return good("media-unnamed", title, record, (Code.MEDIA_UNNAMED,), cam1=_ORDINARY)


def torn_tail() -> Case:
    case = good("torn-tail", "A torn tail after the close", day.ordinary(), (Code.TORN_TAIL,), cam1=_ORDINARY)
    torn = case.files["ledger.jws"] + b"eyJhbGciOiJFUzI1NiIsImtpZCI6"
    return replace(case, files={**case.files, "ledger.jws": torn})


def two_roots() -> Case:
    record = day.ordinary()
    other = world.authority("other-2027").root_pem
    return Case(
        name="two-roots",
        title="The roots of two elections are trusted",
        layer=Layer.NONE,
        codes=(),
        files={**pack(record), "other-root.pem": other},
        trust=("other-root.pem", "root.pem"),
        cameras={"cam1": _ORDINARY},
    )


def two_stations() -> Case:
    record = day.ordinary()
    other = Record(station=world.OTHER_STATION, unit=world.OTHER_UNIT, by=record.authority)
    day.finish(day.armed(other))
    files = {f"{unit.station}/{name}": data for unit in (record, other) for name, data in pack(unit).items()}
    for unit in (record, other):
        del files[f"{unit.station}/root.pem"]
    return Case(
        name="two-stations",
        title="The folders of two stations, given together",
        layer=Layer.NONE,
        codes=(),
        files={**files, "root.pem": record.authority.root_pem},
        paths=(record.station, other.station),
    )


CASES = (
    pruned_unarmed,
    unknown_members,
    spaced_payload,
    unknown_kind,
    longest_line,
    odd_nanoseconds,
    moved_media,
    media_unnamed,
    torn_tail,
    two_roots,
    two_stations,
)
