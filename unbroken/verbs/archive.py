"""``unbroken archive …``: what runs at the centre."""

import argparse
from pathlib import Path

from base.log import begin_logging

FINDINGS = 1
_MOST_SHOWN = 20


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """The verbs of this group."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _verb(verbs, "serve", "take in what stations deliver, until stopped", _serve)
    _verb(verbs, "config", "show the configuration in force", _config)
    check = _verb(verbs, "check", "hold ledgers, index and media against each other", _check)
    check.epilog = "Exit codes: 0 nothing found, 1 findings, 2 wrong use. The archive must not run meanwhile."
    check.add_argument("--rebuild", action="store_true", help="make a new index from ledgers and media first")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, run: object
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    verb.add_argument("--config", type=Path, default=Path("archive.toml"), help="default: archive.toml")
    verb.set_defaults(run=run)
    return verb


def _serve(arguments: argparse.Namespace) -> int:
    from archive.config import load_config
    from archive.serve import serve

    begin_logging()
    return serve(load_config(arguments.config))


def _config(arguments: argparse.Namespace) -> int:
    from archive.config import describe, load_config

    print(describe(load_config(arguments.config)))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from archive.check import check, rebuild
    from archive.config import load_config
    from archive.parts import open_parts
    from base.durable import Disk

    begin_logging()
    with open_parts(load_config(arguments.config), Disk()) as parts:
        if arguments.rebuild:
            print(f"A new index counts {rebuild(parts):,} media.")
        checked = check(parts)
    print(f"Checked {checked.units:,} units: {checked.lines:,} lines, {checked.objects:,} media.")
    print(f"Findings: {len(checked.troubles):,}" if checked.troubles else "No findings.")
    for trouble in checked.troubles[:_MOST_SHOWN]:
        print(f"  {trouble.what}\n    {trouble.advice}")
    if checked.notes:
        print(f"Notes: {len(checked.notes):,}")
    for note in checked.notes[:_MOST_SHOWN]:
        print(f"  {note}")
    return FINDINGS if checked.troubles else 0
