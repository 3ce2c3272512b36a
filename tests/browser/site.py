"""What a test's web server serves, and where."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """``folder`` is served at ``origin``."""

    folder: Path
    origin: str
