"""The tree of verbs. A group's module is imported when one of its verbs is used, or its help is asked for."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from base.errors import OperatorError
from unbroken import __version__

_VERBS = {
    "station": ("unbroken.verbs.station", "what runs and what is done at the polling station"),
    "archive": ("unbroken.verbs.archive", "what runs at the centre"),
    "verify": ("unbroken.verbs.verify", "check a record: a unit's disk, a copy, a ledger or a segment"),
    "demo": ("unbroken.verbs.demo", "record with a throwaway station, and verify what it recorded"),
}
"""Verb, the module that knows it (a ``VerbModule``), and what it is for."""

WRONG_USE = 2
INTERRUPTED = 130


class VerbModule(Protocol):
    """What a verb's module offers."""

    def add_verbs(self, parser: argparse.ArgumentParser) -> None:
        """Add arguments or further verbs to the parser, with ``run`` as a default: what takes the parsed arguments
        and returns the exit code, or raises OperatorError for what a person can mend.
        """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code: the verb's, 2 for wrong use, 130 when interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except SystemExit as end:  # argparse ends like this, after its message
        return end.code if isinstance(end.code, int) else 0
    except OperatorError as error:
        print(f"unbroken: {error}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `unbroken verify … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG_USE
    except OSError as error:
        print(f"unbroken: {error}", file=sys.stderr)
        return WRONG_USE


def _run(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="unbroken", description="An unbroken, signed video record.")
    parser.add_argument("--version", action="version", version=f"unbroken {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for verb, (name, purpose) in _VERBS.items():
        subparser = verbs.add_parser(verb, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if verb == chosen:
            cast("VerbModule", import_module(name)).add_verbs(subparser)
    arguments = parser.parse_args(words)
    return int(arguments.run(arguments))
