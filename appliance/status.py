"""What a recorder tells of itself, for the lamp, the console, the uplink and ``unbroken station status``."""

from collections.abc import Sequence
from dataclasses import asdict

from appliance.lane import Lane
from appliance.upkeep.faults import Fault
from base.clock import Reading

SILENT_NS = 10_000_000_000
"""Without a usable picture for so long a camera is shown as silent."""


def camera_status(lane: Lane, now_ns: int) -> dict[str, object]:
    """One camera."""
    traffic = lane.bridge.traffic()
    return {
        "camera": lane.id,
        "source": lane.camera.source,
        "silent": is_silent(lane, now_ns),
        "bitrate": lane.bitrate,
        "recorded_to_ns": lane.segment_ns,
        "accounted_to_ns": lane.committed_ns,
        "pictures_in": traffic.pictures_in,
        "pictures_dropped": traffic.pictures_dropped,
        "pictures_late": lane.segmenter.late,
        "pictures_undecodable": lane.segmenter.undecodable,
    }


def is_silent(lane: Lane, now_ns: int) -> bool:
    """Whether the camera delivers nothing that can be used."""
    return now_ns - lane.alive_ns > SILENT_NS


def told(faults: Sequence[Fault], *, delivering: bool = True) -> dict[str, object]:
    """The faults as a status file tells them; ``fault`` is the code of the gravest, null where there is none. Where no
    camera is ``delivering``, nothing is recorded.
    """
    return {
        "recording": delivering and all(fault.recording for fault in faults),
        "fault": faults[0].code if faults else None,
        "faults": [asdict(fault) for fault in faults],
    }


def standing_by(fault: Fault, reading: Reading) -> dict[str, object]:
    """The status of a recorder that cannot record and waits."""
    return {**told([fault]), "boot_ns": reading.boot_ns, "utc_us": reading.utc_us, "cameras": []}


def in_words(mode: str, lanes: Sequence[Lane], hours_left: float, faults: Sequence[Fault], now_ns: int) -> str:
    """One line, as ``systemctl status`` shows it."""
    delivering = sum(not is_silent(lane, now_ns) for lane in lanes)
    text = f"{mode}, {delivering} of {len(lanes)} cameras deliver, {hours_left:.0f} h of disk left"
    return text + "".join(f", fault {fault.code}" for fault in faults)
