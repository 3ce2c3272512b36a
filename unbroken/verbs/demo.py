"""``unbroken demo``: record, watch, verify, report."""

import argparse
import sys
from pathlib import Path

from base.errors import OperatorError

_NOT_COMPLETE = 1


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """The options of the demo."""
    parser.add_argument("--duration", type=float, metavar="S", help="record for S seconds; without it, until Ctrl-C")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="a new folder for all of it; default: demo/TIME")
    parser.add_argument(
        "--camera",
        action="append",
        metavar="SPEC",
        help="pattern, replay:FILE, replay-raw:FILE or picamera2; twice for two cameras; default: pattern",
    )
    parser.add_argument("--stations", type=int, default=1, metavar="N", help="so many stations, 1 to 20; default: 1")
    parser.add_argument("--unplug", metavar="FROM:TO", help="the archive is out of reach between these seconds")
    parser.add_argument("--prepare", action="store_true", help="write all files into DIR and start nothing")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from unbroken.demo import make_election, new_folder, run_demo
    from unbroken.verbs.verify import verify_and_print

    if arguments.duration is not None and not 0 < arguments.duration <= 7 * 86_400:
        raise OperatorError("--duration takes seconds, more than 0.")
    folder = arguments.dir or new_folder(Path("demo"))
    if folder.exists():
        raise OperatorError(f"{folder} exists already.", hint="Name a new folder with --dir.")
    cameras = [_absolute(spec) for spec in arguments.camera or ["pattern"]]
    unplugged = _times(arguments.unplug)
    election = make_election(folder, cameras, arguments.stations)
    if arguments.prepare:
        for station in election.stations:
            print(f"A throwaway station is ready: {station.config}. docs/guide/station.md says how to run it by hand.")
        print(f"Its archive: {election.archive.config}. docs/guide/archive.md")
        return 0
    complete = run_demo(election, duration_s=arguments.duration, unplugged=unplugged)
    report = folder / "report.html"
    disks = [station.data for station in election.stations]
    print()
    code = verify_and_print(disks, trust=[election.root], report=report)
    print()
    print(f"Report: {report}")
    if len(disks) == 1:
        for camera in sorted(disks[0].glob("media/*/*/0")):
            print(f"See {camera.parent.name}: cat {camera}/init.mp4 {camera}/*.m4s > {camera.parent.name}.mp4")
    print(f"Check it again: {_command()} verify {' '.join(map(str, disks))} --trust {election.root}")
    print(f"Check the archive: {_command()} archive check --config {election.archive.config}")
    return code if complete else code or _NOT_COMPLETE


def _times(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        begin, end = (float(part) for part in text.split(":"))
    except ValueError:
        begin = end = 0
    if not 0 <= begin < end:
        raise OperatorError("--unplug takes two times in seconds, such as 5:15.")
    return begin, end


def _command() -> str:
    """How this program was called."""
    name = Path(sys.argv[0])
    return str(name) if name.name == "unbroken" else "python -m unbroken"


def _absolute(spec: str) -> str:
    """A file is named from where the command was typed, not from the station's folder."""
    kind, separator, path = spec.partition(":")
    if kind in ("replay", "replay-raw") and separator:
        if not Path(path).is_file():
            raise OperatorError(f"There is no file {path}.", hint="Name a video file after replay: .")
        return f"{kind}:{Path(path).resolve()}"
    return spec
