"""The archive's port: one socket for each process that receives; the kernel shares out new connections."""

import contextlib
import ipaddress
import socket

from base.errors import OperatorError


def bind(address: str, port: int, count: int) -> list[socket.socket]:
    """``count`` sockets bound to one port, none listening yet; port 0 is any. Raises OperatorError.

    Several share the port with SO_REUSEPORT, which only sockets of the same user can; a port that anybody else has,
    another archive of this user too, is refused.
    """
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    with contextlib.ExitStack() as bound:
        try:
            alone = bound.enter_context(_bound(family, address, port))
            if count == 1:
                bound.pop_all()
                return [alone]
            port = int(alone.getsockname()[1])
            alone.close()
            sockets = [bound.enter_context(_bound(family, address, port, shared=True)) for _ in range(count)]
            bound.pop_all()
            return sockets
        except OSError as error:
            raise OperatorError(
                f"The archive cannot listen at {address}, port {port}: {error.strerror}.",
                hint="Set listen.address and listen.port.",
            ) from error


def _bound(family: socket.AddressFamily, address: str, port: int, *, shared: bool = False) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
    except BaseException:
        made.close()
        raise
    return made
