"""A real PostgreSQL for tests: Debian's, in a folder of its own.

Its socket lies in a folder that nobody else may enter, and trusts who gets there; on the loopback it wants a password
(SCRAM). As root it runs as the user ``postgres``, for it refuses root. It ends by its pid.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from itertools import count
from pathlib import Path

from tests.engines.ports import free_ports

START_S = 60
OWNER, PASSWORD = "unbroken", "correct horse"
_BINARIES = Path("/usr/lib/postgresql")
_CONF = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = '{socket}'
password_encryption = 'scram-sha-256'
logging_collector = off
shared_buffers = '32MB'
max_connections = 50
"""
_ACCESS = """\
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""


class Postgres:
    """One server. ``start`` makes its data, ``stop`` ends it."""

    def __init__(self, folder: Path) -> None:
        """``folder`` must not exist yet; its path must be short, for a socket lies in it, and open to its owner."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count()
        self._port = 0
        self._user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None

    def start(self) -> None:
        """Make the data and serve it; on return it answers."""
        (self._port,) = free_ports(1)
        self._folder.mkdir(mode=0o700)
        (self._folder / "socket").mkdir(mode=0o700)
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if self._user is not None:
            for each in (self._folder, self._folder / "socket", password):
                shutil.chown(each, self._user, self._user)
        data = self._folder / "data"
        self._run(
            "initdb", "--pgdata", str(data), "--username", OWNER, "--pwfile", str(password), "--encoding", "UTF8",
            "--no-locale",
        )  # fmt: skip
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(_CONF.format(socket=self._folder / "socket"))
        (data / "pg_hba.conf").write_text(_ACCESS)
        self.resume()

    def resume(self) -> None:
        """Serve the same data again, after ``stop`` or ``kill``; on return it answers."""
        command = (self._program("postgres"), "-D", str(self._folder / "data"), "-p", str(self._port))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self._user, group=self._user,
                extra_groups=None if self._user is None else [],
            )  # fmt: skip
        ready = (self._program("pg_isready"), "-q", "-h", str(self._folder / "socket"), "-p", str(self._port))
        deadline = time.monotonic() + START_S
        while subprocess.run(ready, timeout=START_S, check=False).returncode:
            assert self._process.poll() is None, self._log()
            assert time.monotonic() < deadline, self._log()
            time.sleep(0.05)

    def stop(self) -> None:
        """An end that gives nobody time: connections are cut. Idempotent."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """An end without any order, as the machine's would be."""
        self._end(signal.SIGQUIT)

    def new_database(self) -> str:
        """The name of an empty database."""
        name = f"test{next(self._numbers)}"
        self._run("createdb", "-h", str(self._folder / "socket"), "-p", str(self._port), "-U", OWNER, name)
        return name

    def url(self, database: str) -> str:
        """How it is reached by its socket."""
        return f"postgresql://{OWNER}@/{database}?host={self._folder / 'socket'}&port={self._port}"

    def url_with_password(self, database: str, password: str | None = PASSWORD) -> str:
        """How it is reached on the loopback; without ``password`` something else must know it."""
        secret = "" if password is None else f":{password.replace(' ', '%20')}"
        return f"postgresql://{OWNER}{secret}@127.0.0.1:{self._port}/{database}"

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(START_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            (self._program(program), *arguments), capture_output=True, text=True, timeout=START_S, check=False,
            user=self._user, group=self._user, extra_groups=None if self._user is None else [], cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"

    def _log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-4000:]

    @staticmethod
    def _program(name: str) -> str:
        """Debian keeps several versions beside each other; the newest serves."""
        versions = [each for each in _BINARIES.iterdir() if (each / "bin" / "initdb").exists()]
        return str(max(versions, key=lambda each: int(each.name)) / "bin" / name)
