"""A program that is of no use without the one that started it ends with it, in whatever way that ends."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
STARTER = "UNBROKEN_STARTER"
"""Names, in the environment of a program, the process that it is to end with."""
_LIBC = ctypes.CDLL(None, use_errno=True)


def end_with(parent_id: int, number: signal.Signals) -> None:
    """From now on the kernel sends ``number`` to this process when the thread that started it ends (prctl(2)).

    Where the parent has ended by now, this process ends at once.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent_id:
        os._exit(1)


def environment() -> dict[str, str]:
    """For a program of ours that is to end with this process."""
    return {**os.environ, STARTER: str(os.getpid())}


def end_as_asked() -> None:
    """What a program does first: end with whom its environment names. It asks no more of programs that it starts."""
    starter = os.environ.pop(STARTER, "")
    if starter.isdecimal():
        end_with(int(starter), signal.SIGTERM)
