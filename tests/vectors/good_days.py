"""Records in which nothing is wrong: days as they go."""

from evidence.lines import Config, Event
from evidence.terms import Expected, Hold, PausePolicy, PublicArchive, Publication, Retention, Shows, Terms
from evidence.words import Cause, Mode, Phase
from tests.vectors import day, world
from tests.vectors.case import Case, exactly, good
from tests.vectors.record import Record, sha256
from tests.vectors.world import MS, SECOND

_ORDINARY = exactly(4_000, ("starting", 1_000))
_HOUR_US = 3_600_000_000
_REASON = {"az": "nümunə", "en": "a sample", "ru": "пример"}
_TERMS = Terms(
    phases=(Expected(phase=Phase.CLOSED, at_us=world.WINDOW_FROM_US + 8 * _HOUR_US),),
    pause=PausePolicy.VOTING_HOURS,
    publication=Publication(
        shows=Shows.COUNT_ONLY,
        delay_s=30,
        holds=(
            Hold(
                from_us=world.WINDOW_FROM_US + 9 * _HOUR_US,
                to_us=world.WINDOW_FROM_US + 10 * _HOUR_US,
                until_us=world.WINDOW_FROM_US + 10 * _HOUR_US,
                reason=_REASON,
            ),
        ),
    ),
    public_archive=PublicArchive(from_us=world.WINDOW_TO_US, until_us=None),
    retention=Retention(days=365, from_us=world.WINDOW_TO_US),
    exempt={"57-003": _REASON},
    thresholds={"silent_s": 60},
    languages=("az", "en", "ru"),
)


def one_camera() -> Case:
    record = day.running()
    record.record()
    record.event("opened")
    record.record()
    record.event("finished")
    record.close()
    return good("one-camera", "One camera, LIVE from start to close", record, cam1=exactly(6_000, ("starting", 1_000)))


def two_cameras() -> Case:
    record = Record()
    record.start(day.START_NS, cameras=("cam1", "cam2"))
    record.arm()
    record.run("cam1")
    record.gap(21 * SECOND, Cause.STARTING, "cam1")
    record.run("cam2")
    record.gap(21_400 * MS, Cause.STARTING, "cam2")
    for _ in range(2):
        record.record("cam1")
        record.record("cam2")
    record.gap(25_400 * MS, Cause.STOPPING, "cam1")
    record.close()
    return good(
        "two-cameras",
        "Two cameras whose segments do not begin together",
        record,
        cam1=exactly(4_000, ("starting", 1_000), ("stopping", 400)),
        cam2=exactly(4_000, ("starting", 1_400)),
    )


def camera_added() -> Case:
    record = day.running()
    record.start(30 * SECOND, cameras=("cam1", "cam2"), ended="crash")
    record.gap(30 * SECOND, Cause.CRASH)
    for camera in ("cam1", "cam2"):
        record.run(camera)
        record.gap(31 * SECOND, Cause.STARTING, camera)
        record.record(camera)
    record.close()
    return good(
        "camera-added",
        "A second camera is configured at a restart; its record begins there",
        record,
        cam1=exactly(4_000, ("starting", 1_000), ("crash", 7_000), ("starting", 1_000)),
        cam2=exactly(2_000, ("starting", 1_000)),
    )


def crash_and_restart() -> Case:
    record = day.crashed()
    record.close()
    return good(
        "crash-and-restart",
        "The recorder crashes and starts again in the same boot; arming lasts",
        record,
        cam1=exactly(4_000, ("starting", 1_000), ("crash", 7_000), ("starting", 1_000)),
    )


def stop_and_start() -> Case:
    record = day.running()
    record.record(frames=4)
    record.event("stopped")
    record.start(40 * SECOND, ended="stopped")
    record.gap(40 * SECOND, Cause.STOPPED)
    record.run()
    record.gap(41 * SECOND, Cause.STARTING)
    record.record()
    record.close()
    return good(
        "stop-and-start",
        "An orderly stop with a partial last segment, and a start in the same boot",
        record,
        cam1=exactly(4_800, ("starting", 1_000), ("stopped", 16_200), ("starting", 1_000)),
    )


def recovered_after_crash() -> Case:
    record = day.running()
    session, found = record.session, record.shoot(frames=6)
    record.start(30 * SECOND, ended="crash")
    record.recover(found, session)
    record.gap(30 * SECOND, Cause.CRASH)
    record.run()
    record.gap(31 * SECOND, Cause.STARTING)
    record.record()
    record.close()
    return good(
        "recovered-after-crash",
        "A piece of video that was durable, but not yet signed when the recorder crashed",
        record,
        cam1=exactly(5_200, ("starting", 1_000), ("crash", 5_800), ("starting", 1_000)),
    )


def gap_in_a_boot() -> Case:
    record = day.running()
    record.gap(30 * SECOND, Cause.CAMERA, evidence={"restarts": 1})
    record.run()
    record.record()
    record.close()
    return good(
        "gap-in-a-boot",
        "The camera fails for seven seconds and comes back in a new run",
        record,
        cam1=exactly(4_000, ("starting", 1_000), ("camera", 7_000)),
    )


def silent_camera() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.arm()
    for end in (30, 40, 50, 54):
        record.gap(end * SECOND, Cause.CAMERA)
    record.run()
    record.record()
    record.close()
    return good(
        "silent-camera",
        "A camera that delivers nothing for 34 s: pieces of 10 s that readers merge",
        record,
        cam1=exactly(2_000, ("camera", 34_000)),
    )


def causes_follow_each_other() -> Case:
    record = day.running()
    record.gap(24 * SECOND, Cause.OVERLOAD)
    record.gap(25 * SECOND, Cause.DISK_FULL)
    record.gap(26 * SECOND, Cause.DISK_FULL)
    record.run()
    record.record()
    record.close()
    return good(
        "causes-follow-each-other",
        "Neighbouring gaps of two causes stay two gaps",
        record,
        cam1=exactly(4_000, ("starting", 1_000), ("overload", 1_000), ("disk-full", 2_000)),
    )


def test_election() -> Case:
    record = day.armed(mode=Mode.TEST)
    record.record(count=2)
    record.close()
    return good("test", "A TEST profile, recorded as TEST", record, cam1=_ORDINARY)


def profile_with_terms() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.arm(profile=world.sign_profile(record.authority, terms=_TERMS))
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    record.record(count=2)
    record.close()
    return good("profile-with-terms", "A profile that says who may see what, and when", record, cam1=_ORDINARY)


def unarmed_only() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(21 * SECOND, Cause.STARTING)
    record.record(count=2)
    record.close()
    return good("unarmed", "Never armed; UNARMED throughout", record, cam1=_ORDINARY)


def armed_midway() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(21 * SECOND, Cause.STARTING)
    record.record()
    running = record.shoot()
    record.arm()
    record.line(running, at_ns=running.to_ns + 100 * MS)
    record.record()
    record.close()
    return good(
        "armed-midway",
        "UNARMED, then LIVE; the segment that was being written at the event is still UNARMED",
        record,
        cam1=exactly(6_000, ("starting", 1_000)),
    )


def dropped_frames() -> Case:
    record = day.running()
    times = [record.at["cam1"] + number * 200 * MS for number in (0, 1, 2, 4, 5, 6, 7, 8, 9)]
    record.record(times_ns=times, line={"holes": (1, 400)})
    record.close()
    return good("dropped-frames", "A picture is missing and counted in the line", record, cam1=_ORDINARY)


def mask_changed() -> Case:
    record = day.running()
    mask = '{"rectangles":[[0,0,16,16]]}'
    record.line(Config(what="mask", camera="cam1", mask=mask, sha256=sha256(mask.encode())))
    record.gap(23_600 * MS, Cause.RECONFIGURED)
    record.run(mask=mask)
    record.record()
    record.close()
    return good(
        "mask-changed",
        "A new mask begins a new run",
        record,
        cam1=exactly(4_000, ("starting", 1_000), ("reconfigured", 600)),
    )


def closed_by_window() -> Case:
    record = day.running()
    record.record()
    record.close(by="window")
    return good("closed-by-window", "Closed because the window has passed", record, cam1=_ORDINARY)


def phases() -> Case:
    record = day.running()
    for phase in ("opened", "closed", "counting", "protocol-shown"):
        record.event(phase)
    record.line(Event(event="pin-refused", data={"attempts": 3}))
    record.line(Event(event="camera-restart", camera="cam1", data={"reason": "timeout"}))
    return good("phases", "The phases of the day and refused PINs", day.finish(record), cam1=_ORDINARY)


CASES = (
    one_camera,
    two_cameras,
    camera_added,
    crash_and_restart,
    stop_and_start,
    recovered_after_crash,
    gap_in_a_boot,
    silent_camera,
    causes_follow_each_other,
    test_election,
    profile_with_terms,
    unarmed_only,
    armed_midway,
    dropped_frames,
    mask_changed,
    closed_by_window,
    phases,
)
