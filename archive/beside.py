"""Programs that run beside the intake, each as a process of its own: what becomes of them never ends it."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

from base.parent import environment

_AGAIN_S = 5.0
_END_S = 15.0
_log = logging.getLogger("archive")


class Beside:
    """``unbroken archive VERB`` in a process, started again where it ends, until ``stop``."""

    def __init__(self, verb: str, config: Path) -> None:
        self._verb = verb
        self._command = [sys.executable, "-m", "unbroken", "archive", verb, "--config", str(config)]
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=f"beside-{verb}", daemon=True)

    def start(self) -> None:
        """Once."""
        self._thread.start()

    def stop(self) -> None:
        """It has ended on return."""
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()
        self._thread.join(_END_S)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            # A group of its own: Ctrl-C is for the parent, which ends it in order.
            # Should the parent be killed, they end, too: two publishers would wait for each other.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=environment(),
            )
            if self._stopping.is_set():
                self._process.terminate()
            code = self._process.wait()
            if not self._stopping.is_set():
                _log.error("a program ended and is started again", extra={"fields": {"verb": self._verb, "code": code}})
                self._stopping.wait(_AGAIN_S)
