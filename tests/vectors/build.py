"""Writes the test vectors anew, and the examples of the specification that come from them.

    python -m tests.vectors.build            write everything
    python -m tests.vectors.build --check    say "no difference", or list what differs and exit with 1

Everything follows from fixed seeds. What is no longer made is removed from ``cases/`` and ``upload/``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.vectors import (
    archived,
    clips,
    good_days,
    good_forms,
    good_receipts,
    good_times,
    wrong_boots,
    wrong_certificates,
    wrong_chain,
    wrong_forks,
    wrong_lines,
    wrong_media,
    wrong_modes,
    wrong_receipts,
    wrong_times,
)
from tests.vectors.answers import answers_file
from tests.vectors.case import Case
from tests.vectors.conversations import make_conversations
from tests.vectors.delivered import delivery
from tests.vectors.pages import between, clip_example, ledger_example, list_conversations, segment_example, table

HERE = Path(__file__).parent
SPEC = HERE.parent.parent / "spec"
FOLDERS = ("cases", "upload")


def make_cases() -> list[Case]:
    """Every case: the good ones first, then by what must notice the attack."""
    modules = (
        good_days,
        good_times,
        good_forms,
        good_receipts,
        archived,
        wrong_lines,
        wrong_chain,
        wrong_certificates,
        wrong_times,
        wrong_boots,
        wrong_modes,
        wrong_media,
        wrong_receipts,
        wrong_forks,
        clips,
    )
    cases = [make() for module in modules for make in module.CASES]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    return cases


def case_files(cases: Sequence[Case]) -> dict[Path, bytes]:
    """All files below ``cases/``."""
    return {
        HERE / "cases" / case.name / name: data
        for case in cases
        for name, data in {**case.files, "case.json": case.description}.items()
    }


def upload_files() -> dict[Path, bytes]:
    """All files below ``upload/``."""
    conversations = {f"{each.name}.json": each.description for each in make_conversations()}
    folder = HERE / "upload"
    return {
        **{folder / "conversations" / name: data for name, data in conversations.items()},
        **{folder / name: data for name, data in delivery().files.items()},
        folder / "answers.json": answers_file(),
    }


def pages(cases: Sequence[Case]) -> dict[Path, bytes]:
    """The pages that hold a generated part, as they must be."""
    example = next(case for case in cases if case.name == "one-camera")
    parts = (
        (HERE / "README.md", "cases", table(cases)),
        (HERE / "README.md", "upload", list_conversations(make_conversations())),
        (SPEC / "ledger.md", "example", ledger_example(example)),
        (SPEC / "segment.md", "example", segment_example(example)),
        (SPEC / "clip.md", "example", clip_example(next(case for case in cases if case.name == "clip"))),
    )
    found: dict[Path, str] = {}
    for path, marker, text in parts:
        found[path] = between(found.get(path) or path.read_text("utf-8"), marker, text)
    return {path: page.encode() for path, page in found.items()}


def differences(files: dict[Path, bytes]) -> list[str]:
    """What on disk is not as it must be, one line each."""
    found = [
        f"{'differs' if path.is_file() else 'missing'}: {path.relative_to(SPEC.parent)}"
        for path, data in files.items()
        if not path.is_file() or path.read_bytes() != data
    ]
    found += [f"not made here: {path.relative_to(SPEC.parent)}" for path in _strangers(files)]
    return sorted(found)


def write(files: dict[Path, bytes]) -> None:
    """Make the disk as it must be."""
    for path in _strangers(files):
        path.unlink()
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for folder in sorted(_below(), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _strangers(files: dict[Path, bytes]) -> list[Path]:
    return [path for path in _below() if path.is_file() and path not in files]


def _below() -> list[Path]:
    return [path for name in FOLDERS for path in (HERE / name).rglob("*")]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.vectors.build", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs")
    options = parser.parse_args(arguments)
    cases = make_cases()
    files = case_files(cases) | upload_files() | pages(cases)
    if options.check:
        found = differences(files)
        print("\n".join(found) or "no difference")
        return 1 if found else 0
    write(files)
    for name in FOLDERS:
        sizes = [len(data) for path, data in files.items() if path.is_relative_to(HERE / name)]
        print(f"{name}: {len(sizes)} files, {sum(sizes) / 1000:,.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
