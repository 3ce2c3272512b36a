"""A message as an e-mail, by the standard library's SMTP in a thread of its own."""

import asyncio
import json
import logging
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from archive.supervision.notify.message import Message, NotSent

LIMIT_S = 20
"""Of each step of the conversation with the server."""
_WHOLE = 3
"""So many times that is the whole conversation's limit."""
_log = logging.getLogger("supervision")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """Where mail is handed in. ``plain`` leaves STARTTLS out, for a server on this machine. ``ca`` is the root of a
    server with an authority of its own.
    """

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    plain: bool = False
    ca: Path | None = None


class Email:
    """Sends plain text. ``Message-ID`` is made of the message's key, so that it is one mail however often it comes."""

    def __init__(self, name: str, level: int, mailbox: Mailbox, *, limit_s: float = LIMIT_S) -> None:
        self.name, self.level = name, level
        self._mailbox, self._limit_s = mailbox, limit_s

    async def send(self, message: Message) -> None:
        """Taken where one recipient at least was accepted; of others the log tells. Raises NotSent."""
        try:
            async with asyncio.timeout(_WHOLE * self._limit_s):
                await asyncio.to_thread(self._send, message)
        except TimeoutError as error:
            raise NotSent("no answer in time") from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(str(error) or type(error).__name__) from error

    def _send(self, message: Message) -> None:
        box = self._mailbox
        with smtplib.SMTP(box.host, box.port, timeout=self._limit_s) as server:
            if not box.plain:
                server.starttls(context=ssl.create_default_context(cafile=box.ca))
            if box.user is not None:
                server.login(box.user, box.password or "")
            refused = server.send_message(self._mail(message))
        if refused:
            # The others have it: they are not sent it again for the sake of an address that is wrong.
            _log.error("mail was refused for some", extra={"fields": {"notifier": self.name, "refused": len(refused)}})

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._mailbox.sender, ", ".join(self._mailbox.to)
        mail["Subject"] = f"[unbroken] {message.subject}"
        mail["Message-ID"] = f"<{message.key}@{self._mailbox.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text_of(json.loads(message.body)))
        return mail


def text_of(body: Mapping[str, object]) -> str:
    """A line for each case. What stands in it comes from our own rules and names; it is one line each all the same."""
    named = body["cases"]
    assert isinstance(named, list)
    lines = [
        f"{case['station']}  {case['reason']}  since {_utc(case['since_us'])}  "
        f"level {case['level']}  case {case['case']}"
        for case in named
    ]
    if body["more"]:
        lines.append(f"and {body['more']} more")
    return "\n".join(" ".join(line.split("\n")) for line in lines) + "\n"


def _utc(utc_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=utc_us)).strftime("%Y-%m-%d %H:%M:%S UTC")
