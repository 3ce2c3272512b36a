"""``[[supervision.notify]]``: who is called, how, and at which level (docs/reference/notify.md)."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from archive.supervision.notify.command import Command
from archive.supervision.notify.email import Email, Mailbox
from archive.supervision.notify.message import Notifier
from archive.supervision.notify.webhook import Webhook
from base.errors import OperatorError

MOST_LEVEL = 9
_MOST_SECRET_BYTES = 4096
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ADDRESS = re.compile(r"[^\s@<>,;:\"\x00-\x20]{1,64}@[A-Za-z0-9.-]{1,253}")
KEYS = {
    "webhook": frozenset({"url", "secret"}),
    "email": frozenset({"host", "port", "from", "to", "user", "password", "plain", "ca"}),
    "command": frozenset({"argv"}),
}
COMMON_KEYS = frozenset({"kind", "name", "level"})
_HINT = "docs/reference/notify.md says what a notifier needs."


def read_notifiers(tables: Sequence[Mapping[str, object]], folder: Path) -> tuple[Notifier, ...]:
    """The notifiers of the configuration; secrets are files, relative to ``folder``. Raises OperatorError."""
    notifiers: list[Notifier] = []
    for number, table in enumerate(tables, 1):
        try:
            notifier = _notifier(table, folder)
        except ValueError as error:
            raise OperatorError(f"supervision.notify, number {number}: {error}.", hint=_HINT) from error
        if notifier.name in {each.name for each in notifiers}:
            raise OperatorError(f"supervision.notify: {notifier.name} is there twice.", hint=_HINT)
        notifiers.append(notifier)
    return tuple(notifiers)


def _notifier(table: Mapping[str, object], folder: Path) -> Notifier:
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KEYS:
        raise ValueError("kind must be webhook, email or command")
    unknown = sorted(set(table) - COMMON_KEYS - KEYS[kind])
    if unknown:
        raise ValueError(f"{unknown[0]} is no key of a notifier of kind {kind}")
    name, level = _text(table, "name"), table.get("level", 1)
    if not _NAME.fullmatch(name):
        raise ValueError("name must be small letters, digits and hyphens")
    if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= MOST_LEVEL:
        raise ValueError(f"level must be a number from 1 to {MOST_LEVEL}")
    if kind == "webhook":
        url = _text(table, "url")
        if not url.startswith(("https://", "http://127.0.0.1", "http://[::1]")):
            raise ValueError("url must be https://, or http:// on this machine")
        return Webhook(name, level, url, _secret(table, "secret", folder).encode())
    if kind == "command":
        argv = _texts(table, "argv")
        if not argv[0].startswith("/"):
            raise ValueError("argv must begin with the whole path of a program")
        return Command(name, level, argv)
    return Email(name, level, _mailbox(table, folder))


def _mailbox(table: Mapping[str, object], folder: Path) -> Mailbox:
    port, plain, to, sender = (
        table.get("port", 587),
        table.get("plain", False),
        _texts(table, "to"),
        _text(table, "from"),
    )
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65_535:
        raise ValueError("port must be a number from 1 to 65535")
    if not isinstance(plain, bool):
        raise ValueError("plain must be true or false")
    for address in (sender, *to):
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address[:40]!r} is no address")
    user = _text(table, "user") if "user" in table else None
    if user is not None and plain:
        raise ValueError("a password is not sent without TLS: user and plain do not go together")
    return Mailbox(
        host=_text(table, "host"),
        port=port,
        sender=sender,
        to=to,
        user=user,
        password=None if user is None else _secret(table, "password", folder),
        plain=plain,
        ca=folder / _text(table, "ca") if "ca" in table else None,
    )


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= 500 or not value.isprintable():
        raise ValueError(f"{key} must be a text")
    return value


def _texts(table: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = table.get(key)
    if not isinstance(value, list) or not 1 <= len(value) <= 32:
        raise ValueError(f"{key} must be a list of texts")
    return tuple(_text({key: each}, key) for each in value)


def _secret(table: Mapping[str, object], key: str, folder: Path) -> str:
    """What a file holds, without the line's end: a secret does not stand in the configuration."""
    path = folder / _text(table, key)
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_SECRET_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{key} names a file that cannot be read") from error
    if len(text) < 16 and key == "secret":
        raise ValueError("secret names a file with less than 16 letters")
    return text
