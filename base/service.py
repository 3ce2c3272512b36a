"""The door to the service manager: readiness, status and the watchdog (sd_notify(3))."""

import importlib
import os

from base.errors import OperatorError


class Service:
    """Tells systemd how the program fares. Outside a unit of systemd every call does nothing."""

    def __init__(self) -> None:
        self._active = "NOTIFY_SOCKET" in os.environ
        self._ready = False
        self._told = ""

    @property
    def supervised(self) -> bool:
        """Whether a service manager started this process, and would start it again."""
        return self._active

    def ready(self) -> None:
        """The program does its job. Said until it was heard, once."""
        if not self._ready:
            self._ready = self._notify("READY=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``; sent when it has changed or was not heard."""
        if text != self._told and self._notify(f"STATUS={text}"):
            self._told = text

    def feed_watchdog(self) -> None:
        """The work advances. Called for committed lines, never by a timer (invariant 8)."""
        self._notify("WATCHDOG=1")

    def wait_longer(self, seconds: float) -> None:
        """There is no work to advance with: neither start nor watchdog count for so long. Feeds nothing."""
        micros = round(seconds * 1_000_000)
        self._notify(f"EXTEND_TIMEOUT_USEC={micros}\nWATCHDOG_USEC={micros}")

    def give_up(self) -> None:
        """This process may hang at its end: treated as if the watchdog had run out."""
        self._notify("WATCHDOG=trigger")

    def stopping(self) -> None:
        """An orderly end has begun."""
        self._notify("STOPPING=1")

    def _notify(self, state: str) -> bool:
        """Whether it was sent. A manager that does not listen now costs a message, not the recording."""
        if not self._active:
            return True
        try:
            daemon = importlib.import_module("systemd.daemon")
        except ImportError as error:
            raise OperatorError(
                "The service manager waits for notifications, but systemd-python is missing.",
                hint="Install the package python3-systemd, or unbroken[station].",
            ) from error
        try:
            daemon.notify(state)
        except OSError:
            return False
        return True
