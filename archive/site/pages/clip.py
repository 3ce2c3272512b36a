"""From the form for a clip to the clip's own address, so that it works without JavaScript."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from archive.site.pages.lists import find
from archive.site.pages.page import Answer, Asked, NotHere, NotUnderstood, Site
from archive.site.words import N_

LONGEST = timedelta(hours=2)
_CAMERA = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}/[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?", re.ASCII)


def clip(site: Site, asked: Asked) -> Answer:
    """Leads to ``/clip/STATION/UNIT/CAMERA/FROM-TO.mp4``. Raises NotHere, NotUnderstood."""
    station, camera = asked.query.get("station", ""), asked.query.get("camera", "")
    if find(site, station) is None or not _CAMERA.fullmatch(camera):
        raise NotHere(N_("There is no such station."))
    begin, end = (_utc(asked.query.get(name, ""), site.zone.name) for name in ("from", "to"))
    if begin is None or end is None:
        raise NotUnderstood(N_("A clip needs two times, such as 2027-02-07T12:07:13."))
    if not timedelta(0) < end - begin <= LONGEST:
        raise NotUnderstood(
            N_("A clip ends after it begins, and lasts two hours at most. Longer times can be fetched as files.")
        )
    address = f"/clip/{station}/{camera}/{begin:%Y%m%dT%H%M%SZ}-{end:%Y%m%dT%H%M%SZ}.mp4"
    return Answer(body=b"", status=303, content_type="text/plain", max_age_s=60, headers={"Location": address})


def _utc(text: str, zone: str) -> datetime | None:
    if not _LOCAL.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
