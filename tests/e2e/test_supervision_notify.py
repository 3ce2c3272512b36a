"""Notifiers against real receivers on the loopback: those that take, refuse, hang and close."""

import asyncio
import hashlib
import hmac
import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from archive.supervision.notify.command import Command
from archive.supervision.notify.config import read_notifiers
from archive.supervision.notify.email import Email, Mailbox
from archive.supervision.notify.message import Message, NotSent
from archive.supervision.notify.webhook import Webhook
from base.errors import OperatorError
from provisioning.authority import Authority

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


class _MailServer:
    """Speaks as much SMTP as a mail needs, after STARTTLS only; refuses recipients that begin with ``no``."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls, self._secure = tls, False
        self.mails: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if line == "STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.start_tls(self._tls)
                self._secure = True
                continue
            if verb == "EHLO":
                answer = "250 ok" if self._secure else "250-here\r\n250 STARTTLS"
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            elif not self._secure:
                answer = "530 STARTTLS first"
            elif verb == "DATA":
                writer.write(b"354 go\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                answer = "250 taken"
            else:
                answer = "550 unknown" if "<no" in line else "250 ok"
            writer.write(f"{answer}\r\n".encode())
        await writer.drain()
        writer.close()


def test_mail_is_handed_in_by_starttls_to_a_server_that_the_root_vouches_for(tmp_path: Path) -> None:
    authority, key = Authority.generate("az-2027"), ec.generate_private_key(ec.SECP256R1())
    certificate = authority.certify_archive(key.public_key(), ["localhost"])
    (tmp_path / "s.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "s.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "root.pem").write_bytes(authority.root_pem)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "s.pem", tmp_path / "s.key")

    async def hand_in(*to: str, ca: Path | None = tmp_path / "root.pem", plain: bool = False) -> list[str]:
        receiver = _MailServer(tls)
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            box = Mailbox(host="localhost", port=port, sender="unbroken@example.org", to=to, plain=plain, ca=ca)
            await Email("mail", 1, box, limit_s=5).send(MESSAGE)
        return receiver.mails

    (mail,) = asyncio.run(hand_in("duty@example.org", "no@example.org"))
    assert f"Message-ID: <{MESSAGE.key}@example.org>" in mail
    assert "57-002  silent  since 2027-02-07 08:00:00 UTC  level 1  case 7" in mail
    assert "and 2 more" in mail
    with pytest.raises(NotSent, match="550"):
        asyncio.run(hand_in("no@example.org"))
    with pytest.raises(NotSent, match="530"):
        asyncio.run(hand_in("duty@example.org", plain=True))
