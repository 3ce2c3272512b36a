"""One vector: what lies in its folder, and what a verifier must answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from evidence.codes import MEANINGS, Code, Weight
from tests.vectors.record import Record

Interval = tuple[int, int | None]


class Layer(StrEnum):
    """Which check must notice (spec/verify.md, section 2)."""

    NONE = "none"
    LINE = "line"
    KEY = "key"
    CERTIFICATE = "certificate"
    CHAIN = "chain"
    TIME = "time"
    COVERAGE = "coverage"
    MODE = "mode"
    MEDIA = "media"
    FORK = "fork"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A camera's answer: milliseconds covered, missing and held, and the merged gaps as (cause, duration)."""

    covered_ms: int
    missing_ms: Interval
    gaps: tuple[tuple[str, Interval], ...]
    held_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A folder of files and the answer. ``name`` is the folder's, ``why`` explains a second code.

    ``paths`` is what the verifier is pointed at, ``trust`` and ``crl`` are files too; all relative to the folder.
    """

    name: str
    layer: Layer
    codes: tuple[Code, ...]
    files: Mapping[str, bytes]
    title: str = ""
    wrong: str = ""
    why: str = ""
    cameras: Mapping[str, Expected] = field(default_factory=dict)
    paths: tuple[str, ...] = (".",)
    trust: tuple[str, ...] = ("root.pem",)
    crl: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title, or the name in plain words."""
        return self.title or self.name.replace("-", " ").capitalize()

    @property
    def verdict(self) -> str:
        """The verdict that the codes make (spec/verify.md, section 1)."""
        weights = {MEANINGS[code].weight for code in self.codes}
        if Weight.WRONG in weights:
            return "findings"
        return "cannot-tell" if Weight.OPEN in weights else "verified"

    @property
    def description(self) -> bytes:
        """``case.json``."""
        expected: dict[str, object] = {
            "verdict": self.verdict,
            "exit": {"verified": 0, "findings": 1, "cannot-tell": 3}[self.verdict],
            "codes": sorted(self.codes),
        }
        if self.cameras:
            expected["cameras"] = {
                name: {
                    "covered_ms": [camera.covered_ms, camera.covered_ms],
                    **({"held_ms": [camera.held_ms, camera.held_ms]} if camera.held_ms else {}),
                    "missing_ms": camera.missing_ms,
                    "gaps": [{"cause": cause, "duration_ms": duration} for cause, duration in camera.gaps],
                }
                for name, camera in self.cameras.items()
            }
        members: dict[str, object] = {"title": self.heading, "layer": self.layer}
        if self.wrong:
            members["wrong"] = self.wrong
        if self.why:
            members["why"] = self.why
        members["arguments"] = {"paths": self.paths, "trust": self.trust, "crl": self.crl}
        members["expected"] = expected
        return (json.dumps(members, indent=2, ensure_ascii=False) + "\n").encode()


def short_of(unexplained_ms: int, *, covered_ms: int) -> Expected:
    """An attacked day of a second's start: what is damaged, not there or not explained is missing, and no gap."""
    missing_ms = 1_000 + unexplained_ms
    return Expected(covered_ms=covered_ms, missing_ms=(missing_ms, missing_ms), gaps=(("starting", (1_000, 1_000)),))


def pack(record: Record, **others: Sequence[bytes]) -> dict[str, bytes]:
    """The files of a record: ledger, media and the root; each of ``others`` is a further ledger, by its stem."""
    files = {"ledger.jws": ledger(record.lines), "root.pem": record.authority.root_pem, **record.media}
    return files | {f"{stem}.jws": ledger(lines) for stem, lines in others.items()}


def ledger(lines: Sequence[bytes]) -> bytes:
    """Lines as a file."""
    return b"".join(line + b"\n" for line in lines)


def good(name: str, title: str, record: Record, codes: tuple[Code, ...] = (), **cameras: Expected) -> Case:
    """A record in which nothing is wrong, whatever notes it brings."""
    return Case(name=name, title=title, layer=Layer.NONE, codes=codes, files=pack(record), cameras=cameras)


def exactly(covered_ms: int, *gaps: tuple[str, int]) -> Expected:
    """An answer whose durations are all exact."""
    missing = sum(duration for _, duration in gaps)
    exact = tuple((cause, (duration, duration)) for cause, duration in gaps)
    return Expected(covered_ms=covered_ms, missing_ms=(missing, missing), gaps=exact)
