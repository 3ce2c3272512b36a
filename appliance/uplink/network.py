"""Whether the network has changed: then a new try is worth more than patience."""

import contextlib
from pathlib import Path

_TOLD_BY = (Path("/proc/net/route"), Path("/proc/net/if_inet6"), Path("/etc/resolv.conf"))


def network_mark(told_by: tuple[Path, ...] = _TOLD_BY) -> tuple[bytes, ...]:
    """Routes, addresses and name servers as one value; another one after a cable, a SIM card or a lease has changed."""
    found = list[bytes]()
    for path in told_by:
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return tuple(found)
