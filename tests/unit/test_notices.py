"""Notices of the authority: signed, dated, in three languages; corrections are appended, nothing is ever replaced."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive.notices import Notices, append_notice, read_notices
from base.durable import Disk
from base.errors import OperatorError
from evidence.certificate import Trust
from evidence.errors import EvidenceError
from evidence.notice import Notice, NoticeKind, notice_digest, read_notice, write_notice
from evidence.profile import read_profile
from tests.vectors.world import ELECTION, MIDNIGHT, authority, sign_profile, signer

AT_US = int(MIDNIGHT.timestamp()) * 1_000_000
AUTHORITY = authority()
TRUST = Trust.from_pem(AUTHORITY.root_pem)
KEY = signer(f"{ELECTION} authority ")
FIRST = Notice(
    election=ELECTION,
    number=1,
    at_us=AT_US,
    kind=NoticeKind.NOTICE,
    corrects=0,
    prev="",
    title_az="Başlıq",
    title_en="Title",
    title_ru="Заголовок",
    text_az="Mətn.",
    text_en="Text.",
    text_ru="Текст.",
    certs=read_profile(sign_profile(AUTHORITY), TRUST).certs,
)


def signed(notice: Notice) -> str:
    return write_notice(notice, KEY)


def following(before: str, number: int, **changes: object) -> Notice:
    return replace(FIRST, number=number, prev=notice_digest(before), **changes)  # type: ignore[arg-type]


def brought(folder: Path, text: str) -> None:
    source = folder / "new.jws"
    source.write_text(text)
    append_notice(source, folder / "notices", ELECTION, TRUST, Disk())


def held(folder: Path) -> Notices:
    return read_notices(folder / "notices", ELECTION, TRUST)


def test_a_correction_is_appended_and_what_it_corrects_stays(tmp_path: Path) -> None:
    first = signed(FIRST)
    second = signed(following(first, 2, kind=NoticeKind.CORRECTION, corrects=1))
    assert held(tmp_path) == Notices()
    for text in (first, first, second, first):
        brought(tmp_path, text)
    notices = held(tmp_path)
    assert [(each.notice.number, each.notice.corrects) for each in notices.published] == [(1, 0), (2, 1)]
    assert notices.broken == ""
    assert (tmp_path / "notices" / "1.jws").read_text() == first + "\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 1, "prev": ""},
        {"number": 3},
        {"prev": "0" * 64},
        {"election": "another"},
        {"text_ru": "other", "number": 1, "prev": ""},
    ],
)
def test_what_is_not_the_next_notice_is_refused_and_changes_nothing(tmp_path: Path, changes: dict[str, object]) -> None:
    first = signed(FIRST)
    brought(tmp_path, first)
    with pytest.raises(OperatorError):
        brought(tmp_path, signed(replace(following(first, 2, text_en="Other."), **changes)))  # type: ignore[arg-type]
    assert len(held(tmp_path).published) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": NoticeKind.CORRECTION},
        {"corrects": 1},
        {"prev": "0" * 64},
        {"number": 2},
        {"text_az": " "},
        {"title_ru": ""},
    ],
)
def test_a_notice_that_makes_no_sense_is_not_signed(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"correct|before|language"):
        signed(replace(FIRST, **changes))  # type: ignore[arg-type]


def test_another_key_another_root_and_altered_bytes_are_refused() -> None:
    text = signed(FIRST)
    assert read_notice(text, TRUST) == FIRST
    header, payload, signature = text.split(".")
    altered = payload[:40] + ("A" if payload[40] != "A" else "B") + payload[41:]
    impostor = Trust.from_pem(authority(seed="impostor").root_pem)
    for wrong, trust in (
        (write_notice(FIRST, signer("impostor")), TRUST),
        (text, impostor),
        (f"{header}.{altered}.{signature}", TRUST),
        (text[:-8], TRUST),
        ("", TRUST),
    ):
        with pytest.raises(EvidenceError):
            read_notice(wrong, trust)


def test_a_folder_that_was_tampered_with_shows_what_checks_and_says_what_does_not(tmp_path: Path) -> None:
    first = signed(FIRST)
    brought(tmp_path, first)
    brought(tmp_path, signed(following(first, 2)))
    (tmp_path / "notices" / "2.jws").write_text(signed(following(first, 2, text_en="Other."))[:-4] + "AAAA\n")
    notices = held(tmp_path)
    assert len(notices.published) == 1
    assert notices.broken.startswith("2.jws")
    with pytest.raises(OperatorError, match=r"2\.jws"):
        brought(tmp_path, signed(following(first, 2)))
    (tmp_path / "notices" / "1.jws").write_bytes(b"\xff" * 100_000)
    assert held(tmp_path).published == ()
