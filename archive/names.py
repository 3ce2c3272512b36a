"""Whose record something belongs to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class UnitName:
    """A unit of the archive's election; both names are those of spec/ledger.md, section 3."""

    station: str
    unit: str

    def __str__(self) -> str:
        return f"{self.station}/{self.unit}"
