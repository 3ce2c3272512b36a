"""Two people's PINs: who may act, and how slowly guessing goes."""

import threading
from collections import Counter
from pathlib import Path

import pytest

from appliance.control.pins import FREE_TRIES, LONGEST_WAIT_S, PinBook, Role
from base.errors import OperatorError
from base.pins import hash_pin, pin_matches

SECOND = 10**9
KEPT = {Role.INSTALLER: hash_pin("1111", bytes(16)), Role.CHAIR: hash_pin("2222", bytes(16))}


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def _guess(book: PinBook, now: Now, pin: str = "9999", role: Role = Role.CHAIR) -> bool:
    """Whether the try was compared at all."""
    refusal = book.check(role, pin, now)
    assert refusal is not None
    return refusal.guessed


def test_a_right_pin_is_taken_and_the_other_persons_is_not() -> None:
    book, now = PinBook(KEPT), Now()
    assert book.check(Role.CHAIR, "2222", now) is None
    refusal = book.check(Role.CHAIR, "1111", now)
    assert refusal is not None
    assert refusal.reason == "The PIN of the chair is wrong."


def test_after_three_wrong_tries_each_further_one_doubles_the_wait_up_to_five_minutes() -> None:
    book, now = PinBook(KEPT), Now()
    waits = []
    for _ in range(FREE_TRIES + 9):
        assert _guess(book, now)
        begin = now.ns
        while (refusal := book.check(Role.CHAIR, "2222", now)) is not None and not refusal.guessed:
            now.ns += SECOND
            if now.ns - begin > 400 * SECOND:
                break
            if now.ns - begin == LONGEST_WAIT_S * SECOND:
                break
            assert "wait" in refusal.reason
        waits.append((now.ns - begin) // SECOND)
        if refusal is None:
            book, now = _replayed(len(waits))
    assert waits == [0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def _replayed(wrong: int) -> tuple[PinBook, Now]:
    """A book in which ``wrong`` guesses were compared, their last wait over."""
    book, now = PinBook(KEPT), Now()
    for _ in range(wrong):
        assert _guess(book, now)
        now.ns += LONGEST_WAIT_S * SECOND
    return book, now


def test_the_right_pin_is_refused_during_the_wait_and_forgets_the_wrong_ones_after_it() -> None:
    book, now = PinBook(KEPT), Now()
    for _ in range(FREE_TRIES):
        _guess(book, now)
    assert not _guess(book, now, "2222")
    now.ns += 2 * SECOND
    assert book.check(Role.CHAIR, "2222", now) is None
    for _ in range(FREE_TRIES):
        assert _guess(book, now)


def test_one_persons_wait_is_not_the_others() -> None:
    book, now = PinBook(KEPT), Now()
    for _ in range(FREE_TRIES):
        _guess(book, now)
    assert book.check(Role.INSTALLER, "1111", now) is None


def test_many_tries_at_once_are_no_way_around_the_wait() -> None:
    book, now = PinBook(KEPT), Now()
    counted: Counter[bool] = Counter()
    threads = [threading.Thread(target=lambda: counted.update([_guess(book, now)])) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == {True: FREE_TRIES, False: 16 - FREE_TRIES}


def test_without_kept_pins_nobody_can_act() -> None:
    refusal = PinBook.load(None).check(Role.CHAIR, "2222", Now())
    assert refusal is not None
    assert not refusal.guessed


@pytest.mark.parametrize(
    "text", ["", "installer = 'x'\nchair = 'y'", f"installer = '{KEPT[Role.CHAIR]}'", "installer = ", "[chair]\n"]
)
def test_a_pin_file_that_cannot_be_read_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pins.toml"
    path.write_text(text)
    with pytest.raises(OperatorError, match="cannot be read"):
        PinBook.load(path)


def test_a_pin_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pins.toml"
    path.write_text("".join(f'{role} = "{kept}"\n' for role, kept in KEPT.items()))
    assert PinBook.load(path).check(Role.INSTALLER, "1111", Now()) is None


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "１２３４", "1234\n", "-123"])
def test_a_pin_has_four_to_twelve_digits(pin: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        hash_pin(pin)
    assert not pin_matches(pin, KEPT[Role.CHAIR])


def test_two_hashes_of_one_pin_differ() -> None:
    one, other = hash_pin("123456"), hash_pin("123456")
    assert one != other
    assert pin_matches("123456", one)
    assert pin_matches("123456", other)
    assert not pin_matches("123457", one)
