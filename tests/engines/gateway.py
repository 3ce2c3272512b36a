"""A real S3 server for tests: the RADOS Gateway of Ceph, as Debian packages it, on the loopback in a folder of its own.

A monitor, one object store daemon on a file, and the gateway; no manager, which only counts. cephx stays on. Ends of
daemons are found by their pid; a new start begins with an empty folder.
"""

import subprocess
import time
import uuid
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.engines.ports import free_ports

START_S = 90
STOP_S = 20
ACCESS_KEY, SECRET_KEY = "unbroken-tests", "secret-of-unbroken-tests"
REGION = "us-east-1"

_CONF = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv4 = true
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail warn = 1
mon data avail crit = 1
osd crush chooseleaf type = 0
osd objectstore = bluestore
bluestore block create = true
bluestore block size = 4294967296
osd memory target = 1073741824
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
log file = {folder}/run/$name.log
pid file = {folder}/run/$name.pid
keyring = {folder}/keyring
log to stderr = false
debug rgw = 0

[client.rgw.a]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw enable usage log = false
rgw dns name = 127.0.0.1
"""


class Gateway:
    """One S3 server. ``start`` gives it its port, ``stop`` ends it and what it stands on."""

    def __init__(self, folder: Path) -> None:
        """``folder`` must not exist yet; its path must be short, for sockets lie in it."""
        self._folder = folder
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._gateway: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def endpoint(self) -> str:
        """Where it is reached, also after it was stopped and started again."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def credentials(self) -> Path:
        """The keys, in a file as Amazon's tools keep it."""
        return self._folder / "credentials"

    def start(self) -> None:
        """On return it answers. Raises AssertionError with the end of the log of what did not start."""
        mon_v2, mon_v1, self._port = free_ports(3)
        for name in ("mon", "osd", "rgw", "run"):
            (self._folder / name).mkdir(parents=True)
        write_credentials(self.credentials)
        fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
        (self._folder / "ceph.conf").write_text(
            _CONF.format(fsid=fsid, folder=self._folder, mon_v2=mon_v2, mon_v1=mon_v1, gateway=self._port)
        )
        keyring, monmap = str(self._folder / "keyring"), str(self._folder / "monmap")
        addresses = f"[v2:127.0.0.1:{mon_v2},v1:127.0.0.1:{mon_v1}]"
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", addresses, monmap)
        # The monitor is made from this keyring and so knows everybody from the beginning.
        allow = [argument for daemon in ("mon", "osd", "mgr") for argument in ("--cap", daemon, "allow *")]
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        for name in ("client.admin", "osd.0", "client.rgw.a"):
            self._run("ceph-authtool", keyring, "--gen-key", "-n", name, *allow)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--keyring", keyring, "--monmap", monmap)
        self._begin("ceph-mon", "-i", "a")
        assert self._run("ceph", "--connect-timeout", "30", "osd", "new", osd).strip() == "0"
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._begin("ceph-osd", "-i", "0")
        self.start_gateway()
        user = ("--uid", "tests", "--display-name", "tests", "--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY)
        self._run("radosgw-admin", "user", "create", *user)

    def start_gateway(self) -> None:
        """Only the gateway, after ``stop_gateway``: the same objects at the same place. On return it answers."""
        self._gateway = self._popen("radosgw", "-n", "client.rgw.a")
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert self._gateway.poll() is None, self._log("client.rgw.a")
            assert time.monotonic() < deadline, self._log("client.rgw.a")
            time.sleep(0.1)

    def stop_gateway(self) -> None:
        """Only the gateway: connections are refused from then on."""
        if self._gateway is not None:
            _end(self._gateway)
            self._gateway = None

    def stop(self) -> None:
        """End everything that was started. Idempotent."""
        self.stop_gateway()
        while self._daemons:
            _end(self._daemons.pop())

    def admin(self, *arguments: str) -> str:
        """What ``radosgw-admin`` prints."""
        return self._run("radosgw-admin", *arguments)

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _begin(self, *command: str) -> None:
        self._daemons.append(self._popen(*command))

    def _popen(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """A daemon in the foreground, so that its end is this process's to see."""
        command = (program, "-c", str(self._folder / "ceph.conf"), *arguments, "-f")
        with (self._folder / "run" / f"{program}.out").open("ab") as out:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def _run(self, program: str, *arguments: str) -> str:
        config = () if program in ("monmaptool", "ceph-authtool") else ("-c", str(self._folder / "ceph.conf"))
        command = (program, *config, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
        assert done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stderr[-2000:]}"
        return done.stdout

    def _log(self, name: str) -> str:
        path = self._folder / "run" / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else "no log"


def write_credentials(path: Path, *, key: str = ACCESS_KEY, secret: str = SECRET_KEY) -> None:
    """Keys, right or wrong, in a file as Amazon's tools keep it."""
    path.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
