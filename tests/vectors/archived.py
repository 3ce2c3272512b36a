"""An archive's copy (spec/verify.md, section 2.3): ledgers and media as an archive keeps them."""

from evidence.codes import Code
from evidence.lines import Pruned
from evidence.words import Cause, Mode
from tests.vectors import day, world
from tests.vectors.case import Case, Expected, Layer, exactly, good, ledger, pack
from tests.vectors.good_receipts import acknowledge, prune
from tests.vectors.record import Record, sha256

_STARTING = (("starting", (1_000, 1_000)),)


def _armed_midway() -> Record:
    """Two UNARMED segments and two LIVE ones of one run, and the end."""
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    record.record(count=2)
    record.arm()
    record.record(count=2)
    record.close()
    return record


def _copy(record: Record, *, without: tuple[int, ...] = ()) -> dict[str, bytes]:
    """The files of an archive that was sent everything of the running run but the segments ``without``."""
    absent = {record.path(index) for index in without}
    media = [data for path, data in record.media.items() if path.endswith(".m4s") and path not in absent]
    return {
        f"data/ledgers/{record.station}/{record.unit}/0.jws": ledger(record.lines),
        **{f"data/cas/{sha256(data)[:2]}/{sha256(data)}": data for data in media},
        "root.pem": record.authority.root_pem,
    }


def _expected(covered_ms: int, missing_ms: int) -> dict[str, Expected]:
    return {"cam1": Expected(covered_ms=covered_ms, missing_ms=(missing_ms, missing_ms), gaps=_STARTING)}


def archive_copy() -> Case:
    record = _armed_midway()
    return Case(
        name="archive-copy",
        title="An archive's folder: LIVE media are there, UNARMED ones stay at the unit, init segments follow",
        layer=Layer.NONE,
        codes=(Code.UNARMED_AT_UNIT,),
        files=_copy(record, without=(0, 1)),
        paths=("data",),
        cameras=_expected(4_000, 5_000),
    )


def archive_copy_of_a_station() -> Case:
    record = day.ordinary()
    return Case(
        name="archive-copy-of-a-station",
        title="One station's folder of an archive; its media lie beside all ledgers",
        layer=Layer.NONE,
        codes=(),
        files=_copy(record),
        paths=(f"data/ledgers/{record.station}",),
        cameras={"cam1": exactly(4_000, ("starting", 1_000))},
    )


def archive_copy_unarmed() -> Case:
    record = day.quiet()
    record.close()
    other = day.quiet(Record(station=world.OTHER_STATION, unit=world.OTHER_UNIT, by=record.authority))
    strangers = {path: data for path, data in _copy(other).items() if path.startswith("data/cas/")}
    return Case(
        name="archive-copy-unarmed",
        title="An archive's folder of a unit that nobody armed: all of its video stays there",
        why="No segment is here that would prove the run's init segment.",
        layer=Layer.NONE,
        codes=(Code.UNARMED_AT_UNIT, Code.INIT_MISSING),
        files=_copy(record, without=(0,)) | strangers,
        paths=("data",),
        cameras=_expected(0, 3_000),
    )


def fetched() -> Case:
    record = _armed_midway()
    data = [data for path, data in record.media.items() if path.endswith(".m4s")][2:]
    return Case(
        name="fetched-from-the-site",
        title="What was fetched from an archive's public site, each file under the path of its address",
        layer=Layer.NONE,
        codes=(Code.UNARMED_AT_UNIT,),
        files={
            f"site/ledger/{record.station}/{record.unit}/0.jws": ledger(record.lines),
            f"site/receipts/{record.station}/{record.unit}.jws": ledger(
                [acknowledge(record, range(2, 4)).encode()] * 2
            ),
            **{f"site/media/{sha256(each)[:2]}/{sha256(each)}.m4s": each for each in data},
            "site/trust.pem": record.authority.root_pem,
            "root.pem": record.authority.root_pem,
        },
        paths=("site",),
        cameras=_expected(4_000, 5_000),
    )


def init_rebuilt() -> Case:
    record = day.ordinary()
    del record.media[f"{record.folder()}/init.mp4"]
    title = "The init segment is not there; the segments prove it"
    return good("init-rebuilt", title, record, cam1=exactly(4_000, ("starting", 1_000)))


def init_missing() -> Case:
    record = day.quiet()
    gone = Pruned(camera="cam1", session=record.session, run=0, from_index=0, to_index=1, reason="unarmed-expired")
    record.line(gone)
    del record.media[record.path(0)], record.media[f"{record.folder()}/init.mp4"]
    record.run()
    record.record()
    record.close()
    title = "All segments of a run were deleted as they may be, and its init segment with them"
    return good("init-missing", title, record, (Code.INIT_MISSING,), **_expected(2_000, 3_000))


def archive_lacks_live() -> Case:
    record = _armed_midway()
    return Case(
        name="archive-lacks-live",
        layer=Layer.MEDIA,
        codes=(Code.MEDIA_MISSING, Code.UNARMED_AT_UNIT),
        wrong="An archive's folder lacks a LIVE segment, beside UNARMED ones that it never takes.",
        why="Only what is UNARMED stays at the unit.",
        files=_copy(record, without=(0, 1, 2)),
        paths=("data",),
        cameras=_expected(2_000, 7_000),
    )


def archive_lacks_test() -> Case:
    record = day.armed(mode=Mode.TEST)
    record.record()
    return Case(
        name="archive-lacks-test",
        layer=Layer.MEDIA,
        codes=(Code.MEDIA_MISSING,),
        wrong="An archive's folder lacks a TEST segment.",
        files=_copy(day.finish(record), without=(0,)),
        paths=("data",),
        cameras=_expected(2_000, 3_000),
    )


def archive_lacks_claimed() -> Case:
    """The receipt names the second segment; the line prunes the first one, too, which is UNARMED."""
    record = Record()
    record.start(day.START_NS)
    record.run()
    record.gap(day.FIRST_PICTURE_NS, Cause.STARTING)
    record.record()
    record.arm()
    record.record(count=2)
    prune(record, range(2), acknowledge(record, range(1, 2)), gone=[0])
    record.close()
    return Case(
        name="unarmed-pruned-as-acknowledged",
        layer=Layer.MEDIA,
        codes=(Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY),
        wrong="In an archive's folder, an UNARMED segment was deleted on a receipt that names another one.",
        why="What the unit says it deleted is not at the unit.",
        files=_copy(record),
        paths=("data",),
        cameras=_expected(4_000, 3_000),
    )


def unarmed_missing() -> Case:
    record = _armed_midway()
    del record.media[record.path(0)]
    return Case(
        name="unarmed-missing",
        layer=Layer.MEDIA,
        codes=(Code.MEDIA_MISSING,),
        wrong="On a unit's own disk an UNARMED segment is not there, and no line says that it was deleted.",
        files=pack(record),
        cameras=_expected(6_000, 3_000),
    )


def unarmed_missing_beside_an_archive() -> Case:
    record = _armed_midway()
    files = _copy(record, without=(0, 1))
    del record.media[record.path(0)]
    disk = {f"disk/{name}": data for name, data in pack(record).items() if name != "root.pem"}
    return Case(
        name="unarmed-missing-beside-an-archive",
        layer=Layer.MEDIA,
        codes=(Code.MEDIA_MISSING,),
        wrong="A unit's disk lacks an UNARMED segment without a line that says so; an archive's folder is given, too.",
        files=files | disk,
        paths=("data", "disk"),
        cameras=_expected(6_000, 3_000),
    )


CASES = (
    archive_copy,
    archive_copy_of_a_station,
    archive_copy_unarmed,
    fetched,
    init_rebuilt,
    init_missing,
    archive_lacks_live,
    archive_lacks_test,
    archive_lacks_claimed,
    unarmed_missing,
    unarmed_missing_beside_an_archive,
)
