"""The two verifiers say the same of vectors that were changed at random, and neither lets a changed copy pass.

Where they differ, spec/verify.md says who is right; the message shows the change and both answers.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from audit.verify import verify
from base.errors import OperatorError
from evidence.certificate import Trust
from evidence.codes import MEANINGS, Code, Weight
from tests.contract.mutations import Mutant, mutate
from tests.contract.test_vectors import FOLDER, NAMES
from tests.contract.test_vectors_js import VERIFIER, node

SEEDS = (1, 2)
# What lies about time or place otherwise leaves no single answer to how much is missing: only what is here is compared.
MISSING_IS_SURE = frozenset({Code.HEAD_MISSING, Code.GAP_OVER_SEGMENT}) | frozenset(
    code for code in Code if code.startswith(("media-", "init-", "identity-", "pruned-", "receipt-"))
)


@pytest.fixture(scope="module", params=SEEDS)
def mutants(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, Mutant]:
    """One mutant of each vector, written out."""
    top = tmp_path_factory.mktemp("mutants")
    found = {top / name: mutate(FOLDER / name, request.param) for name in NAMES}
    for folder, mutant in found.items():
        for path, data in mutant.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        folder.mkdir(exist_ok=True)
    return found


def in_python(folder: Path, arguments: Any) -> Any:
    """The answer, or that the use is wrong."""
    try:
        pem = [(folder / path).read_bytes() for path in [*arguments["trust"], *arguments["crl"]]]
        return json.loads(
            json.dumps(verify([folder / path for path in arguments["paths"]], trust=Trust.from_pem(*pem)))
        )
    except OperatorError as error:
        return {"misuse": str(error)}


def in_javascript(mutants: Mapping[Path, Mutant]) -> list[Any]:
    """The answers of one process, which ends with 0: nothing but wrong use is raised."""
    cases = [{"folder": str(folder), **mutant.arguments} for folder, mutant in mutants.items()]
    done = node(str(VERIFIER / "many.mjs"), said="".join(json.dumps(case) + "\n" for case in cases))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def essence(answer: Any) -> Any:
    """What two verifiers that follow the spec must say alike."""
    if "misuse" in answer:
        return "misuse"
    records = [_record(record) for record in answer["records"]]
    records.sort(key=lambda record: str(record["names"]))
    return {"verdict": answer["verdict"], "records": records, "stations": answer.get("stations")}


def _record(record: Any) -> Any:
    codes = sorted({finding["code"] for finding in record["findings"]})
    wrong = {Code(code) for code in codes if MEANINGS[Code(code)].weight is Weight.WRONG}
    names = ["covered_ms", "held_ms"] + (["missing_ms"] if wrong <= MISSING_IS_SURE else [])
    cameras = {camera["camera"]: [camera[name] for name in names] for camera in record["cameras"]}
    members = {name: record[name] for name in ("verdict", "closed", "head", "time_zone")}
    whose = [record[name] for name in ("election", "station", "unit")]
    return {"names": whose, **members, "codes": codes, "cameras": cameras}


def test_both_verifiers_say_the_same_of_a_changed_record(mutants: Mapping[Path, Mutant]) -> None:
    differing = [
        f"{mutant.name}, {'; '.join(mutant.told)}\n  Python:     {essence(one)}\n  JavaScript: {essence(two)}"
        for (folder, mutant), two in zip(mutants.items(), in_javascript(mutants), strict=True)
        if essence(one := in_python(folder, mutant.arguments)) != essence(two)
    ]
    assert not differing, "\n".join(differing)


def test_no_changed_ledger_and_no_changed_segment_passes_for_verified(tmp_path: Path) -> None:
    """One bit, in a line or a segment of a record that verifies."""
    cases = []
    for number, path in enumerate(_signed_files(FOLDER / "two-cameras")):
        data = bytearray(path.read_bytes())
        for at in range(number, len(data) - 1, max(1, len(data) // 24)):
            folder = tmp_path / f"{number} {at}"
            for source in (FOLDER / "two-cameras").rglob("*"):
                if source.is_file() and source != path:
                    target = folder / source.relative_to(FOLDER / "two-cameras")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.symlink_to(source)
            changed = folder / path.relative_to(FOLDER / "two-cameras")
            changed.parent.mkdir(parents=True, exist_ok=True)
            changed.write_bytes(data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :])
            cases.append({"folder": str(folder), "paths": ["."], "trust": ["root.pem"], "crl": []})
    done = node(str(VERIFIER / "many.mjs"), said="".join(json.dumps(case) + "\n" for case in cases))
    assert done.returncode == 0, done.stderr
    verdicts = {json.loads(line)["verdict"] for line in done.stdout.splitlines()}
    assert verdicts == {"findings"}


def _signed_files(folder: Path) -> list[Path]:
    return [folder / "ledger.jws", *sorted((folder / "media").rglob("*.m4s"))]
