"""What is to be sent: notifications are joined into messages, tried until they are taken, and then done with.

A message is written down before it is sent and marked when it was taken. Whoever dies in between sends it once more
after the next start, under the same key; nothing else is ever sent twice, and nothing is lost.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from archive.supervision.database import SupervisionDatabase
from archive.supervision.notify.message import Message
from archive.supervision.schema import cases, messages, notifications

SPACE_US = 10_000_000
"""Between two messages of a notifier: a thousand stations that fall silent together are a few messages."""
MOST_NAMED = 100
"""Cases that a message names; it says how many more there are."""
FIRST_WAIT_US, MOST_WAIT_US = 2_000_000, 60_000_000
GIVE_UP_US = 24 * 3_600_000_000
"""A message that nobody has taken for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that is to be tried now."""

    number: int
    notifier: str
    message: Message


class Outbox:
    """Methods are one transaction each, and raise OSError."""

    def __init__(self, database: SupervisionDatabase) -> None:
        self._database = database

    def due(self, notifier: str, now_us: int) -> Outgoing | None:
        """What is to be sent to one notifier now; None where nothing is. What is new becomes a message, durably."""
        with self._database.writing() as connection:
            mine = messages.c.notifier == notifier
            unsent = mine & messages.c.sent_us.is_(None) & messages.c.given_up_us.is_(None)
            row = connection.execute(select(messages).where(unsent).order_by(messages.c.id).limit(1)).first()
            if row is not None:
                if row.next_us > now_us and row.next_us - now_us <= MOST_WAIT_US:
                    return None
                return Outgoing(number=row.id, notifier=notifier, message=_message(row.key, row.body))
            last_us = connection.scalar(select(messages.c.made_us).where(mine).order_by(messages.c.id.desc()).limit(1))
            if last_us is not None and 0 <= now_us - last_us < SPACE_US:
                return None
            waiting = (notifications.c.notifier == notifier) & notifications.c.message_id.is_(None)
            joined = select(notifications.c.level, cases).join(cases, cases.c.id == notifications.c.case_id)
            # Whoever has answered within the pause between two messages has made the call needless.
            asked = waiting & cases.c.acknowledged_us.is_(None) & (notifications.c.round == cases.c.round)
            rows = connection.execute(joined.where(asked).order_by(cases.c.id)).mappings().all()
            if not rows:
                return None
            key = secrets.token_hex(16)
            body = json.dumps(_body(key, now_us, [dict(each) for each in rows]), separators=(",", ":"))
            values = {"key": key, "notifier": notifier, "made_us": now_us, "body": body, "tries": 0}
            made = connection.execute(insert(messages).values(**values, next_us=now_us, error="")).inserted_primary_key
            assert made is not None
            connection.execute(update(notifications).where(waiting).values(message_id=made[0]))
            return Outgoing(number=int(made[0]), notifier=notifier, message=_message(key, body))

    def sent(self, outgoing: Outgoing, now_us: int) -> None:
        """It was taken. Durable on return."""
        with self._database.writing() as connection:
            connection.execute(
                update(messages)
                .where(messages.c.id == outgoing.number)
                .values(sent_us=now_us, tries=messages.c.tries + 1, error="")
            )

    def failed(self, outgoing: Outgoing, why: str, now_us: int) -> None:
        """It was not taken: it is tried again, each time after twice the wait, and given up after a day."""
        with self._database.writing() as connection:
            row = connection.execute(select(messages).where(messages.c.id == outgoing.number)).one()
            wait_us = min(FIRST_WAIT_US << min(row.tries, 10), MOST_WAIT_US)
            given_up_us = now_us if now_us - row.made_us >= GIVE_UP_US else None
            values = {"tries": row.tries + 1, "next_us": now_us + wait_us, "error": why[:300]}
            mine = update(messages).where(messages.c.id == outgoing.number)
            connection.execute(mine.values(**values, given_up_us=given_up_us))


def _body(key: str, now_us: int, rows: list[dict[str, object]]) -> Mapping[str, object]:
    named = [
        {
            "case": row["id"],
            "station": row["station"],
            "about": row["about"],
            "reason": row["reason"],
            "since_us": row["since_us"],
            "proven_us": row["proven_us"],
            "level": row["level"],
        }
        for row in rows[:MOST_NAMED]
    ]
    return {"key": key, "at_us": now_us, "cases": named, "more": max(len(rows) - MOST_NAMED, 0)}


def _message(key: str, body: str) -> Message:
    told = json.loads(body)
    stations = [str(case["station"]) for case in told["cases"]]
    rest = len(stations) + int(told["more"]) - 3
    subject = ", ".join(stations[:3]) + (f" +{rest}" if rest > 0 else "")
    return Message(key=key, subject=subject, body=body)
