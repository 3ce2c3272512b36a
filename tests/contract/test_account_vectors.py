"""Page and auditor say the same: each test vector, brought to a real archive, accounted for and verified."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from archive.account.account import account
from archive.check import rebuild
from archive.index.reading import IndexReader
from archive.parts import open_parts
from audit.verify import verify
from base.durable import Disk
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.day.answer import Finding, Record, read_answer
from tests.fakes.archive import RunningArchive
from tests.fakes.courier import bring
from tests.vectors.world import ELECTION, authority

FOLDER = Path(__file__).parent.parent / "vectors" / "cases"


OTHERWISE = {
    "digest-claimed-again": "a file is of one place only, which its identity tells, and the index does not hold that",
    "fetched-from-the-site": "what the public fetched is no unit's card",
    "revoked-by-an-impostor": "no archive begins with a revocation list that its root has not signed",
}
"""What an account does not see, as its docstring says, and what no archive is brought."""
REFUSED = {
    "certificate-issued-by-a-unit",
    "certificate-names-another-election",
    "certificate-of-an-impostor",
    "certificate-of-another-election",
    "certificate-of-another-station",
    "certificate-of-another-unit",
    "certificate-unreadable",
    "head-cut",
    "head-cut-in-session",
    "other-genesis",
    "start-of-another-station",
}
"""Of these an archive takes nothing."""
HISTORY = {Code.TAIL_LOST, Code.ROLLED_BACK, Code.EQUIVOCATION}
NAMES = sorted(
    path.name
    for path in FOLDER.iterdir()
    if list(path.rglob("*.jws")) and (path / "root.pem").is_file() and path.name not in OTHERWISE
)


def keep(archive: RunningArchive, case: Path) -> None:
    """Have the archive take in what a vector gives."""
    arguments = json.loads((case / "case.json").read_text("utf-8"))["arguments"]
    given = [(case / path).read_bytes() for path in [*arguments["trust"], *arguments["crl"]]]
    archive.config.trust.write_bytes(b"".join(dict.fromkeys([archive.by.root_pem, *given])))
    if (case / "data" / "ledgers").is_dir():
        shutil.copytree(case / "data", archive.config.data, dirs_exist_ok=True)
        with open_parts(archive.config, Disk()) as parts:
            rebuild(parts)
    else:
        bring(archive, *{path if path.is_dir() else path.parent for path in map(case.joinpath, arguments["paths"])})


def audited(archive: RunningArchive, trust: Trust) -> dict[tuple[str | None, str | None], Record]:
    """What the verifier says of the archive's folder, without what an account leaves out on purpose."""
    answer = read_answer(verify([archive.config.data], trust=trust))
    return {(record.station, record.unit): record for record in answer.records}


def comparable(record: Record) -> Record:
    """Without findings and verdict."""
    return replace(record, findings=(), verdict="")


def findings(record: Record) -> set[Finding]:
    """Those of the verifier, without what an account leaves out, and without the camera that the index cannot tell."""
    unplaced = {Code.RECOVERED_NOT_CONTIGUOUS}
    return {
        replace(finding, camera=None if finding.code in unplaced else finding.camera)
        for finding in record.findings
        if (finding.at is not None or finding.code in HISTORY)
        and finding.code not in (Code.OPEN_END, Code.MEDIA_MISSING, Code.INIT_MISSING)
    }


def lacks(record: Record) -> set[tuple[str | None, int]]:
    """Where media are missing."""
    return {(each.camera, each.seq or 0) for each in record.findings if each.code == Code.MEDIA_MISSING}


@pytest.mark.parametrize("name", NAMES)
def test_the_account_of_a_vector_is_what_the_verifier_says_of_the_archives_folder(name: str, tmp_path: Path) -> None:
    archive = RunningArchive(tmp_path / "archive", authority())
    archive.config = replace(archive.config, election=ELECTION)
    keep(archive, FOLDER / name)
    trust = Trust.from_pem(archive.config.trust.read_bytes())
    reader = IndexReader(archive.config.database, ELECTION)
    units = [row.name for row in reader.units()]
    assert (not units) == (name in REFUSED)
    said = audited(archive, trust) if units else {}
    assert {(each.station, each.unit) for each in units} == set(said)
    for each in units:
        mine, theirs = account(reader, each, trust=trust), said[each.station, each.unit]
        assert mine is not None
        assert comparable(mine) == comparable(theirs)
        assert findings(mine) == findings(theirs)
        assert lacks(mine) <= lacks(theirs), "what is on its way is no finding"
    reader.close()
