"""Programs that end with the one that started them."""

import os
import subprocess
import sys
import time

from base.parent import STARTER

CHILD = "from base.parent import end_as_asked; end_as_asked(); import time; print('on', flush=True); time.sleep(60)"
PARENT = f"""
import subprocess, sys, time
from base.parent import environment
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], env=environment(), stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_program_ends_with_the_one_that_started_it_even_where_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 30
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_program_whose_starter_has_gone_already_does_nothing() -> None:
    command = [sys.executable, "-c", CHILD]
    ended = subprocess.run(command, check=False, env={**os.environ, STARTER: "1"}, stdout=subprocess.PIPE)
    assert (ended.returncode, ended.stdout) == (1, b"")


def _lives(process: int) -> bool:
    """Whether it is more than a name that nobody has taken note of."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
