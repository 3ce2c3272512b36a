"""The vectors are what their script writes, hold one failure each, and cover every code."""

import pytest

from evidence.codes import Code
from tests.vectors.build import case_files, differences, main, make_cases, upload_files
from tests.vectors.case import Layer

CASES = make_cases()


def test_writing_the_vectors_anew_makes_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out == "no difference\n"


def test_the_same_seeds_make_the_same_bytes() -> None:
    assert case_files(make_cases()) == case_files(CASES)


def test_every_code_of_the_specification_has_a_vector() -> None:
    without = set(Code) - {code for case in CASES for code in case.codes}
    # Only --decode looks inside pictures, and what a decoder refuses is not the format's to say.
    assert without == {Code.MEDIA_UNDECODABLE}


def test_more_than_one_code_is_explained() -> None:
    for case in CASES:
        assert (len(case.codes) > 1) == bool(case.why), case.name


def test_every_attack_says_what_is_wrong_and_good_records_say_nothing() -> None:
    for case in CASES:
        assert bool(case.wrong) == (case.layer is not Layer.NONE), case.name


def test_the_vectors_stay_small() -> None:
    assert sum(map(len, case_files(CASES).values())) < 3_700_000


def test_what_differs_is_named() -> None:
    files = case_files(CASES) | upload_files()
    changed, gone, *_ = sorted(files)
    files[changed] += b"x"
    del files[gone]
    files[changed.parent / "new"] = b""
    prefix = "tests/vectors/cases"
    names = [str(path).partition(prefix)[2] for path in (changed, changed.parent / "new", gone)]
    assert differences(files) == [
        f"differs: {prefix}{names[0]}",
        f"missing: {prefix}{names[1]}",
        f"not made here: {prefix}{names[2]}",
    ]
