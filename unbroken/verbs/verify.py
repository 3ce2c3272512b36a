"""``unbroken verify``: is the record whole and genuine?"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from base.errors import OperatorError
from evidence.certificate import Trust
from evidence.verify.verdict import EXITS, Verdict

_EXITS_TEXT = "Exit codes: 0 verified, 1 findings, 2 wrong use, 3 cannot tell. Nothing is written but the report."


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.epilog = _EXITS_TEXT
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="folder of a unit, ledger, segment or clip")
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        type=Path,
        metavar="ROOT.pem",
        help="certificate of an election root that you trust; may be given several times",
    )
    parser.add_argument("--crl", action="append", default=[], type=Path, metavar="FILE", help="revocation list in PEM")
    parser.add_argument("--json", action="store_true", help="print the answer as one JSON object")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="write the answer as a page for people")
    parser.add_argument("--jobs", type=_jobs, default=None, metavar="N", help="processes to use; all cores if left out")
    parser.add_argument("--decode", action="store_true", help="decode every picture, too (needs PyAV)")
    parser.set_defaults(run=_run)


def verify_and_print(
    paths: list[Path],
    *,
    trust: list[Path],
    crl: list[Path] | None = None,
    jobs: int | None = None,
    decode: bool = False,
    report: Path | None = None,
    as_json: bool = False,
) -> int:
    """Verify, print the answer, write the report where one is asked for, and return the verdict's exit code."""
    from audit.summary import summarise
    from audit.verify import verify

    trusted = _read_trust(trust, crl or [])
    if decode:
        from audit.decode import require_decoder

        require_decoder()
    cores = len(os.sched_getaffinity(0))
    with _progress(paths) as progress:
        answer = verify(paths, trust=trusted, jobs=jobs or cores, decode=decode, progress=progress)
    if report is not None:
        from audit.report.page import write_report

        write_report(answer, report)
    if as_json:
        json.dump(answer, sys.stdout, indent=2)
        print()
    else:
        print(summarise(answer))
    return EXITS[Verdict(str(answer["verdict"]))]


def _run(arguments: argparse.Namespace) -> int:
    return verify_and_print(
        arguments.paths,
        trust=arguments.trust,
        crl=arguments.crl,
        jobs=arguments.jobs,
        decode=arguments.decode,
        report=arguments.report,
        as_json=arguments.json,
    )


def _jobs(text: str) -> int:
    jobs = int(text)
    if not 1 <= jobs <= 256:
        raise argparse.ArgumentTypeError("must be from 1 to 256")
    return jobs


def _read_trust(roots: list[Path], lists: list[Path]) -> Trust:
    pems: list[bytes] = []
    for path in [*roots, *lists]:
        try:
            pems.append(path.read_bytes())
            Trust.from_pem(pems[-1])
        except (OSError, ValueError) as error:
            raise OperatorError(
                f"{path} is no certificate or revocation list in PEM: {error}.",
                hint="The election commission publishes the root certificate.",
            ) from error
    return Trust.from_pem(*pems)


@contextmanager
def _progress(paths: list[Path]) -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    from audit.sources import find_sources

    total = sum(path.stat().st_size for path in find_sources(paths).ledgers)
    with tqdm(total=total, desc="Verifying", unit="B", unit_scale=True, leave=False) as bar:
        yield bar.update
