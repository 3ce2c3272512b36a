"""``unbroken station check`` and ``unbroken station salvage``: is the disk sound; what does a bad one hold?"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from base.errors import OperatorError

if TYPE_CHECKING:
    from appliance.check.findings import Checked
    from evidence.certificate import Trust

FINDINGS = 1
_LEVELS = ("presence", "size", "hash", "chain")
_MOST_SHOWN = 60
_CHECK_TEXT = """\
Reads only, and may run while the recorder records. Each level holds the ones before it: presence (every file that the
ledger names is there), size, hash (the disk gives back the bytes that were signed; read past the page cache), chain
(all that unbroken verify checks). Exit codes: 0 nothing found, 1 findings, 2 wrong use."""
_SALVAGE_TEXT = """\
Sources are only read: a folder, an image of a file system or of a whole card, or the block device itself; several
copies of one card are taken together. Exit codes: 0 all that is named came out, 1 something is lost, 2 wrong use."""


def add_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The two verbs, into the group ``station``."""
    check = verbs.add_parser("check", help="check that the disk holds what its ledger names", epilog=_CHECK_TEXT)
    check.description = "Check that the disk holds what its ledger names."
    check.add_argument("path", nargs="?", type=Path, metavar="PATH", help="folder of the record, instead of --config")
    check.add_argument("--config", type=Path, help="default: station.toml")
    check.add_argument("--level", choices=_LEVELS, default=_LEVELS[0], help="default: presence")
    check.add_argument("--json", action="store_true", help="print the answer as one JSON object")
    check.set_defaults(run=_check)
    salvage = verbs.add_parser("salvage", help="get what verifies out of a damaged disk", epilog=_SALVAGE_TEXT)
    salvage.description = "Get what verifies out of a damaged disk."
    salvage.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="folder, image or block device")
    salvage.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="new folder for what comes out")
    salvage.add_argument(
        "--trust",
        action="append",
        default=[],
        type=Path,
        metavar="ROOT.pem",
        help="certificate of an election root that you trust; may be given several times",
    )
    salvage.set_defaults(run=_salvage)


def _check(arguments: argparse.Namespace) -> int:
    from appliance.check.check import check
    from appliance.check.findings import Level
    from appliance.config import load_config
    from appliance.store.layout import Layout
    from base.clock import SystemClock

    level = Level(arguments.level)
    if arguments.path is not None and arguments.config is not None:
        raise OperatorError("Both a folder and --config are given.", hint="Give one: the configuration names a folder.")
    root: Path | None = None
    if arguments.path is None:
        config = load_config(arguments.config or Path("station.toml"))
        folder, root = config.data, config.trust
    else:
        folder = arguments.path
        if level is Level.CHAIN:
            raise OperatorError(
                "The level chain needs the unit's own root certificate.",
                hint=f"Give --config instead, or use: unbroken verify {folder} --trust ROOT.pem.",
            )
    trust = None if root is None or level is not Level.CHAIN else _read_trust([root])
    clock = SystemClock()
    began_ns = clock.boot_ns()
    checked = check(Layout(folder), level)
    chain = None if trust is None else _verify(folder, trust)
    seconds = (clock.boot_ns() - began_ns) / 1e9
    if arguments.json:
        answer = {"schema": "unbroken-check-1", **asdict(checked), "seconds": round(seconds, 3), "chain": chain}
        json.dump(answer, sys.stdout, indent=2)
        print()
    else:
        print(_in_words(checked, seconds))
        if chain is not None:
            from audit.summary import summarise

            print(f"\n{summarise(chain)}")
    return FINDINGS if checked.findings or _wrong(chain) else 0


def _verify(folder: Path, trust: "Trust") -> dict[str, object]:
    from audit.verify import verify

    return verify([folder], trust=trust)


def _wrong(chain: dict[str, object] | None) -> bool:
    """Whether the verifier found anything wrong. What is open, such as a record that goes on, is no finding here."""
    return chain is not None and chain["verdict"] == "findings"


def _in_words(checked: "Checked", seconds: float) -> str:
    looked = f"{checked.lines:,} lines, {checked.files:,} files"
    if checked.named_bytes:
        looked += f" of {checked.named_bytes:,} bytes"
    took = f"{seconds:.1f} s"
    if checked.read_bytes:
        took += f", {checked.read_bytes / max(seconds, 1e-3) / 1e6:,.0f} MB/s"
    out = [f"Checked {checked.level}: {looked}, in {took}."]
    out.append(f"Findings: {len(checked.findings):,}" if checked.findings else "No findings.")
    for finding in checked.findings[:_MOST_SHOWN]:
        out += [f"  {_printable(finding.path)}: {_printable(finding.what)}", f"    {finding.advice}"]
    if len(checked.findings) > _MOST_SHOWN:
        out.append(f"  and {len(checked.findings) - _MOST_SHOWN:,} more; --json lists all")
    if checked.notes:
        out.append(f"Notes: {len(checked.notes):,} files that no line names; a running recorder has some")
        out += [f"  {_printable(note.path)}" for note in checked.notes[:_MOST_SHOWN]]
        if len(checked.notes) > _MOST_SHOWN:
            out.append(f"  and {len(checked.notes) - _MOST_SHOWN:,} more; --json lists all")
    return "\n".join(out)


def _salvage(arguments: argparse.Namespace) -> int:
    from audit.salvage.report import as_json, in_words, lost_anything
    from audit.salvage.salvage import REPORT, check_target, salvage
    from base.durable import Disk
    from evidence.certificate import Trust

    check_target(arguments.to, arguments.sources)
    trust = _read_trust(arguments.trust) if arguments.trust else Trust()
    disk = Disk()
    try:
        found = salvage(arguments.sources, arguments.to, trust=trust, disk=disk, progress=_say)
        # The report comes last: a folder with one is whole.
        disk.put(arguments.to / REPORT, json.dumps(as_json(found), indent=2).encode() + b"\n")
    except OSError as error:
        raise OperatorError(
            f"{arguments.to} is not complete: {error.strerror}.", hint="Remove it, make room, and begin anew."
        ) from error
    print(in_words(found, str(arguments.to)))
    return FINDINGS if lost_anything(found) else 0


def _say(text: str) -> None:
    """Where it stands, on a terminal."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


def _read_trust(roots: list[Path]) -> "Trust":
    from evidence.certificate import Trust

    try:
        return Trust.from_pem(*(path.read_bytes() for path in roots))
    except (OSError, ValueError) as error:
        raise OperatorError(
            f"{', '.join(map(str, roots))}: no certificate in PEM: {error}.",
            hint="The election commission publishes the root certificate.",
        ) from error


def _printable(text: str) -> str:
    from audit.files import printable

    return printable(text)
