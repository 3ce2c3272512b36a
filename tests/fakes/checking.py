"""Verifies lines in memory, as ``audit.verify`` does files."""

from collections.abc import Iterable, Mapping, Sequence

from evidence import base64url
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.coverage import COVERED, State, total_ns
from evidence.verify.findings import Place
from evidence.verify.forks import History, judge_fork
from evidence.verify.keyring import check_signatures
from evidence.verify.media import Fault
from evidence.verify.record import MediaTask, Record
from evidence.verify.verifier import Verifier
from tests.fakes.station import SECOND, Station, authority

Settle = Mapping[int, tuple[Fault, ...] | None]
"""By ``seq`` of the naming line, what came of a media file; all others are good."""


def judge_lines(lines: Iterable[bytes], record: Record, verifier: Verifier, settle: Settle | None = None) -> None:
    """Feed one ledger through ``verifier`` into ``record``."""
    late: list[tuple[MediaTask, tuple[Fault, ...] | None]] = []
    for text in lines:
        opened = verifier.open(text)
        good = opened.check is None or check_signatures([opened.check])[0]
        late += [(task, (settle or {}).get(task.at.seq or 0, ())) for task in verifier.take(opened, good)]
    verifier.finish()
    for task, faults in reversed(late):
        record.settle(task, faults)


def check(station: Station, lines: Iterable[bytes] | None = None, settle: Settle | None = None) -> Record:
    """The finished record of one ledger, with the station's own root trusted."""
    trust = Trust.from_pem(station.authority.root_pem)
    record = Record()
    judge_lines(station.lines if lines is None else lines, record, Verifier(trust, record), settle)
    record.finish()
    return record


def check_branches(station: Station, ledgers: Sequence[Iterable[bytes]]) -> Record:
    """The finished record of several ledgers of one unit."""
    trust = Trust.from_pem(station.authority.root_pem)
    record = Record()
    histories: list[History] = []
    for lines in ledgers:
        history = History()
        judge_lines(lines, record, Verifier(trust, record, history=history, known=tuple(histories)))
        histories.append(history)
    for history in histories[1:]:
        seq = histories[0].fork(history)
        if seq is not None:
            record.findings.add(judge_fork(histories[0].branch(seq), history.branch(seq)), Place(seq=seq))
    record.finish()
    return record


def codes(record: Record) -> list[Code]:
    """What was found, each code as often as it stands after merging."""
    return [finding.code for finding in record.findings.all()]


def whole(cameras: tuple[str, ...] = ("cam-0",), count: int = 6) -> Station:
    """An armed and closed day without media."""
    station = Station(authority(), cameras=cameras, media=False)
    station.begin()
    station.arm()
    for _ in range(count):
        for camera in cameras:
            station.segment(camera)
    station.close()
    return station


def covered_s(record: Record, camera: str = "cam-0") -> float:
    """Seconds with a picture."""
    lanes, _ = record.cameras[camera].coverage.settled()
    return sum(total_ns(spans, COVERED) for spans in lanes.values()) / SECOND


def state_s(record: Record, state: State, camera: str = "cam-0") -> float:
    """Seconds in ``state``."""
    lanes, _ = record.cameras[camera].coverage.settled()
    return sum(total_ns(spans, frozenset({state})) for spans in lanes.values()) / SECOND


def flip(line: bytes, part: int) -> bytes:
    """The line with one bit changed in the value of header, payload or signature."""
    parts = line.split(b".")
    value = bytearray(base64url.decode(parts[part]))
    value[len(value) // 2] ^= 1
    parts[part] = base64url.encode(bytes(value)).encode()
    return b".".join(parts)
