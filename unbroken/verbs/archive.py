"""``unbroken archive …``: what runs at the centre."""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from base.errors import OperatorError
from base.log import begin_logging

if TYPE_CHECKING:
    from archive.brought import Brought
    from archive.check import Trouble
    from archive.config import ArchiveConfig
    from archive.parts import Parts

FINDINGS = 1
_MOST_SHOWN = 20
_DELIVER_AGAIN = "The unit is asked for it again while it has it; else import another copy: unbroken archive import."


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """The verbs of this group."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _verb(verbs, "serve", "run all that the archive has to run, until stopped: ingest, publish and site", _serve)
    _verb(verbs, "ingest", "take in what stations deliver, until stopped", _ingest)
    _verb(verbs, "publish", "make public what is released of it, until stopped", _publish)
    _verb(verbs, "site", "serve the public pages, until stopped", _site)
    _verb(verbs, "supervision", "serve the supervision centre to operators, until stopped", _supervision)
    _verb(verbs, "config", "show the configuration in force", _config)
    _add_nginx(_verb(verbs, "nginx", "print the configuration of the nginx in front of the public pages", _nginx))
    check = _verb(verbs, "check", "hold ledgers, index and media against each other", _check)
    check.epilog = "Exit codes: 0 nothing found, 1 findings, 2 wrong use. The archive must not run meanwhile."
    check.add_argument("--rebuild", action="store_true", help="make a new index from ledgers and media first")
    check.add_argument("--read", action="store_true", help="read and hash all media, too")
    findings = _verb(verbs, "findings", "show what was found of units; the archive may run meanwhile", _findings)
    findings.epilog = "Exit codes: 0 nothing found, 1 findings, 2 wrong use."
    findings.add_argument("--station", metavar="STATION", help="of this station only")
    findings.add_argument("--json", action="store_true", help="print one JSON object")
    bring = _verb(verbs, "import", "take in units' cards or copies of them, whether the archive runs or not", _import)
    bring.epilog = "Exit codes: 0 all of it is in the archive, 1 something is missing or refused, 2 wrong use."
    bring.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="folder of a unit, or one that holds several"
    )
    bring.add_argument("--receipts", type=Path, metavar="FOLDER", help="lay receipts there, by station and unit")
    notice = _verb(verbs, "notice", "check a signed notice of the authority and put it behind the last one", _notice)
    notice.add_argument("file", type=Path, metavar="FILE", help="as the authority signed it, one line of text")
    page = verbs.add_parser(
        "verifier", help="write the verifier as one file, which needs no network, and say its digest"
    )
    page.add_argument("file", type=Path, metavar="FILE", help="such as unbroken-verifier.html")
    page.set_defaults(run=_verifier)


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, run: object
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    verb.add_argument("--config", type=Path, default=Path("archive.toml"), help="default: archive.toml")
    verb.set_defaults(run=run)
    return verb


def _add_nginx(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--listen",
        action="append",
        default=[],
        metavar="[ADDRESS:]PORT",
        help="where; may be repeated; default: 443 with a certificate, else 80",
    )
    verb.add_argument("--certificate", type=Path, metavar="FILE", help="TLS: the certificate and its chain, PEM")
    verb.add_argument("--key", type=Path, metavar="FILE", help="TLS: its key, PEM")
    verb.add_argument("--state", type=Path, metavar="FOLDER", help="cache and drafts; default: /var/lib/nginx")
    verb.add_argument("--pid", type=Path, metavar="FILE", help="default: /run/nginx.pid")
    verb.add_argument("--log", type=Path, metavar="FILE", help="errors; default: /var/log/nginx/error.log")
    verb.add_argument("--user", help="whose processes serve, - for whoever starts it; default: www-data")
    verb.add_argument("--workers", type=int, metavar="NUMBER", help="default: one for each core")
    verb.add_argument("--relay", type=int, metavar="PORT", help="port of the loopback for itself; default: 8081")


def _read_all(parts: "Parts") -> "list[Trouble]":
    """A bar on a terminal, nothing elsewhere."""
    from tqdm import tqdm

    from archive.check import Trouble
    from archive.readall import bytes_to_read, read_all

    total, cores = bytes_to_read(parts.index), len(os.sched_getaffinity(0))
    with tqdm(total=total, desc="Reading", unit="B", unit_scale=True, leave=False, disable=None) as bar:
        found = read_all(parts, threads=cores, progress=bar.update)
    return [Trouble(what=f"{sha256}: {fault}", advice=_DELIVER_AGAIN) for sha256, fault in found]


def _serve(arguments: argparse.Namespace) -> int:
    from archive.serve import serve

    begin_logging()
    return serve(arguments.config)


def _ingest(arguments: argparse.Namespace) -> int:
    from archive.config import load_config
    from archive.serve import ingest

    begin_logging()
    return ingest(load_config(arguments.config))


def _publish(arguments: argparse.Namespace) -> int:
    from archive.config import load_config
    from archive.publish.publish import publish

    begin_logging()
    return publish(load_config(arguments.config))


def _site(arguments: argparse.Namespace) -> int:
    from archive.config import load_config
    from archive.site.serve import serve

    begin_logging()
    return serve(load_config(arguments.config))


def _supervision(arguments: argparse.Namespace) -> int:
    from archive.config import load_config
    from archive.supervision.serve import serve

    begin_logging()
    return serve(load_config(arguments.config))


def _config(arguments: argparse.Namespace) -> int:
    from archive.config import describe, load_config

    print(describe(load_config(arguments.config)))
    return 0


def _nginx(arguments: argparse.Namespace) -> int:
    from dataclasses import fields

    from archive.config import load_config
    from archive.site.nginx import Front, render

    given = {each.name: getattr(arguments, each.name) for each in fields(Front)}
    said = {name: value for name, value in given.items() if value is not None}
    if said.get("user") == "-":
        said["user"] = None
    front = Front(**{**said, "listen": tuple(arguments.listen)})
    print(render(load_config(arguments.config), front), end="")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from archive.check import check, rebuild
    from archive.config import load_config
    from archive.finding import describe_finding
    from archive.parts import open_parts
    from base.durable import Disk

    begin_logging()
    with open_parts(load_config(arguments.config), Disk()) as parts:
        if arguments.rebuild:
            print(f"A new index counts {rebuild(parts):,} media.")
        checked = check(parts)
        if arguments.read:
            checked.troubles.extend(_read_all(parts))
    print(f"Checked {checked.units:,} units: {checked.lines:,} lines, {checked.objects:,} media.")
    print(f"Findings: {len(checked.troubles):,}" if checked.troubles else "No findings.")
    for trouble in checked.troubles[:_MOST_SHOWN]:
        print(f"  {trouble.what}\n    {trouble.advice}")
    if checked.notes:
        print(f"Notes: {len(checked.notes):,}")
    for note in checked.notes[:_MOST_SHOWN]:
        print(f"  {note}")
    if checked.findings:
        print(f"Findings of units: {len(checked.findings):,}")
    for row in checked.findings[:_MOST_SHOWN]:
        print(f"  {describe_finding(row)}")
    return FINDINGS if checked.troubles else 0


def _findings(arguments: argparse.Namespace) -> int:
    from archive.config import load_config
    from archive.finding import as_json, describe_finding
    from archive.index.findings import read_findings

    config = load_config(arguments.config)
    rows = read_findings(config.database, config.election, arguments.station)
    if arguments.json:
        print(json.dumps(as_json(config.election, rows), indent=2))
    else:
        print(f"Findings: {len(rows):,}" if rows else "No findings.")
        for row in rows:
            print(f"  {describe_finding(row)}")
    return FINDINGS if rows else 0


def _notice(arguments: argparse.Namespace) -> int:
    from archive.config import load_config
    from archive.notices import FOLDER, append_notice
    from archive.trust import read_trust
    from base.durable import Disk

    config = load_config(arguments.config)
    taken = append_notice(arguments.file, config.data / FOLDER, config.election, read_trust(config).now(), Disk())
    print(f"{taken.notice.kind} {taken.notice.number}, SHA-256 {taken.sha256}")
    return 0


def _verifier(arguments: argparse.Namespace) -> int:
    from archive.site.onefile import one_file

    made = one_file()
    try:
        arguments.file.write_bytes(made.data)
    except OSError as error:
        hint = "Give a file in a folder that exists and that you may write to."
        raise OperatorError(f"{arguments.file} cannot be written: {error.strerror}.", hint=hint) from error
    print(f"{made.sha256}  {arguments.file}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    import asyncio

    from archive.brought import in_words
    from archive.config import load_config

    begin_logging()
    config = load_config(arguments.config)
    _require_folders(arguments.paths, arguments.receipts)
    brought = asyncio.run(_bring(config, arguments.paths, arguments.receipts))
    for each in brought:
        print("\n".join(in_words(each)))
    return 0 if all(each.complete for each in brought) else FINDINGS


async def _bring(config: "ArchiveConfig", paths: list[Path], receipts: Path | None) -> "list[Brought]":
    """A bar on a terminal, nothing elsewhere."""
    from tqdm import tqdm

    from archive.courier import Courier
    from archive.desk import open_desk
    from base.clock import SystemClock
    from base.durable import Disk

    operator = os.environ.get("SUDO_USER") or f"user {os.getuid()}"
    with tqdm(desc="Importing", unit=" segments", leave=False, disable=None) as bar:
        async with open_desk(config, SystemClock()) as desk:
            courier = Courier(desk, operator=operator, receipts=receipts, disk=Disk(), progress=bar.update)
            brought = [each for path in paths for each in await courier.bring(path)]
            await courier.settle(brought)
            return brought


def _require_folders(paths: list[Path], receipts: Path | None) -> None:
    for path in paths:
        if not path.is_dir():
            raise OperatorError(
                f"{path} is no folder.",
                hint="Of an image, get the files out first: unbroken station salvage IMAGE --to FOLDER.",
            )
        if receipts is not None and receipts.resolve().is_relative_to(path.resolve()):
            raise OperatorError(f"{receipts} lies within {path}, which is only read.", hint="Name another folder.")
