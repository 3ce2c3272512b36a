"""Records in which nothing is wrong: clocks, reboots, certificates and branches."""

from datetime import timedelta

from evidence.codes import Code
from evidence.lines import Event
from evidence.words import Cause, ClockChange, Mode
from tests.vectors import day, world
from tests.vectors.case import Case, Expected, Layer, good, pack
from tests.vectors.record import UNSET, Clock, Record
from tests.vectors.world import MS, SECOND

_STARTING = ("starting", (1_000, 1_000))
_ORDINARY = Expected(covered_ms=4_000, missing_ms=(1_000, 1_000), gaps=(_STARTING,))

# The second boot's clock, such that its second 18 is 60 s after second 23 of the first. At second 23 the
# nearest line is 100 ms away: 4,000 us and 500 ppm of it are 4,050; with 5,950 on the other side ±10 ms.
SECOND_BOOT = Clock(offset_us=world.FIRST_BOOT_US + (23 + 60 - 18) * 1_000_000, error_us=5_950)


def reboot(record: Record, clock: Clock = SECOND_BOOT, at_ns: int = 18 * SECOND) -> None:
    """A power cut, a second boot and a segment in it."""
    before = record.boot
    record.start(at_ns, boot="second", clock=clock, ended="power", evidence={"boot_changed": 1})
    record.gap(at_ns, Cause.POWER, from_boot=before)
    record.run()
    record.gap(at_ns + SECOND, Cause.STARTING)
    record.record()


def ladder() -> Case:
    record = day.running()
    record.line(Event(event="power", data={"under_voltage": 1}))
    record.line(Event(event="camera-restart", camera="cam1", data={"reason": "no picture for 5 s"}))
    record.gap(83 * SECOND, Cause.CAMERA)
    record.line(Event(event="process-restart", data={"silent": "cam1", "hanging": ""}))
    record.start(85 * SECOND, ended="process-restart", evidence={"under_voltage": 1})
    record.gap(85 * SECOND, Cause.CAMERA)
    record.gap(145 * SECOND, Cause.CAMERA)
    record.line(Event(event="reboot", data={"silent": "cam1", "hanging": "cam1"}))
    before, clock = record.boot, Clock(offset_us=world.FIRST_BOOT_US + (145 + 30 - 20) * 1_000_000)
    record.start(20 * SECOND, boot="second", clock=clock, ended="reboot")
    record.gap(20 * SECOND, Cause.CAMERA, from_boot=before)
    record.run()
    record.gap(21 * SECOND, Cause.STARTING)
    record.line(Event(event="bitrate", camera="cam1", data={"from": 2_000_000, "to": 1_000_000, "room": 1 << 30}))
    record.record()
    record.close()
    # From second 23 to second 145 of the first boot, then 30 s, known to 4 ms on each side.
    gaps = (_STARTING, ("camera", (122_000, 122_000)), ("camera", (29_992, 30_008)), _STARTING)
    return good(
        "ladder",
        "A camera that only a reboot brings back: each rung is a line, and the causes say so",
        record,
        cam1=Expected(covered_ms=4_000, missing_ms=(153_992, 154_008), gaps=gaps),
    )


def power_cut() -> Case:
    record = day.running()
    reboot(record)
    record.close()
    expected = Expected(
        covered_ms=4_000, missing_ms=(61_990, 62_010), gaps=(_STARTING, ("power", (59_990, 60_010)), _STARTING)
    )
    return good("power-cut", "A power cut; both boots know UTC, so the gap is bounded", record, cam1=expected)


def power_cut_recovered() -> Case:
    record = day.running()
    session, found, before = record.session, record.shoot(frames=5), record.boot
    record.start(18 * SECOND, boot="second", clock=SECOND_BOOT, ended="power")
    record.recover(found, session)
    record.gap(18 * SECOND, Cause.POWER, from_boot=before)
    record.run()
    record.gap(19 * SECOND, Cause.STARTING)
    record.record()
    record.close()
    # The gap begins at 24 s, 900 ms after the last line of the first boot: 4,450 us and 5,950 us.
    expected = Expected(
        covered_ms=5_000, missing_ms=(60_989, 61_011), gaps=(_STARTING, ("power", (58_989, 59_011)), _STARTING)
    )
    return good("power-cut-recovered", "A power cut, and a piece of the first boot found", record, cam1=expected)


def power_cut_without_utc() -> Case:
    record = day.running()
    reboot(record, UNSET)
    record.close()
    expected = Expected(
        covered_ms=4_000, missing_ms=(20_000, None), gaps=(_STARTING, ("power", (18_000, None)), _STARTING)
    )
    return good(
        "power-cut-without-utc",
        "After a power cut the clock stays unset: the gap has no upper bound",
        record,
        (Code.CERT_TIME_UNKNOWN,),
        cam1=expected,
    )


def utc_never_known() -> Case:
    record = Record()
    record.clock = UNSET
    day.armed(record).record(count=2)
    record.close()
    title = "UTC is never known; whether the certificate was valid cannot be told"
    return good("utc-never-known", title, record, (Code.CERT_TIME_UNKNOWN,), cam1=_ORDINARY)


def clock_gained() -> Case:
    record = Record()
    record.clock = UNSET
    day.armed(record).record()
    record.clock = Clock(offset_us=world.FIRST_BOOT_US + (5 * 3600 + 14 * 60) * 1_000_000, error_us=2_000)
    record.clock_line(ClockChange.GAINED, None)
    record.record()
    record.close()
    return good("clock-gained", "The clock is unset until 09:14, then synchronised", record, cam1=_ORDINARY)


def clock_gained_with_step() -> Case:
    record = Record()
    record.clock = Clock(offset_us=world.FIRST_BOOT_US - 3_600_000_000, error_us=None)
    day.armed(record).record()
    record.clock = Clock()
    record.clock_line(ClockChange.GAINED, 3_600_000_000)
    record.record()
    record.close()
    title = "An unsynchronised clock is an hour slow until the time server answers"
    return good("clock-gained-with-step", title, record, cam1=_ORDINARY)


def clock_lost() -> Case:
    record = day.running()
    record.clock = Clock(error_us=None)
    record.clock_line(ClockChange.LOST, 0)
    record.record()
    record.close()
    return good("clock-lost", "The clock loses its time server", record, cam1=_ORDINARY)


def clock_step() -> Case:
    record = day.running()
    record.clock = record.clock.moved(3_000_000)
    record.clock_line(ClockChange.STEP, 3_000_000)
    record.record()
    record.close()
    title = "The synchronised clock is set by three seconds, and a line says so"
    return good("clock-step", title, record, (Code.CLOCK_STEP,), cam1=_ORDINARY)


def clock_within_error() -> Case:
    record = day.running()
    record.clock = record.clock.moved(300_000)
    record.clock = Clock(offset_us=record.clock.offset_us, error_us=400_000)
    record.record()
    record.close()
    return good("clock-within-error", "A jump within the clock's own error", record, cam1=_ORDINARY)


def armed_slowly() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(21 * SECOND, Cause.STARTING)
    record.arm()
    # The mode changes at a segment border within 10 s of the event.
    record.mode = Mode.UNARMED
    record.record(count=2)
    record.mode = Mode.LIVE
    record.record()
    record.close()
    expected = Expected(covered_ms=6_000, missing_ms=(1_000, 1_000), gaps=(_STARTING,))
    return good("armed-slowly", "Segments that begin within 10 s after arming are UNARMED", record, cam1=expected)


def certificate_ends_later() -> Case:
    record = Record()
    cert = record.authority.certify_unit(
        record.device_key,
        record.station,
        record.unit,
        valid_to=world.MIDNIGHT + timedelta(hours=4, seconds=2),
    )
    record.certs = [world.der(cert)]
    day.finish(day.armed(record))
    expected = Expected(covered_ms=2_000, missing_ms=(1_000, 1_000), gaps=(_STARTING,))
    return good("certificate-ends-later", "The certificate ends after the session began", record, cam1=expected)


def revoked_later() -> Case:
    record = Record()
    cert = record.authority.certify_unit(record.device_key, record.station, record.unit)
    record.certs = [world.der(cert)]
    crl = record.authority.revoke(cert, world.MIDNIGHT + timedelta(days=1))
    day.finish(day.armed(record))
    expected = Expected(covered_ms=2_000, missing_ms=(1_000, 1_000), gaps=(_STARTING,))
    return Case(
        name="revoked-later",
        title="The certificate is revoked on the day after",
        layer=Layer.NONE,
        codes=(),
        files={**pack(record), "crl.pem": crl},
        crl=("crl.pem",),
        cameras={"cam1": expected},
    )


def revoked_by_an_impostor() -> Case:
    record = Record()
    cert = record.authority.certify_unit(record.device_key, record.station, record.unit)
    record.certs = [world.der(cert)]
    crl = world.authority(seed="impostor").revoke(cert, world.MIDNIGHT)
    day.finish(day.armed(record))
    expected = Expected(covered_ms=2_000, missing_ms=(1_000, 1_000), gaps=(_STARTING,))
    return Case(
        name="revoked-by-an-impostor",
        title="A revocation list of the root's name, but not of its key, revokes nothing",
        layer=Layer.NONE,
        codes=(),
        files={**pack(record), "crl.pem": crl},
        crl=("crl.pem",),
        cameras={"cam1": expected},
    )


def utc_never_synchronised() -> Case:
    record = Record()
    record.clock = Clock(error_us=None)
    day.armed(record).record(count=2)
    record.close()
    title = "The clock shows a time that nobody vouches for; it says nothing of the certificate"
    return good("utc-never-synchronised", title, record, (Code.CERT_TIME_UNKNOWN,), cam1=_ORDINARY)


def tail_lost() -> Case:
    record = day.running()
    archived = record.fork()
    archived.record()
    record.media |= archived.media
    reboot(record)
    record.close()
    # The archive's branch covers 23 s to 25 s: the gap begins 2 s later, and the nearest line is again 100 ms away.
    expected = Expected(
        covered_ms=6_000, missing_ms=(59_990, 60_010), gaps=(_STARTING, ("power", (57_990, 58_010)), _STARTING)
    )
    return Case(
        name="tail-lost",
        title="A power cut takes lines back that the archive already has; media of both branches are there",
        layer=Layer.NONE,
        codes=(Code.TAIL_LOST,),
        files=pack(record, branch=archived.lines),
        paths=(".", "branch.jws"),
        cameras={"cam1": expected},
    )


def tail_lost_of_a_minute() -> Case:
    record = day.running()
    archived = record.fork()
    for end in range(33, 94, 10):
        archived.gap(end * SECOND, Cause.CAMERA)
    later = Clock(offset_us=world.FIRST_BOOT_US + 600_000_000, error_us=6_000)
    reboot(record, later)
    record.close()
    # The abandoned branch explains 23 s to 93 s; the gap across boots begins there: at 93 s, 4,000 us; then 6,000 us.
    gaps = (_STARTING, ("camera", (70_000, 70_000)), ("power", (524_990, 525_010)), _STARTING)
    return Case(
        name="tail-lost-of-a-minute",
        title="A lost tail of exactly 60 s from its first to its last line",
        layer=Layer.NONE,
        codes=(Code.TAIL_LOST,),
        files=pack(record, branch=archived.lines),
        paths=(".", "branch.jws"),
        cameras={"cam1": Expected(covered_ms=4_000, missing_ms=(596_990, 597_010), gaps=gaps)},
    )


def older_copy() -> Case:
    record = day.ordinary()
    return Case(
        name="older-copy",
        title="A second ledger that is the beginning of the first is no fork",
        layer=Layer.NONE,
        codes=(),
        files=pack(record, branch=record.lines[:7]),
        paths=(".", "branch.jws"),
        cameras={"cam1": _ORDINARY},
    )


def line_made_early() -> Case:
    record = day.running()
    record.record()
    # 1 s is the most that a line may be made before its segment's end.
    segment = record.shoot()
    record.line(segment, stamp=record.clock.stamp(segment.to_ns - SECOND))
    record.now_ns = segment.to_ns - SECOND
    record.gap(record.at["cam1"] + 500 * MS, Cause.STOPPING)
    record.close()
    expected = Expected(covered_ms=6_000, missing_ms=(1_500, 1_500), gaps=(_STARTING, ("stopping", (500, 500))))
    return good("line-made-early", "A line made 1 s before its segment's end", record, cam1=expected)


CASES = (
    ladder,
    power_cut,
    power_cut_recovered,
    power_cut_without_utc,
    utc_never_known,
    utc_never_synchronised,
    clock_gained,
    clock_gained_with_step,
    clock_lost,
    clock_step,
    clock_within_error,
    armed_slowly,
    certificate_ends_later,
    revoked_later,
    revoked_by_an_impostor,
    tail_lost,
    tail_lost_of_a_minute,
    older_copy,
    line_made_early,
)
