"""What the uplink tells of itself in ``run/uplink.json``: for the lamp, the console and ``unbroken station status``."""

from dataclasses import dataclass, field

from appliance.uplink.answers import Head
from appliance.uplink.mediabook import Totals
from appliance.uplink.pace import Rate
from appliance.uplink.plan import State

FEW = 10
"""Quarantined segments that are named; the rest are counted."""


@dataclass(slots=True)
class LinkState:
    """How the link fares. The lanes set it, on the loop's thread; whoever tells reads it."""

    rate: Rate
    connected: bool = False
    why: str | None = "not tried yet"
    """Why there is no connection, in words."""
    sent: Head | None = None
    """The archive's newest line, as far as it is ours."""
    acknowledged_sha256: str | None = None
    acknowledged_boot_ns: int | None = None
    notes: dict[str, str] = field(default_factory=dict)
    """What is wrong although the connection stands: by lane, in words."""
    receipts_refused: int = 0
    """Receipts that did not verify: the archive, or what answers in its place, is not to be believed."""
    tries: int = 0
    """Failed tries since something was last acknowledged."""
    every: int = 1
    """Live is each segment (1), or every n-th on a link too thin for the video."""

    def told(
        self,
        *,
        boot_ns: int,
        durable_seq: int | None,
        ledger_trouble: str | None,
        totals: Totals,
        refused: list[tuple[str, str]],
    ) -> dict[str, object]:
        """The members of the status file."""
        waiting = totals.media[State.WAITING] + totals.media[State.UNKNOWN]
        wrong = {"ledger": ledger_trouble, **self.notes}
        return {
            "boot_ns": boot_ns,
            "connected": self.connected,
            "why_not": None if self.connected else self.why,
            "failed_tries": self.tries,
            "wrong": [f"{what}: {text}" for what, text in wrong.items() if text],
            "durable_seq": durable_seq,
            "thinned": None if self.every == 1 else self.every,
            "sent_seq": None if self.sent is None else self.sent.seq,
            "media_waiting": waiting,
            "bytes_waiting": totals.waiting_bytes,
            "seconds_to_finish": self.rate.seconds_for(totals.waiting_bytes),
            "media_held": totals.media[State.HELD],
            "media_receipted": totals.media[State.RECEIPTED],
            "media_lost": totals.lost,
            "last_acknowledged": self.acknowledged_sha256,
            "last_acknowledged_boot_ns": self.acknowledged_boot_ns,
            "receipts_refused": self.receipts_refused,
            "quarantined": totals.media[State.REFUSED],
            "quarantine": [{"sha256": sha256, "reason": reason} for sha256, reason in refused],
        }
