"""The barest server of files: reads a request, whatever it asks for, and sends a head and one file by sendfile.

``python -m bench.bare_files PORT FILE``: one process; the kernel does the work, so its threads hardly wait for another.
"""

import os
import socket
import sys
import threading
from pathlib import Path

BACKLOG = 1_024
_REQUEST_BYTES = 1 << 16


def serve(port: int, path: Path) -> None:
    """For ever, with a thread for each connection."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
        descriptor = os.open(path, os.O_RDONLY)
        size = path.stat().st_size
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_talk, args=(connection, descriptor, size), daemon=True).start()


def _talk(connection: socket.socket, descriptor: int, size: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % size
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        while connection.recv(_REQUEST_BYTES):
            connection.sendall(head, socket.MSG_MORE)
            sent = 0
            while sent < size:
                sent += os.sendfile(connection.fileno(), descriptor, sent, size - sent)


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
