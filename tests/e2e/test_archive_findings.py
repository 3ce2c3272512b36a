"""What does not count: refused with a reason, kept as evidence, counted and shown. Real TLS, real certificates."""

import gc
import hashlib
import json
import random
import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from archive.check import check, rebuild
from archive.finding import FindingRow
from archive.index.findings import read_findings
from archive.parts import open_parts
from audit.verify import verify
from base.durable import Disk
from evidence.lines import line_hash
from evidence.words import Cause
from provisioning.authority import Authority
from tests.fakes.archive import LIMITS, RunningArchive, timeless_authority
from tests.fakes.archive_unit import again, armed_station, codes, deliver, head_of, media_of, refusal, verified
from tests.fakes.faultydisk import Failure, FaultyDisk
from tests.fakes.station import NOON_US, SECOND, Station, private_key
from unbroken.cli import main

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def findings(archive: RunningArchive) -> list[FindingRow]:
    """What anybody beside the running archive reads."""
    return read_findings(archive.config.database, archive.config.election)


def found(archive: RunningArchive) -> list[tuple[str, str, int | None, int]]:
    return [(str(row.name or ""), row.code.value, row.seq, row.count) for row in findings(archive)]


def aside(archive: RunningArchive, row: FindingRow) -> list[bytes]:
    """The lines that are evidence of a finding."""
    assert row.name is not None
    folder = archive.config.data / "aside" / row.name.station / row.name.unit
    lines = (folder / f"{row.evidence}.lines").read_bytes()
    assert hashlib.sha256(lines).hexdigest() == row.evidence
    return lines.split(b"\n")[:-1]


def revoke(archive: RunningArchive, certificate: x509.Certificate, at: datetime = BEFORE) -> None:
    """A new revocation list comes into the file that the archive was given; it is not told."""
    assert archive.config.revoked is not None
    draft = archive.config.revoked.with_suffix(".new")
    draft.write_bytes(archive.by.revoke(certificate, at))
    draft.rename(archive.config.revoked)


def with_empty_list(archive: RunningArchive) -> None:
    """It runs with a list that names nobody of ours."""
    nobody = archive.by.certify_receipts(private_key("nobody").public_key())
    path = archive.folder / "revoked.pem"
    path.write_bytes(archive.by.revoke(nobody, datetime(2025, 1, 1, tzinfo=UTC)))
    archive.config = replace(archive.config, revoked=path)
    again(archive)


def lose_tail(station: Station, count: int, *, off_seconds: int = 60) -> list[bytes]:
    """The power takes the newest segments from the card; the unit goes on without them. What had been delivered."""
    delivered, stood = list(station.lines), station.cameras["cam-0"]
    del station.lines[-count:]
    end_ns = stood.end_ns - count * 2 * SECOND
    station.cameras["cam-0"] = replace(stood, end_ns=end_ns, index=stood.index - count)
    before = station.reboot(off_seconds=off_seconds)
    station.start("power")
    station.gap(to_ns=station.boot_ns + SECOND, cause=Cause.POWER, from_boot=before)
    station.run()
    return delivered


def forged(text: bytes) -> bytes:
    header, payload, signature = text.split(b".")
    return b".".join([header, payload, signature[:-4] + (b"AAAA" if signature[-4:] != b"AAAA" else b"BBBA")])


def test_a_forged_line_and_what_follows_it_lie_aside_and_are_counted(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    sent = [*station.lines[:5], forged(station.lines[5]), *station.lines[6:]]
    for _ in range(3):
        answer = uplink.lines(sent)
        assert (answer.status, refusal(answer), refusal(answer, "seq")) == (422, "signature-wrong", 5)
    (row,) = findings(archive)
    assert (str(row.name), row.code, row.seq, row.count) == ("57-002/u1", "signature-wrong", 5, 3)
    assert (row.first_us, row.last_us) == (NOON_US, NOON_US)
    assert aside(archive, row) == sent[5:], "as they came"
    (note,) = (archive.config.data / "aside" / "57-002" / "u1").glob("*.json")
    assert note.name == f"{row.evidence}.signature-wrong.json"
    told = json.loads(note.read_text())
    assert (told["seq"], told["utc_us"], len(told["by"])) == (5, NOON_US, 64)
    assert uplink.lines(station.lines).status == 200, "it blocks nothing"
    assert len(found(archive)) == 1


def test_lines_of_another_unit_station_or_election_are_kept_with_whoever_brought_them(archive: RunningArchive) -> None:
    elsewhere = Authority(
        "other-election",
        root_key=private_key("other-root"),
        authority_key=private_key("other-signer"),
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
        valid_to=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        deterministic=True,
    )
    cases = [
        (armed_station(archive), "wrong-unit"),
        (armed_station(archive, station="57-003", unit="u9", seed="far"), "wrong-station"),
        (Station(elsewhere, unit="u9", seed="else"), "wrong-election"),
    ]
    liar = archive.uplink(unit="u9", key="liar")
    for station, code in cases:
        if not station.lines:
            station.begin()
        answer = liar.lines(station.lines)
        assert (answer.status, answer.json["code"]) == (403, code)
        (row,) = [row for row in findings(archive) if row.code == code]
        assert (str(row.name), row.count) == ("57-002/u9", 1)
        assert aside(archive, row) == station.lines
    assert not list((archive.config.data / "ledgers").iterdir())
    assert archive.uplink().lines(cases[0][0].lines).status == 200, "the unit itself is none the worse"


def test_certificates_that_are_no_uplinks_are_refused_with_a_reason_and_counted(archive: RunningArchive) -> None:
    key = private_key("somebody").public_key()
    by = archive.by
    for certificate, code, name in (
        (by.certify_unit(key, "57-002", "u1"), "wrong-role", "57-002/u1"),
        (by.certify_receipts(key), "wrong-role", ""),
    ):
        answer = archive.connect("somebody", certificate).lines()
        assert (answer.status, answer.json["code"]) == (403, code)
        assert "uplink" in str(answer.json["message"])
        assert (name, code, None, 1) in found(archive)


def test_a_certificate_of_another_election_under_one_root_is_refused_and_says_nothing_of_our_unit(
    archive: RunningArchive,
) -> None:
    # The root's own key signs for two elections: its certificates lead to the root that TLS trusts.
    twin = Authority(
        "other-election",
        root_key=private_key("authority-root"),
        authority_key=private_key("authority-signer"),
        valid_from=datetime(1970, 1, 1, tzinfo=UTC),
        valid_to=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        deterministic=True,
    )
    twin.root = archive.by.root
    answer = archive.connect("twin", twin.certify_uplink(private_key("twin").public_key(), "57-002", "u1")).lines()
    assert (answer.status, answer.json["code"]) == (403, "cert-wrong-election")
    assert found(archive) == [("", "cert-wrong-election", None, 1)]


def test_who_has_no_certificate_of_the_election_is_counted_by_address(archive: RunningArchive) -> None:
    key = private_key("somebody").public_key()
    stranger = timeless_authority("another").certify_uplink(key, "57-002", "u1")
    for certificate in (stranger, None, stranger):
        with pytest.raises((ssl.SSLError, OSError, HTTPException)):
            archive.connect("somebody", certificate).lines()
    assert archive.uplink().lines().status == 200, "who has one gets in"
    archive.stop()
    (row,) = findings(archive)
    assert (row.name, row.code, row.count) == (None, "unknown-peer", 3)
    assert row.detail.startswith("127.0.0.1: ")


def test_media_that_are_not_what_the_line_says_are_counted(archive: RunningArchive) -> None:
    station, foreign = armed_station(archive), armed_station(archive, unit="u2", seed="foreign")
    stolen = next(iter(media_of(foreign).values()))
    station.segment(sha256=hashlib.sha256(stolen).hexdigest(), size=len(stolen))
    uplink = archive.uplink()
    uplink.lines(station.lines)
    for _ in range(2):
        answer = uplink.media(stolen)
        assert (answer.status, answer.json["code"]) == (422, "identity-mismatch")
        assert found(archive) == [("57-002/u1", "identity-mismatch", None, 1)], "at once; then it is counted"
    again(archive)
    assert found(archive) == [("57-002/u1", "identity-mismatch", None, 2)]
    assert hashlib.sha256(stolen).hexdigest() in findings(archive)[0].detail


def test_a_revocation_of_the_uplink_counts_in_the_middle_of_a_connection(archive: RunningArchive) -> None:
    with_empty_list(archive)
    station = armed_station(archive)
    stolen = archive.by.certify_uplink(private_key("stolen").public_key(), "57-002", "u1")
    uplink = archive.connect("stolen", stolen)
    assert uplink.lines(station.lines[:3]).status == 200
    revoke(archive, stolen)
    for answer in (
        uplink.lines(station.lines[3:]),
        uplink.media(next(iter(media_of(station).values()))),
        uplink.receipts(["a" * 64]),
    ):
        assert (answer.status, answer.json["code"]) == (403, "cert-revoked")
    assert found(archive) == [("57-002/u1", "cert-revoked", None, 1)]
    assert archive.ledger() == b"".join(text + b"\n" for text in station.lines[:3])
    assert archive.uplink().lines(station.lines[3:]).status == 200, "the unit goes on with a new certificate"
    again(archive)
    assert found(archive) == [("57-002/u1", "cert-revoked", None, 3)]


def test_lines_of_a_revoked_unit_that_come_after_are_kept_and_do_not_count(archive: RunningArchive) -> None:
    with_empty_list(archive)
    station = armed_station(archive)
    uplink = archive.uplink()
    assert uplink.lines(station.lines[:-2]).status == 200
    revoke(archive, station.certificate)
    station.segments(2)
    for _ in range(2):
        answer = uplink.lines(station.lines[-4:])
        assert (answer.status, refusal(answer)) == (422, "cert-revoked")
        assert answer.json["head"] == {"seq": len(station.lines) - 5, "sha256": line_hash(station.lines[-5])}
    # A new session of the same device key does not help.
    station.start("stopped")
    answer = uplink.lines(station.lines[-5:])
    assert (answer.status, refusal(answer)) == (422, "cert-revoked")
    (row,) = findings(archive)
    assert (str(row.name), row.code, row.seq, row.count) == ("57-002/u1", "cert-revoked", len(station.lines) - 5, 3)
    assert aside(archive, row) == station.lines[-5:-1]
    named = list(media_of(station).values())
    assert [uplink.media(data).status for data in named] == [201, 404, 404, 404, 404]
    assert uplink.lines(station.lines[:-5]).status == 200, "what came before stays"


def test_a_damaged_foreign_or_older_list_never_replaces_a_good_one(
    archive: RunningArchive, caplog: pytest.LogCaptureFixture
) -> None:
    with_empty_list(archive)
    path = archive.config.revoked
    assert path is not None
    older = path.read_bytes()
    stolen = archive.by.certify_uplink(private_key("stolen").public_key(), "57-002", "u1")
    uplink = archive.connect("stolen", stolen)
    assert uplink.lines().status == 200
    revoke(archive, stolen)
    assert uplink.lines().status == 403
    good = path.read_bytes()
    other = archive.by.certify_receipts(private_key("nobody").public_key())
    worse = {
        "cannot be read": good[: len(good) // 2] + b"\n" + good.splitlines()[-1] + b"\n",
        "neither a certificate nor": b"",
        "older than the one in force": older,
        "not signed by its root": _by_another_key(archive).revoke(other, datetime(2026, 6, 1, tzinfo=UTC)),
    }
    for why, text in worse.items():
        caplog.clear()
        path.write_bytes(text)
        assert uplink.lines().status == 403, why
        told = [record for record in caplog.records if record.message.startswith("revocation lists cannot be used")]
        assert len(told) == 1, why
        assert why in str(vars(told[0])["fields"]), why
    path.unlink()
    assert uplink.lines().status == 403
    path.write_bytes(older)
    again(archive)
    assert archive.connect("stolen", stolen).lines().status == 403, "a restart forgets nothing"
    forgetful = timeless_authority()
    numbered = [forgetful.revoke(other, datetime(2026, 6, 1, tzinfo=UTC)) for _ in range(3)]
    for number, status in enumerate([403, 200, 200]):
        path.write_bytes(numbered[number])
        assert archive.connect("stolen", stolen).lines().status == status, "the authority's newest word counts"


def test_a_revoked_receipt_key_signs_nothing_from_then_on(archive: RunningArchive) -> None:
    with_empty_list(archive)
    station = armed_station(archive)
    uplink = archive.uplink()
    deliver(uplink, station)
    certificate = archive.config.receipt_certificate
    revoke(archive, x509.load_pem_x509_certificate(certificate.read_bytes()))
    station.segment()
    answer = uplink.lines(station.lines)
    assert (answer.status, answer.json["head"], answer.json["receipt"]) == (200, head_of(station), None)
    assert uplink.media(list(media_of(station).values())[-1]).status == 201
    assert uplink.receipts([list(media_of(station))[-1]]).status == 503


def test_a_tail_that_a_power_cut_took_counts_on_both_branches_and_once(archive: RunningArchive, tmp_path: Path) -> None:
    station = armed_station(archive, segments=4)
    uplink = archive.uplink()
    assert uplink.lines(station.lines).status == 200
    fork = len(station.lines) - 2
    delivered = lose_tail(station, 2)
    station.segment()
    assert uplink.lines(station.lines[fork:]).status == 409
    branch = uplink.lines(station.lines[fork:], f"?branch={fork}")
    assert (branch.status, branch.json["head"]) == (200, head_of(station))
    for data in media_of(station).values():
        assert uplink.media(data).status in (200, 201)
    assert found(archive) == [("57-002/u1", "tail-lost", fork, 1)]
    station.segment()
    assert uplink.lines(station.lines[-1:]).status == 200
    assert found(archive) == [("57-002/u1", "tail-lost", fork, 1)], "the branch that goes on changes nothing"
    assert archive.ledger(0) == b"".join(text + b"\n" for text in delivered)
    record = verified(archive, tmp_path / "copy")
    assert "tail-lost" in codes(record)
    assert record["cameras"][0]["segments"] == 5, "each once"


def test_an_older_image_of_the_card_is_a_finding_and_becomes_another_when_both_go_on(
    archive: RunningArchive, tmp_path: Path
) -> None:
    station = armed_station(archive, segments=40)
    uplink = archive.uplink()
    fork = len(station.lines) - 35
    twin_lines = list(station.lines)
    assert uplink.lines(station.lines).status == 200
    lose_tail(station, 35)
    assert uplink.lines(station.lines[fork:], f"?branch={fork}").status == 200
    assert found(archive) == [("57-002/u1", "rolled-back", fork, 1)]
    assert "rolled-back" in codes(verified(archive, tmp_path / "first"))
    # The first card is put into another unit, and goes on as well.
    again(archive)
    twin = Station(archive.by)
    twin.lines, twin.sessions = twin_lines, 9
    twin.reboot()
    twin.start("power")
    assert archive.uplink().lines(twin.lines[-1:]).status == 200
    (row,) = findings(archive)
    assert (row.code, row.seq, row.count) == ("equivocation", fork, 1)
    assert "equivocation" in codes(verified(archive, tmp_path / "second"))


def test_two_units_with_one_identity_are_equivocation_and_both_histories_stay(archive: RunningArchive) -> None:
    first = armed_station(archive, segments=2)
    second = Station(archive.by)
    second.certs = first.certs
    second.seed = "copied"
    second.begin()
    second.arm()
    second.segments(2)
    one, two = archive.uplink(), archive.uplink(key="copied")
    assert one.lines(first.lines).status == 200
    assert two.lines(second.lines).status == 409
    assert two.lines(second.lines, "?branch=0").status == 200
    for _ in range(3):
        first.segment()
        second.segment()
        assert one.lines(first.lines[-1:]).json["head"] == head_of(first)
        assert two.lines(second.lines[-1:]).json["head"] == head_of(second)
    assert found(archive) == [("57-002/u1", "equivocation", 0, 1)]
    assert (archive.ledger(0), archive.ledger(1)) == (first.ledger, second.ledger)
    for station, uplink in ((first, one), (second, two)):
        assert [uplink.media(data).status for data in media_of(station).values()] == [201] * 5


def test_workers_tell_the_one_committer_what_they_find(tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "crew", timeless_authority(), limits=replace(LIMITS, workers=2))
    archive.start()
    assert archive.error is None, archive.error
    try:
        station = armed_station(archive)
        with_empty_list(archive)
        stolen = archive.by.certify_uplink(private_key("stolen").public_key(), "57-002", "u1")
        uplinks = [archive.connect("stolen", stolen) for _ in range(4)]
        assert uplinks[0].lines([*station.lines[:5], forged(station.lines[5])]).status == 422
        assert all(uplink.lines().status == 200 for uplink in uplinks)
        revoke(archive, stolen)
        assert [uplink.lines().status for uplink in uplinks] == [403] * 4, "whichever worker has the connection"
        for _ in range(2):
            with pytest.raises((ssl.SSLError, OSError, HTTPException)):
                archive.connect("somebody", None).lines()
    finally:
        archive.stop()
    assert archive.error is None, archive.error
    assert found(archive) == [
        ("", "unknown-peer", None, 2),
        ("57-002/u1", "cert-revoked", None, 4),
        ("57-002/u1", "signature-wrong", 5, 1),
    ]


def test_a_replaced_unit_continues_the_stations_record(archive: RunningArchive) -> None:
    dead = armed_station(archive, segments=5)
    deliver(archive.uplink(), dead)
    ended_us = NOON_US + dead.cameras["cam-0"].end_ns // 1_000
    new = armed_station(archive, unit="u2", seed="new", utc_us=ended_us + 10**9)
    deliver(archive.uplink(unit="u2", key="new"), new)
    assert found(archive) == []
    answer: dict[str, Any] = verify([archive.config.data / "ledgers" / "57-002"], trust=archive.trust)
    assert {(record["unit"], record["head"]["seq"]) for record in answer["records"]} == {
        ("u1", len(dead.lines) - 1),
        ("u2", len(new.lines) - 1),
    }
    (camera,) = answer["stations"][0]["cameras"]
    (hole,) = camera["between"]
    assert abs(camera["covered_ms"] - 16_000) <= 2
    assert (hole["after"], hole["before"]) == ("u1", "u2")
    assert hole["duration_ms"][0] <= 1_021_000 <= hole["duration_ms"][1]


def test_a_history_that_is_one_too_many_is_kept_aside(archive: RunningArchive) -> None:
    uplinks = [archive.uplink(key=f"copy-{number}") for number in range(5)]
    last: Sequence[bytes] = ()
    for number, uplink in enumerate(uplinks):
        station = Station(archive.by)
        station.seed = f"copy-{number}"
        station.begin()
        last = station.lines
        answer = uplink.lines(station.lines, "?branch=0" if number else "")
        assert answer.status == (200 if number < 4 else 429)
    rows = {row.code.value: row for row in findings(archive)}
    assert set(rows) == {"equivocation", "too-many-branches"}
    assert sum(row.code == "equivocation" for row in findings(archive)) == 6, "each two of four"
    assert aside(archive, rows["too-many-branches"]) == last


def test_media_that_the_archive_loses_are_its_own_finding(archive: RunningArchive) -> None:
    station = armed_station(archive)
    uplink = archive.uplink()
    deliver(uplink, station)
    (sha256, _), *_ = media_of(station).items()
    archive.object(sha256).unlink()
    assert uplink.receipts([sha256]).json["lacks"] == [sha256]
    (row,) = findings(archive)
    assert (str(row.name), row.code, row.detail, row.last_us) == ("57-002/u1", "lost-by-archive", sha256, NOON_US)


def test_a_new_index_finds_again_what_files_tell_of(archive: RunningArchive) -> None:
    station = armed_station(archive, segments=4)
    uplink = archive.uplink()
    uplink.lines([*station.lines[:5], forged(station.lines[5])])
    uplink.lines([*station.lines[:5], forged(station.lines[5])])
    uplink.lines(station.lines)
    fork = len(station.lines) - 2
    lose_tail(station, 2)
    uplink.lines(station.lines[fork:], f"?branch={fork}")
    before = found(archive)
    assert before == [("57-002/u1", "signature-wrong", 5, 2), ("57-002/u1", "tail-lost", fork, 1)]
    archive.stop()
    for left in archive.folder.glob("index.sqlite*"):
        left.unlink()
    with open_parts(archive.config, Disk()) as parts:
        rebuild(parts)
        checked = check(parts)
    assert checked.troubles == []
    assert [(row.code.value, row.seq, row.count) for row in checked.findings] == [
        ("signature-wrong", 5, 1),
        ("tail-lost", fork, 1),
    ], "how often is not known any more"
    archive.start()
    assert len(found(archive)) == 2, "and a start finds nothing twice"


def test_findings_are_read_while_the_archive_runs(archive: RunningArchive, capsys: pytest.CaptureFixture[str]) -> None:
    config = _config_file(archive)
    assert main(["archive", "findings", "--config", str(config)]) == 0
    assert capsys.readouterr().out == "No findings.\n"
    station = armed_station(archive)
    archive.uplink().lines([*station.lines[:5], forged(station.lines[5])])
    assert main(["archive", "findings", "--config", str(config)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[1].startswith(
        "  57-002/u1: signature-wrong, line 5, once, last 2026-05-01T12:00:00Z: A line's signature does not check."
    )
    assert main(["archive", "findings", "--config", str(config), "--json", "--station", "57-002"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [each["code"] for each in document["findings"]] == ["signature-wrong"]
    assert main(["archive", "findings", "--config", str(config), "--station", "57-003"]) == 0


# An archive that dies in the middle of a request closes no connection; of a process, the kernel does.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("failure", Failure)
def test_what_was_answered_has_its_evidence_after_a_fault_at_every_step_of_keeping_it(
    ram: Path, failure: Failure, power_cut: bool
) -> None:
    whole = _with_disk(ram / "whole")
    assert _refused(whole)
    whole.stop()
    assert isinstance(whole.disk, FaultyDisk)
    steps = [at for at, (_, path) in enumerate(whole.disk.steps) if "aside" in path.parts]
    assert len(steps) > 8
    for step in steps:
        archive = _with_disk(ram / f"{step}", fail_at=step, failure=failure)
        answered = _refused(archive)
        archive.stop()
        disk = archive.disk
        assert isinstance(disk, FaultyDisk)
        assert disk.failed, step
        if power_cut:
            disk.lose_unsynced(random.Random(step))
        archive.disk = disk.restarted()
        archive.start()
        assert archive.error is None, step
        assert not answered
        for row in findings(archive):
            assert aside(archive, row), step
        assert _refused(archive), step
        (row,) = findings(archive)
        assert aside(archive, row) == [b"rubbish"], step
        archive.stop()
        with open_parts(archive.config, Disk()) as parts:
            assert check(parts).troubles == [], step
    gc.collect()  # what the dead have left open is gone before the next test


def _with_disk(folder: Path, fail_at: int = -1, failure: Failure = Failure.NOT_DONE) -> RunningArchive:
    (folder / "data").mkdir(parents=True)
    disk = FaultyDisk(folder / "data", fail_at=fail_at, failure=failure)
    archive = RunningArchive(folder, timeless_authority(), disk=disk)
    archive.start()
    return archive


def _refused(archive: RunningArchive) -> bool:
    """Whether a line that is none was answered; else the archive has ended."""
    if archive.error is not None:
        return False
    try:
        answer = archive.uplink().lines([b"rubbish"])
    except (OSError, HTTPException):
        return False
    return answer.status == 422


def _by_another_key(archive: RunningArchive) -> Authority:
    """An authority with the root's name and another key."""
    forger = timeless_authority("forger")
    assert forger.root.subject == archive.by.root.subject
    return forger


def _config_file(archive: RunningArchive) -> Path:
    config = archive.config
    path = archive.folder / "archive.toml"
    path.write_text(
        f'[archive]\nelection = "{config.election}"\nname = "centre"\n'
        "[keys]\n"
        f'trust = "{config.trust}"\nkey = "{config.key}"\ncertificate = "{config.certificate}"\n'
        f'receipt_key = "{config.receipt_key}"\nreceipt_certificate = "{config.receipt_certificate}"\n'
        f'[disk]\ndata = "{config.data}"\ndatabase = "{config.database}"\n'
    )
    return path
