"""Which fault of docs/reference/faults.md a unit's own lines point to, and what to take along."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from archive.account.incidents import Incident, Kind
from archive.site.words import N_
from archive.supervision.queue.rules import Reason

_BY_CAUSE = MappingProxyType(
    {"disk-error": "1002", "disk-full": "1003", "camera": "2001", "thermal": "3002", "power": "3001"}
)
_BY_EVENT = MappingProxyType({"foreign-disk": "1005", "power": "3001", "thermal": "3002"})
RECENT_US = 600_000_000
"""What a unit told longer before its trouble than this is not taken for the cause of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is wrong, and what whoever goes there takes along. Both are keys of the catalogues."""

    what: str
    take: str


FAULTS: Mapping[str, Advice] = MappingProxyType(
    {
        "1001": Advice(what=N_("The disk takes no writes."), take=N_("A prepared card. Keep the old one.")),
        "1002": Advice(what=N_("The disk reports errors."), take=N_("A prepared card. Keep the old one.")),
        "1003": Advice(what=N_("The disk is full."), take=N_("A larger prepared card. Keep the old one.")),
        "1004": Advice(what=N_("The disk will be full soon."), take=N_("A better link: modem and SIM card.")),
        "1005": Advice(what=N_("The disk belongs to another unit."), take=N_("This unit's own card.")),
        "1006": Advice(what=N_("The disk no longer answers."), take=N_("A prepared card. Keep the old one.")),
        "1007": Advice(what=N_("There is no prepared disk."), take=N_("A prepared card.")),
        "2001": Advice(what=N_("A camera delivers no picture."), take=N_("A camera and its cable.")),
        "3001": Advice(what=N_("The supply voltage is too low."), take=N_("The unit's own power supply and cable.")),
        "3002": Advice(what=N_("The unit is too hot."), take=N_("A case with a fan; give it air and shade.")),
    }
)

WITHOUT_CODE: Mapping[Reason, Advice] = MappingProxyType(
    {
        Reason.SILENT: Advice(
            what=N_("The unit says nothing. Ask at the station what its lamp shows."),
            take=N_("A whole spare unit, a power supply, modem and SIM card."),
        ),
        Reason.NEVER_SEEN: Advice(
            what=N_("No unit of this station was ever heard. Ask at the station what its lamp shows."),
            take=N_("A whole spare unit, a power supply, modem and SIM card."),
        ),
        Reason.NOT_RECORDING: Advice(
            what=N_("No camera of the unit records."), take=N_("A whole spare unit, a camera and its cable.")
        ),
        Reason.NOT_ARMED: Advice(
            what=N_("The unit records, and two people have not armed it yet."),
            take=N_("Nothing: call the chair. Two people arm it with their PINs."),
        ),
        Reason.DEGRADED: Advice(
            what=N_("Something covers the view of a camera."), take=N_("Nothing: call the chair to clear the view.")
        ),
        Reason.NO_CONNECTION: Advice(
            what=N_("The unit was recording when it was last heard. Nothing is lost."),
            take=N_("Modem and SIM card, where it does not come back by itself."),
        ),
        Reason.THINNED: Advice(
            what=N_("The link is too thin for all of the video. Nothing is lost."),
            take=N_("A better link: modem and SIM card."),
        ),
        Reason.FINDING: Advice(
            what=N_("Something in what arrived does not check."), take=N_("Nothing yet: look at the finding first.")
        ),
        Reason.BLIND: Advice(
            what=N_("The centre cannot read its index. No state of a station is known."),
            take=N_("Look after the archive's machine and its database."),
        ),
    }
)


def fault_of(incidents: Iterable[Incident], since_us: int) -> str | None:
    """The code that the newest telling incident of a station points to, the newest given first.

    Only what goes on, or began shortly before ``since_us`` or later, counts. None where the unit told nothing of a
    kind that has a code.
    """
    for incident in incidents:
        heard_us = incident.heard_us
        if not incident.ongoing and (heard_us is None or heard_us < since_us - RECENT_US):
            continue
        codes = _BY_CAUSE if incident.kind is Kind.GAP else _BY_EVENT if incident.kind is Kind.EVENT else {}
        if incident.what in codes:
            return codes[incident.what]
    return None


def advice(fault: str | None, reason: Reason) -> Advice:
    """What is known of a fault by its code, else of the reason."""
    return FAULTS.get(fault or "") or WITHOUT_CODE[reason]
