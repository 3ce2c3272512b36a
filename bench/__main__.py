"""``python -m bench [NAME …]``: measure, print, keep in bench/out; ``--write`` puts the table into bench/README.md."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import (
    after_encoder,
    audience,
    backfill,
    check,
    first_segment,
    ingest,
    ingest_lines,
    kill_peers,
    live_lists,
    loss,
    memory,
    outage,
    proof,
    recovery,
    search,
    slow_sync,
    stations,
    uplink_cpu,
    verify_browser,
    verify_lines,
    verify_media,
    wall,
    watch,
    written,
)
from bench.machine import machine
from bench.readme import write_table
from bench.row import Row, save, table
from bench.stream import CACHE, full_stream, small_stream

Figure = Callable[[Path], list[Row]]

FIGURE_S = 600
FULL_S = 3600


def figures(full: bool) -> dict[str, Figure]:
    """Every figure by its name, in the order of the table."""
    return {
        "after-encoder": after_encoder.measure,
        "proof": proof.measure,
        "first-segment": first_segment.measure,
        "recovery": recovery.measure,
        "slow-sync": partial(slow_sync.measure, full=full),
        "verify-media": verify_media.measure,
        "verify-lines": verify_lines.measure,
        "verify-browser": verify_browser.measure,
        "check": check.measure,
        "memory": memory.measure,
        "written": written.measure,
        "kill-peers": kill_peers.measure,
        "loss": partial(loss.measure, full=full),
        "outage": outage.measure,
        "backfill": backfill.measure,
        "uplink-cpu": uplink_cpu.measure,
        "ingest": ingest.measure,
        "ingest-lines": ingest_lines.measure,
        "stations": stations.measure,
        "live-lists": live_lists.measure,
        "audience": audience.measure,
        "search": search.measure,
        "watch": watch.measure,
        "wall": wall.measure,
    }


def main() -> int:
    """0 where everything was measured and every target met, 1 otherwise."""
    names = list(figures(False))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}; default: all")
    parser.add_argument("--full", action="store_true", help="slow-sync for ten minutes instead of one")
    parser.add_argument("--write", action="store_true", help="write the newest numbers into bench/README.md")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(names))
    if unknown:
        parser.error(f"there is no figure {unknown[0]}; known are {', '.join(names)}")
    if len(arguments.names) == 1:
        good = _measure(arguments.names[0], arguments.full)
    else:
        good = _measure_each(arguments.names or names, arguments.full)
    if arguments.write:
        write_table(names)
    return 0 if good else 1


def _measure(name: str, full: bool) -> bool:
    """Measure one figure in this process."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=CACHE) as folder:
        rows = figures(full)[name](Path(folder))
    save(name, rows, machine())
    print(table(rows), flush=True)
    return all(row.met for row in rows)


def _measure_each(names: list[str], full: bool) -> bool:
    """Each figure in a process of its own: none leaves memory, threads or a failure to the next."""
    print(machine(), flush=True)
    full_stream()
    small_stream()
    failed: list[str] = []
    for name in names:
        print(f"\n{name}", flush=True)
        command = [sys.executable, "-m", "bench", name, *(["--full"] if full else [])]
        try:
            code = subprocess.run(command, timeout=FULL_S if full else FIGURE_S, check=False).returncode
        except subprocess.TimeoutExpired:
            code = -1
            print(f"{name} took too long", flush=True)
        if code:
            failed.append(name)
    print(f"\nNot met or not measured: {', '.join(failed)}" if failed else "\nEvery target is met.", flush=True)
    return not failed


if __name__ == "__main__":
    sys.exit(main())
