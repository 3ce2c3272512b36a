"""What waits on this machine cannot be overtaken by what is urgent: connections hold little back, and tell how much."""

import array
import asyncio
import contextlib
import fcntl
import socket
import termios

SIOCOUTQNSD = 0x894B
"""Of Linux' sockios.h: bytes that the kernel holds and has not sent yet (tcp(7) has only what is not acknowledged)."""


def hold_little(transport: asyncio.BaseTransport | None, size_bytes: int) -> None:
    """From now on about ``size_bytes`` wait in the kernel before they are on their way, and twice that above it."""
    if not isinstance(transport, asyncio.WriteTransport):
        return
    transport.set_write_buffer_limits(high=1, low=0)
    beneath = _beneath(transport)
    if beneath is not None:
        beneath.set_write_buffer_limits(high=0)
    found = transport.get_extra_info("socket")
    if found is not None:
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size_bytes)


def unsent_bytes(transport: asyncio.BaseTransport | None) -> int:
    """What has been written and is not on its way yet."""
    return _written_bytes(transport) + _queued_bytes(transport, SIOCOUTQNSD)


def unacknowledged_bytes(transport: asyncio.BaseTransport | None) -> int:
    """What has been written and of which the other machine's kernel has not said that it has it."""
    return _written_bytes(transport) + _queued_bytes(transport, termios.TIOCOUTQ)


def _written_bytes(transport: asyncio.BaseTransport | None) -> int:
    """What the kernel has not taken yet."""
    if not isinstance(transport, asyncio.WriteTransport):
        return 0
    beneath = _beneath(transport)
    return transport.get_write_buffer_size() + (0 if beneath is None else beneath.get_write_buffer_size())


def _queued_bytes(transport: asyncio.BaseTransport | None, request: int) -> int:
    found = None if transport is None else transport.get_extra_info("socket")
    answer = array.array("i", [0])
    # Where it is closed, nothing waits any more.
    if found is not None and found.fileno() >= 0:
        with contextlib.suppress(OSError):
            fcntl.ioctl(found.fileno(), request, answer)
    return answer[0]


def _beneath(transport: asyncio.WriteTransport) -> asyncio.WriteTransport | None:
    """The connection that carries TLS. It buffers 64 KiB by default and asyncio has no public name for it; where the
    private one is gone, that is how much more waits.
    """
    found = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return found if isinstance(found, asyncio.WriteTransport) else None
