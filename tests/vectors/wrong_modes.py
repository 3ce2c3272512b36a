"""TEST or UNARMED passed off as LIVE, forged profiles, and deletion of what must be kept."""

from evidence import base64url
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.lines import Pruned
from evidence.profile import read_profile, write_profile
from evidence.words import Cause, Mode
from tests.vectors import day, world
from tests.vectors.case import Case, Layer, pack
from tests.vectors.record import Record
from tests.vectors.world import SECOND


def _case(name: str, record: Record, wrong: str, *codes: Code, layer: Layer = Layer.MODE, why: str = "") -> Case:
    return Case(name=name, layer=layer, codes=codes, files=pack(record), wrong=wrong, why=why)


def _with_profile(record: Record, profile: str) -> Record:
    record.start(day.START_NS)
    record.arm(profile=profile)
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    return day.finish(record)


def test_profile_as_live() -> Case:
    record = Record()
    profile = world.sign_profile(record.authority, mode=Mode.TEST)
    wrong = "The profile says TEST; the event and the segments say LIVE."
    return _case("test-profile-as-live", _with_profile(record, profile), wrong, Code.TEST_AS_LIVE)


def test_media_as_live() -> Case:
    record = day.running()
    record.record(identity={"mode": Mode.TEST})
    wrong = "A segment says TEST of itself; its line says LIVE."
    return _case("test-media-as-live", day.finish(record), wrong, Code.TEST_AS_LIVE)


def unarmed_as_live() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    record.mode = Mode.LIVE
    wrong = "Nothing ever armed the unit, but its segments say LIVE."
    return _case("unarmed-as-live", day.finish(record), wrong, Code.TEST_AS_LIVE)


def live_before_armed() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    record.record()
    record.mode = Mode.LIVE
    record.record()
    record.arm()
    wrong = "A segment before the event that arms says LIVE."
    return _case("live-before-armed", day.finish(record), wrong, Code.TEST_AS_LIVE)


def test_under_live() -> Case:
    record = day.running()
    record.mode = Mode.TEST
    record.record()
    record.mode = Mode.LIVE
    wrong = "In an armed LIVE record one segment says TEST."
    return _case("test-under-live", day.finish(record), wrong, Code.MODE_MISMATCH)


def unarmed_after_armed() -> Case:
    record = day.running()
    record.gap(30 * SECOND, Cause.CAMERA)
    record.run()
    record.mode = Mode.UNARMED
    record.record()
    record.mode = Mode.LIVE
    wrong = "A segment that begins 10 s after the event is still UNARMED."
    return _case("unarmed-after-armed", day.finish(record), wrong, Code.MODE_MISMATCH)


def profile_forged() -> Case:
    record = Record()
    genuine = world.sign_profile(record.authority)
    trusted = Trust.from_pem(record.authority.root_pem)
    forged = write_profile(read_profile(genuine, trusted), world.signer("stranger"))
    wrong = "A stranger signed the profile, with the authority's certificate beside it."
    return _case("profile-forged", _with_profile(record, forged), wrong, Code.PROFILE_REFUSED)


def profile_changed() -> Case:
    record = Record()
    header, payload, signature = world.sign_profile(record.authority).split(".")
    changed = base64url.decode(payload.encode()).replace(b'"margin_s":3600', b'"margin_s":9999')
    profile = ".".join((header, base64url.encode(changed), signature))
    wrong = "The profile was changed after it was signed."
    return _case("profile-changed", _with_profile(record, profile), wrong, Code.PROFILE_REFUSED)


def profile_of_another_election() -> Case:
    record = Record()
    profile = world.sign_profile(world.authority("other-2027"))
    wrong = "The profile is of another election, whose root is not trusted."
    return _case("profile-of-another-election", _with_profile(record, profile), wrong, Code.PROFILE_REFUSED)


def profile_of_another_trusted_election() -> Case:
    record = Record()
    other = world.authority("other-2027")
    _with_profile(record, world.sign_profile(other))
    return Case(
        name="profile-of-another-trusted-election",
        layer=Layer.MODE,
        codes=(Code.PROFILE_REFUSED,),
        files={**pack(record), "other-root.pem": other.root_pem},
        trust=("other-root.pem", "root.pem"),
        wrong="The profile is of another election than the record; both are trusted.",
    )


def profile_by_a_unit() -> Case:
    record = Record()
    genuine = read_profile(world.sign_profile(record.authority), Trust.from_pem(record.authority.root_pem))
    members = {name: getattr(genuine, name) for name in type(genuine).__dataclass_fields__}
    forged = write_profile(type(genuine)(**members | {"certs": tuple(record.certs)}), record.device)
    wrong = "A unit signed the profile; its certificate is genuine, but is no authority's."
    return _case("profile-by-a-unit", _with_profile(record, forged), wrong, Code.PROFILE_REFUSED)


def _pruned(record: Record, first: int, last: int) -> Pruned:
    return Pruned(
        camera="cam1", session=record.session, run=0, from_index=first, to_index=last + 1, reason="unarmed-expired"
    )


def pruned_live() -> Case:
    record = day.running()
    record.line(_pruned(record, 0, 0))
    del record.media[record.path(0)]
    wrong = "A LIVE segment was deleted as if it had been UNARMED."
    return _case("pruned-live", day.finish(record), wrong, Code.PRUNED_UNLAWFULLY, layer=Layer.MEDIA)


def pruned_beyond() -> Case:
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    record.record()
    record.line(_pruned(record, 0, 7))
    del record.media[record.path(0)]
    wrong = "A line says that segments were deleted which the record never named."
    return _case("pruned-unnamed", day.finish(record), wrong, Code.PRUNED_UNLAWFULLY, layer=Layer.MEDIA)


CASES = (
    test_profile_as_live,
    test_media_as_live,
    unarmed_as_live,
    live_before_armed,
    test_under_live,
    unarmed_after_armed,
    profile_forged,
    profile_changed,
    profile_of_another_election,
    profile_of_another_trusted_election,
    profile_by_a_unit,
    pruned_live,
    pruned_beyond,
)
