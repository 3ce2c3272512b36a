"""Connections that hold little back: what waits in buffers of this machine cannot be overtaken by what is urgent."""

import asyncio
import socket

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

UNSENT_BYTES = 32 << 10
"""In the kernel, not yet on its way (tcp(7), TCP_NOTSENT_LOWAT). What is on its way has no limit of ours."""
WRITE_BYTES = 16 << 10
"""In asyncio, above the kernel."""


class ShallowConnector(aiohttp.TCPConnector):
    """A TCPConnector whose connections buffer little on the way out."""

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    ) -> Connection:
        """A connection for a request, new or used before."""
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.set_write_buffer_limits(high=WRITE_BYTES, low=0)
            found = transport.get_extra_info("socket")
            if found is not None:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        return connection
