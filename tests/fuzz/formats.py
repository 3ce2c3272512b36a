"""Decoders of ``evidence`` and ``cmaf``: each takes any bytes, and raises nothing but what it documents."""

import functools
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cmaf.annexb import parameter_sets, sample, split
from cmaf.avc import parse_sps, read_decoder_configuration
from cmaf.errors import MediaError
from cmaf.read import annexb, complete_length, read_init, read_segment
from cmaf.read import read_identity as read_identity_box
from cmaf.track import init_segment, track_of
from evidence import jws
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.identity import read_identity, write_identity
from evidence.lines import Start, Unknown, read_payload, write_line
from evidence.profile import PROFILE_TYP, read_profile
from evidence.receipt import RECEIPT_TYP, Acknowledged, Receipt, read_receipt, write_receipt
from evidence.words import Mode
from provisioning.authority import Authority
from tests.fakes.station import NOON_US, authority, private_key, signer
from tests.fakes.tinyh264 import TinyEncoder


@functools.cache
def _authority() -> Authority:
    return authority()


@functools.cache
def _trust() -> Trust:
    return Trust.from_pem(_authority().root_pem)


@functools.cache
def _unit() -> x509.Certificate:
    return _authority().certify_unit(private_key("fuzz").public_key(), "57-002", "u1")


def line(data: bytes) -> None:
    """``jws.unseal``: what it accepts is what ``seal`` writes."""
    with suppress(EvidenceError):
        token = jws.unseal(data)
        assert data.startswith(token.signed + b".")
        assert len(token.kid) == 43
        payload(token.payload)


def payload(data: bytes) -> None:
    """``jws.parse``: an object whose members survive being written again."""
    with suppress(EvidenceError):
        members = jws.parse(data)
        with suppress(UnicodeEncodeError):
            assert jws.parse(jws.compose(members)) == members


def ledger_line(data: bytes) -> None:
    """``lines.read_payload``: what it accepts can be written, and reads the same."""
    with suppress(EvidenceError):
        read = read_payload(data)
        if not isinstance(read.body, Start | Unknown):
            assert read_payload(jws.unseal(write_line(read, signer("fuzz"))).payload) == read


def identity(data: bytes) -> None:
    """The identity box's payload."""
    with suppress(EvidenceError):
        read = read_identity(data)
        assert read_identity(write_identity(read)) == read


def certificates(data: bytes) -> None:
    """``Trust.check``: a chain of DER, each behind two bytes of length."""
    chain: list[bytes] = []
    while data and len(chain) < 4:
        length = int.from_bytes(data[:2])
        chain.append(data[2 : 2 + length])
        data = data[2 + length :]
    if chain:
        for trust in (_trust(), Trust()):
            with suppress(EvidenceError):
                trust.check(chain)


def roots(data: bytes) -> None:
    """``Trust.from_pem``: what an operator gives with --trust, and what a good chain is worth under it."""
    try:
        trust = Trust.from_pem(data)
    except ValueError:
        return
    with suppress(EvidenceError):
        trust.check([_unit().public_bytes(Encoding.DER)])


def profile(data: bytes) -> None:
    """A profile as it stands, and one whose payload is ``data``, signed by whom it may be."""
    with suppress(EvidenceError):
        read_profile(data.decode("latin-1"), _trust())
    with suppress(EvidenceError):
        read_profile(jws.seal(data, signer("authority-signer"), PROFILE_TYP).decode(), _trust())


def receipt(data: bytes) -> None:
    """A receipt as it stands, and one whose payload is ``data``, signed by whom it may be."""
    with suppress(EvidenceError):
        read_receipt(data.decode("latin-1"), _trust())
    with suppress(EvidenceError):
        read = read_receipt(jws.seal(data, signer("fuzz-receipts"), RECEIPT_TYP).decode(), _trust())
        assert read_receipt(write_receipt(read, signer("fuzz-receipts")), _trust()) == read


def media(data: bytes) -> None:
    """Every reader of a media file; none accepts what another refuses."""
    kept = complete_length(data)
    assert 0 <= kept <= len(data)
    if kept:
        read_segment(data[:kept])
    for read in (read_segment, read_identity_box, lambda given: annexb(given, _avcc())):
        with suppress(MediaError):
            read(data)
    with suppress(MediaError):
        assert init_segment(read_init(data)) == data


def stream(data: bytes) -> None:
    """What an encoder gives: Annex B, parameter sets, the decoder configuration."""
    with suppress(MediaError):
        nals = split(data)
        sample(nals)
        sets = parameter_sets(nals)
        if sets is not None:
            init_segment(track_of(sets.sps, sets.pps))
    with suppress(MediaError):
        parse_sps(data)
    with suppress(MediaError):
        read_decoder_configuration(data)


@functools.cache
def _avcc() -> bytes:
    encoder = TinyEncoder(16, 16)
    return track_of(encoder.sps, (encoder.pps,)).avcc


def certificate_chains() -> list[bytes]:
    """A good chain, a root alone, a chain with its root, a certificate of a version that there is not."""
    unit, root = (cert.public_bytes(Encoding.DER) for cert in (_unit(), _authority().root))
    later = unit.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020122"), 1)
    return [b"".join(len(der).to_bytes(2) + der for der in chain) for chain in ([unit], [root], [unit, root], [later])]


def trusted() -> list[bytes]:
    """A root and a revocation list in PEM."""
    revoked = _authority().revoke(_unit(), datetime(2026, 5, 1, tzinfo=UTC))
    return [_authority().root_pem, revoked, _authority().root_pem + revoked]


def profiles() -> list[bytes]:
    """A signed profile, and what it says."""
    signed = _authority().sign_profile(
        title="Sample election",
        mode=Mode.TEST,
        from_us=1,
        to_us=2,
        margin_s=0,
        time_zone="Asia/Baku",
        witnesses=0,
    )
    return [signed.encode(), jws.unseal(signed.encode(), PROFILE_TYP).payload]


def receipts() -> list[bytes]:
    """A receipt of each kind, and what it says."""
    cert = _authority().certify_receipts(private_key("fuzz-receipts").public_key())
    stored = Receipt(
        kind=Acknowledged.STORED,
        election="az-2026",
        station="57-002",
        unit="u1",
        archive="centre",
        utc_us=NOON_US,
        certs=(cert.public_bytes(Encoding.DER),),
        media=("0" * 64, "f" * 64),
    )
    logged = replace(stored, kind=Acknowledged.LOGGED, media=(), seq=7, sha256="A" * 43)
    texts = [write_receipt(each, signer("fuzz-receipts")).encode() for each in (stored, logged)]
    return [*texts, *(jws.unseal(text, RECEIPT_TYP).payload for text in texts)]


def pictures() -> list[bytes]:
    """Access units, parameter sets and a decoder configuration."""
    encoder = TinyEncoder(16, 16)
    return [encoder.idr(7), encoder.p(), encoder.sps, _avcc()]
