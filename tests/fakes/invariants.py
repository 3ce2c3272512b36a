"""The design's invariants, by number, as questions to a record. AssertionError says what does not hold.

``check_record`` (a reading of the spec of its own), ``check`` and ``verify`` answer; here stands what they answer for.
"""

import json

from appliance.check.check import check
from appliance.check.findings import Level
from evidence.lines import line_hash
from tests.fakes.checker import Checked, check_record
from tests.fakes.stepped import SteppedStation, verdict_codes

HARMLESS = {"open-end", "media-unnamed"}
"""What an open record and a crash leave."""


def head(station: SteppedStation) -> tuple[int, str] | None:
    """The newest line that was told as durable."""
    path = station.config.run / "head.json"
    if not path.exists():
        return None
    told = json.loads(path.read_bytes())
    return told["seq"], told["sha256"]


def all_hold(station: SteppedStation, told: tuple[int, str] | None, *, harmless: set[str] = HARMLESS) -> Checked:
    """Every invariant that a disk can show. ``told`` is the newest head that anyone was told of."""
    checked = check_record(station.config.data)
    invariant_1(station, checked)
    invariant_2(checked)
    invariant_3(checked, told)
    invariant_5(checked)
    invariant_6(checked)
    assert verdict_codes(station) <= harmless
    return checked


def invariant_1(station: SteppedStation, checked: Checked) -> None:
    """What a ``segment`` line names is there, byte for byte, until a ``pruned`` line."""
    found = check(station.layout, Level.HASH)
    assert not found.findings, found.findings
    assert found.lines == len(checked.lines)


def invariant_2(checked: Checked) -> None:
    """From its first ``start`` on every instant of a camera is covered by exactly one piece.

    ``check_record`` has followed from piece to piece; here, that what it followed reaches from end to end.
    """
    for name, camera in checked.cameras.items():
        start = next(line for line in checked.kinds("start") if name in str(line["cameras"]))
        ends = [(start["boot_id"], start["boot_ns"]), (camera.boot, camera.at_ns)]
        if camera.pieces:
            assert camera.pieces[0]["from_ns"] == ends[0][1]
            assert camera.pieces[-1]["to_ns"] == ends[1][1]
        else:
            assert ends[0] == ends[1]


def invariant_3(checked: Checked, told: tuple[int, str] | None) -> None:
    """No line that was told as durable is gone; the chain itself is what ``check_record`` has followed."""
    if told is not None:
        assert line_hash(checked.texts[told[0]]) == told[1], "a line that was told as durable is gone"


def invariant_5(checked: Checked) -> None:
    """Armed media go only on a receipt that names them, which ``check_record`` has held against their digests."""
    receipted = any(line["reason"] == "receipted" for line in checked.kinds("pruned"))
    for line in [*checked.kinds("segment"), *checked.kinds("recovered")]:
        assert "checked" in line or receipted or line["mode"] == "UNARMED", f"armed media are gone: {line}"


def invariant_6(checked: Checked) -> None:
    """Within a boot no line is older than the one before, whatever the wall clock did."""
    boot, newest_ns = "", -1
    for line in checked.lines:
        if line["kind"] == "start" and line["boot_id"] != boot:
            boot, newest_ns = str(line["boot_id"]), -1
        boot_ns = line["boot_ns"]
        assert isinstance(boot_ns, int)
        assert boot_ns >= newest_ns
        newest_ns = boot_ns
