"""What is said to the service manager, and what becomes of it where nobody listens."""

import socket
from pathlib import Path

import pytest

from base.service import Service
from tests.fakes.process import needs_notifications


@pytest.mark.faults
def test_a_service_manager_that_does_not_listen_costs_a_message_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_notifications()
    path = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    service = Service()
    service.ready()
    service.feed_watchdog()
    service.status("first")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(5)
        service.ready()
        service.status("first")
        assert [manager.recv(100), manager.recv(100)] == [b"READY=1", b"STATUS=first"]
        service.ready()
        service.status("first")
        service.feed_watchdog()
        assert manager.recv(100) == b"WATCHDOG=1"


def test_outside_a_service_manager_every_call_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    service = Service()
    assert not service.supervised
    service.ready()
    service.give_up()
