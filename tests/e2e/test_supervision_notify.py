"""Notifiers against real receivers on the loopback: those that take, refuse, hang and close."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from archive.supervision.notify.command import Command
from archive.supervision.notify.config import read_notifiers
from archive.supervision.notify.email import Email, Mailbox
from archive.supervision.notify.message import Message, NotSent
from archive.supervision.notify.webhook import Webhook
from base.errors import OperatorError

BODY = json.dumps(
    {
        "key": "ab" * 16,
        "at_us": 1,
        "cases": [{"case": 7, "station": "57-002", "reason": "silent", "since_us": 1_801_987_200_000_000, "level": 1}],
        "more": 2,
    }
)
MESSAGE = Message(key="ab" * 16, subject="57-002 +2", body=BODY)
SECRET = b"0123456789abcdef"
Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _post(answers: Answers, *, limit_s: float = 10) -> None:
    app = web.Application()
    app.router.add_post("/alarm", answers)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        await Webhook("hook", 1, f"http://127.0.0.1:{port}/alarm", SECRET, limit_s=limit_s).send(MESSAGE)
    finally:
        await runner.cleanup()


def test_a_webhook_is_signed_and_carries_its_key() -> None:
    got: list[tuple[bytes, str, str]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((await request.read(), request.headers["Unbroken-Signature"], request.headers["Idempotency-Key"]))
        return web.Response(status=204)

    asyncio.run(_post(take))
    ((body, signature, key),) = got
    assert signature == f"sha256={hmac.new(SECRET, body, hashlib.sha256).hexdigest()}"
    assert (json.loads(body)["key"], key) == (MESSAGE.key, MESSAGE.key)


def test_a_webhook_that_refuses_redirects_hangs_or_closes_has_not_taken_it() -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=503)

    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async def hang(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async def close(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    for answers, words in ((refuse, "answered 503"), (redirect, "answered 307")):
        with pytest.raises(NotSent, match=words):
            asyncio.run(_post(answers))
    with pytest.raises(NotSent, match="no answer within"):
        asyncio.run(_post(hang, limit_s=0.2))
    with pytest.raises(NotSent):
        asyncio.run(_post(close))


def test_a_webhook_where_nobody_listens_has_not_taken_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent):
        asyncio.run(Webhook("hook", 1, f"http://127.0.0.1:{port}/", SECRET).send(MESSAGE))


def test_a_command_gets_the_message_and_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNBROKEN_SECRET", "no")
    told, around = tmp_path / "told", tmp_path / "around"
    script = 'cat > "$0"; env > "$1"'
    asyncio.run(Command("sms", 1, ["/bin/sh", "-c", script, str(told), str(around)]).send(MESSAGE))
    assert told.read_text() == BODY
    environment = around.read_text()
    assert f"UNBROKEN_KEY={MESSAGE.key}" in environment
    assert "UNBROKEN_SECRET" not in environment


def test_a_command_that_fails_hangs_or_is_not_there_has_not_taken_it() -> None:
    with pytest.raises(NotSent, match="ended with 3"):
        asyncio.run(Command("sms", 1, ["/bin/sh", "-c", "exit 3"]).send(MESSAGE))
    with pytest.raises(NotSent, match="not done within"):
        asyncio.run(Command("sms", 1, ["/bin/sh", "-c", "sleep 60 & wait"], limit_s=0.2).send(MESSAGE))
    with pytest.raises(NotSent, match="No such file"):
        asyncio.run(Command("sms", 1, ["/nowhere/sms"]).send(MESSAGE))


def test_a_mail_server_that_hangs_closes_or_has_no_tls_has_not_taken_it() -> None:
    async def hand_in(greeting: bytes | None) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if greeting is not None:
                writer.write(greeting)
                await writer.drain()
                while await reader.readline():
                    writer.write(b"250 ok\r\n")
            else:
                await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            box = Mailbox(host="127.0.0.1", port=port, sender="unbroken@example.org", to=("duty@example.org",))
            await Email("mail", 1, box, limit_s=0.3).send(MESSAGE)

    for greeting in (None, b"220 here\r\n", b"554 go away\r\n"):
        with pytest.raises(NotSent):
            asyncio.run(hand_in(greeting))


def test_the_configuration_names_what_is_wrong_and_keeps_secrets_in_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET.decode() + "\n")
    hook = {"kind": "webhook", "name": "duty", "url": "https://alarm.example.org/", "secret": "secret"}
    mail = {
        "kind": "email",
        "name": "head",
        "level": 2,
        "host": "mail",
        "from": "a@example.org",
        "to": ["b@example.org"],
    }
    call = {"kind": "command", "name": "sms", "level": 3, "argv": ["/usr/local/bin/sms", "--to", "chief"]}
    notifiers = read_notifiers([hook, mail, call], tmp_path)
    assert [(each.name, each.level) for each in notifiers] == [("duty", 1), ("head", 2), ("sms", 3)]
    for wrong, words in (
        ({"kind": "pigeon"}, "kind must be"),
        (hook | {"token": "x"}, "token is no key"),
        (hook | {"url": "http://alarm.example.org/"}, "url must be https"),
        (hook | {"secret": "nowhere"}, "cannot be read"),
        (hook | {"level": 0}, "level must be"),
        (hook | {"name": "Duty"}, "name must be"),
        (mail | {"to": ["b@example.org\r\nBcc: c@example.org"]}, "must be a text"),
        (mail | {"plain": True, "user": "u", "password": "secret"}, "without TLS"),
        (call | {"argv": ["sms"]}, "whole path"),
    ):
        with pytest.raises(OperatorError, match=words):
            read_notifiers([wrong], tmp_path)
    with pytest.raises(OperatorError, match="twice"):
        read_notifiers([hook, hook], tmp_path)
