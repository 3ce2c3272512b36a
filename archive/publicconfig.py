"""The configuration of what the public sees: sections ``[publish]`` and ``[site]``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from base.settings import place, within

LANGUAGES = ("az", "en", "ru")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
_MOST_TITLE = 100

PUBLISH: dict[str, object] = {"folder": None, "database": None, "test": False, "profile": None}
SITE: dict[str, object] = {
    "address": "127.0.0.1",
    "port": 8080,
    "origin": None,
    "roster": None,
    "time_zone": "UTC",
    "title_az": None,
    "title_en": None,
    "title_ru": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishConfig:
    """Where what is public lies, apart from everything else.

    ``database`` is a URL of SQLAlchemy; ``test`` says that TEST recordings are shown too, marked as such.
    ``profile`` is the signed profile that says when media become public; without one they do at once.
    """

    folder: Path
    database: str
    test: bool
    profile: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """The public pages. ``origin`` is the address under which the world finds them, for links that last.

    ``roster`` is the list of stations (docs/reference/roster.md); ``titles`` name the election, by language.
    """

    address: str
    port: int
    origin: str | None
    roster: Path | None
    time_zone: str
    titles: Mapping[str, str]


def read_publish(values: Mapping[str, object], data: Path, folder: Path) -> PublishConfig:
    """``[publish]``; what is left out lies in ``data``. Raises ValueError with a sentence that names the key."""
    test, database = values["test"], values["database"]
    if not isinstance(test, bool):
        raise ValueError("publish.test must be true or false")
    if database is None:
        database = f"sqlite:///{data / 'publish.sqlite'}"
    if not isinstance(database, str) or not database.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("publish.database must be a URL, such as sqlite:////srv/archive/publish.sqlite")
    tree, profile = values["folder"], values["profile"]
    return PublishConfig(
        folder=data / "published" if tree is None else place(tree, "publish.folder", folder),
        database=database,
        test=test,
        profile=None if profile is None else place(profile, "publish.profile", folder),
    )


def read_site(values: Mapping[str, object], address: str, folder: Path) -> SiteConfig:
    """``[site]``, whose ``address`` was checked. Raises ValueError with a sentence that names the key."""
    origin, roster = values["origin"], values["roster"]
    if origin is not None and not (isinstance(origin, str) and _ORIGIN.fullmatch(origin)):
        raise ValueError("site.origin must be https://HOST")
    return SiteConfig(
        address=address,
        port=within(values["port"], "site.port", 0, 65_535),
        origin=origin,
        roster=None if roster is None else place(roster, "site.roster", folder),
        time_zone=_zone(values["time_zone"]),
        titles={language: title for language in LANGUAGES if (title := _title(values[f"title_{language}"], language))},
    )


def _zone(value: object) -> str:
    try:
        if isinstance(value, str):
            return ZoneInfo(value).key
    except (OSError, ValueError):
        pass
    raise ValueError("site.time_zone must be a zone that this computer knows, such as Asia/Baku")


def _title(value: object, language: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= _MOST_TITLE or not value.isprintable():
        raise ValueError(f"site.title_{language} must be a title of at most {_MOST_TITLE} letters")
    return value.strip()
