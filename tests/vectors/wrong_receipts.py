"""Deletions on a receipt that is none, is somebody else's, or says something else."""

from dataclasses import replace
from datetime import timedelta

from evidence import base64url, jws
from evidence.codes import Code
from evidence.keys import SoftwareSigner
from evidence.receipt import RECEIPT_TYP, Acknowledged
from tests.vectors import day, world
from tests.vectors.case import Case, Layer, pack, short_of
from tests.vectors.good_receipts import acknowledge, prune
from tests.vectors.record import Record, sha256

_NOTHING_VOUCHES = "What is gone is missing, since nothing vouches for it."


def _case(name: str, record: Record, wrong: str, *codes: Code, why: str = "") -> Case:
    return Case(
        name=name,
        layer=Layer.MEDIA,
        codes=codes,
        files=pack(day.finish(record)),
        wrong=wrong,
        why=why,
        cameras={"cam1": short_of(2_000, covered_ms=2_000)},
    )


def _refused(name: str, record: Record, receipt: str, wrong: str) -> Case:
    """The day's first segment, pruned on a receipt that is refused."""
    prune(record, range(1), receipt)
    return _case(name, record, wrong, Code.MEDIA_MISSING, Code.RECEIPT_REFUSED, why=_NOTHING_VOUCHES)


def _cert(record: Record, **validity: object) -> bytes:
    key = world.receipts_key(record.election).public_key()
    return world.der(record.authority.certify_receipts(key, **validity))  # type: ignore[arg-type]


def forged() -> Case:
    record = day.running()
    receipt = acknowledge(record, range(1), by=world.signer("stranger"))
    wrong = "A stranger signed the receipt, with the archive's certificate beside it."
    return _refused("receipt-forged", record, receipt, wrong)


def changed() -> Case:
    record = day.running()
    header, payload, signature = acknowledge(record, range(1), media=("0" * 64,)).split(".")
    digest = sha256(record.media[record.path(0)]).encode()
    other = base64url.decode(payload.encode()).replace(b"0" * 64, digest)
    wrong = "The digest in the receipt was changed after it was signed."
    return _refused("receipt-changed", record, ".".join((header, base64url.encode(other), signature)), wrong)


def of_another_station() -> Case:
    record = day.running()
    receipt = acknowledge(record, range(1), station=world.OTHER_STATION)
    return _refused("receipt-of-another-station", record, receipt, "The receipt is for another station.")


def of_another_unit() -> Case:
    record = day.running()
    receipt = acknowledge(record, range(1), unit=world.OTHER_UNIT)
    return _refused("receipt-of-another-unit", record, receipt, "The receipt is for another unit of the station.")


def of_another_trusted_election() -> Case:
    record = day.running()
    other = world.authority("other-2027")
    key = world.receipts_key(other.election)
    certs = (world.der(other.certify_receipts(key.public_key())),)
    signer = SoftwareSigner(key, deterministic=True)
    receipt = acknowledge(record, range(1), certs=certs, by=signer, election=other.election)
    case = _refused(
        "receipt-of-another-trusted-election",
        record,
        receipt,
        "The receipt is of another election than the record; both are trusted.",
    )
    files = {**case.files, "other-root.pem": other.root_pem}
    return replace(case, files=files, trust=("other-root.pem", "root.pem"))


def by_a_unit() -> Case:
    record = day.running()
    receipt = acknowledge(record, range(1), certs=tuple(record.certs), by=record.device)
    wrong = "The unit signed the receipt itself; its certificate is genuine, but no receipt key's."
    return _refused("receipt-by-a-unit", record, receipt, wrong)


def by_an_impostor() -> Case:
    record = day.running()
    impostor = world.authority(seed="impostor")
    key = world.receipts_key().public_key()
    receipt = acknowledge(record, range(1), certs=(world.der(impostor.certify_receipts(key)),))
    wrong = "The receipt key's certificate leads to a root of the same name that nobody trusts."
    return _refused("receipt-by-an-impostor", record, receipt, wrong)


def key_expired() -> Case:
    record = day.running()
    cert = _cert(record, valid_from=world.MIDNIGHT - timedelta(days=1), valid_to=world.MIDNIGHT)
    receipt = acknowledge(record, range(1), certs=(cert,))
    wrong = "The receipt key had expired when it acknowledged."
    return _refused("receipt-key-expired", record, receipt, wrong)


def key_revoked() -> Case:
    record = day.running()
    cert = record.authority.certify_receipts(world.receipts_key().public_key())
    receipt = acknowledge(record, range(1), certs=(world.der(cert),))
    case = _refused("receipt-key-revoked", record, receipt, "The receipt key had been revoked when it acknowledged.")
    crl = record.authority.revoke(cert, world.MIDNIGHT)
    return replace(case, files={**case.files, "crl.pem": crl}, crl=("crl.pem",))


def out_of_order() -> Case:
    record = day.running()
    good = acknowledge(record, range(1))
    members = jws.parse(jws.unseal(good.encode(), RECEIPT_TYP).payload)
    digest = sha256(record.media[record.path(0)])
    members["media"] = [digest, digest]
    key = SoftwareSigner(world.receipts_key(), deterministic=True)
    receipt = jws.seal(jws.compose(members), key, RECEIPT_TYP).decode()
    return _refused("receipt-names-twice", record, receipt, "The receipt names a digest twice.")


def does_not_name() -> Case:
    record = day.running()
    record.record()
    prune(record, range(2), acknowledge(record, range(1)))
    wrong = "Two segments were deleted; the receipt names one of them."
    why = "The line deleted what it must not, and that segment is missing."
    case = _case("receipt-does-not-name", record, wrong, Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY, why=why)
    return replace(case, cameras={"cam1": replace(short_of(2_000, covered_ms=2_000), held_ms=2_000)})


def logged_only() -> Case:
    record = day.running()
    receipt = acknowledge(record, (), kind=Acknowledged.LOGGED, seq=record.seq - 1, sha256=record.prev)
    prune(record, range(1), receipt)
    wrong = "The receipt says that the archive has the lines; it says nothing of media."
    why = "The line deleted what it must not, and that segment is missing."
    return _case("receipt-logged-only", record, wrong, Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY, why=why)


def live_without_receipt() -> Case:
    record = day.running()
    prune(record, range(1), None)
    wrong = "A LIVE segment was deleted as acknowledged, without a receipt."
    return _case("live-pruned-without-receipt", record, wrong, Code.PRUNED_UNLAWFULLY)


def _claimed_again(record: Record) -> None:
    """The next segment's line claims that it is the first one's bytes; there are no others."""
    twice = record.path(0)
    claim = {"sha256": sha256(record.media[twice]), "size": len(record.media[twice])}
    record.record(line=claim, store=False)


def digest_claimed_twice() -> Case:
    record = day.running()
    receipt = acknowledge(record, range(1))
    _claimed_again(record)
    prune(record, range(2), receipt, gone=range(1))
    wrong = "Two segment lines name one digest; both segments were deleted on a receipt that names it once."
    why = "At most one of the two was ever there, and nothing says which: neither is held."
    case = _case("digest-claimed-twice", record, wrong, Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY, why=why)
    return replace(case, cameras={"cam1": short_of(4_000, covered_ms=2_000)})


def digest_claimed_again() -> Case:
    record = day.running()
    receipt = acknowledge(record, range(1))
    prune(record, range(1), receipt, gone=())
    _claimed_again(record)
    prune(record, range(1, 2), receipt, gone=())
    wrong = "A segment line names the digest of another segment, which is still here, and a receipt for it."
    why = "The other one's file says which of the two it is; the line deleted what it must not."
    case = _case("digest-claimed-again", record, wrong, Code.MEDIA_MISSING, Code.PRUNED_UNLAWFULLY, why=why)
    return replace(case, cameras={"cam1": short_of(2_000, covered_ms=4_000)})


CASES = (
    forged,
    changed,
    of_another_station,
    of_another_unit,
    of_another_trusted_election,
    by_a_unit,
    by_an_impostor,
    key_expired,
    key_revoked,
    out_of_order,
    does_not_name,
    logged_only,
    live_without_receipt,
    digest_claimed_twice,
    digest_claimed_again,
)
