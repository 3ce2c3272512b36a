"""The configuration of the nginx that stands in front of the site: ``nginx.conf`` beside this file, filled in."""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from archive.config import ArchiveConfig
from base.errors import OperatorError

PLAIN_PORT = 80
TLS_PORT = 443
_BLANK = re.compile("@([a-z]+)@")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\"\\$;{}@]{1,1000}")
"""What may stand between quotes without meaning anything to nginx."""
_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:]+\]:|[0-9.]+:)?[0-9]{1,5}")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_AWAY = (
    "<!doctype html><html lang='az'><meta charset='utf-8'><title>503</title>"
    "<p>Səhifə hazırda cavab vermir. Çəkiliş və arxiv bundan asılı deyil, heç nə itməyib. "
    "Bir azdan yenidən cəhd edin.</p>"
    "<p lang='en'>The page does not answer at the moment. Recording and the archive do not depend on it; nothing is "
    "lost. Try again in a moment.</p>"
    "<p lang='ru'>Страница сейчас не отвечает. Запись и архив от неё не зависят, ничего не потеряно. "
    "Повторите попытку чуть позже.</p></html>\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """How nginx is to run, beside what the archive's own configuration says.

    ``listen`` are ports or ADDRESS:PORT, none for the usual ones; ``certificate`` and ``key`` are those of TLS, both or
    neither; ``state`` is a folder for cache and temporary files; ``user`` is whose processes serve, None to serve as
    whoever starts it; ``workers`` is a number, None for one a core; ``relay`` is a port of the loopback by which its
    cache asks the site.
    """

    listen: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    state: Path = Path("/var/lib/nginx")
    pid: Path = Path("/run/nginx.pid")
    log: Path = Path("/var/log/nginx/error.log")
    user: str | None = "www-data"
    workers: int | None = None
    relay: int = 8081


def render(config: ArchiveConfig, front: Front) -> str:
    """A whole nginx.conf. Raises OperatorError for what nginx could not be told, or would take for something else."""
    if (front.certificate is None) != (front.key is None):
        raise OperatorError("TLS takes a certificate and its key.", hint="Give both --certificate and --key.")
    if config.site.port == 0:
        raise OperatorError("site.port is 0, so nobody knows it beforehand.", hint="Set site.port to a number.")
    if not 0 < front.relay < 65_536 or front.relay == config.site.port:
        raise OperatorError(f"{front.relay} is no port for the relay.", hint="Give --relay a port that is free.")
    tls = front.certificate is not None
    origin = urlsplit(config.site.origin) if config.site.origin else None
    host = _matching(_PLAIN, (origin and origin.hostname) or "localhost", "host")
    address = f"[{config.site.address}]" if ":" in config.site.address else config.site.address
    blanks = {
        "user": "" if front.user is None else f"user {_matching(_USER, front.user, 'user')};",
        "workers": "auto" if front.workers is None else str(front.workers),
        "pid": _place(front.pid),
        "log": _place(front.log),
        "state": _place(front.state),
        "published": _place(config.publish.folder),
        "site": f"{address}:{config.site.port}",
        "relay": str(front.relay),
        "host": host,
        "listen": _listen(front, tls),
        "redirect": _redirect(host) if tls and not front.listen else "",
        "away": _AWAY,
    }
    template = files("archive.site").joinpath("nginx.conf").read_text(encoding="utf-8")
    return _BLANK.sub(lambda blank: blanks[blank[1]], template)


def _listen(front: Front, tls: bool) -> str:
    port = TLS_PORT if tls else PLAIN_PORT
    usual = (str(port), f"[::]:{port}")
    options = " ssl http2" if tls else ""
    lines = [
        f"listen {_matching(_LISTEN, each, 'address to listen at')}{options} backlog=4096;"
        for each in front.listen or usual
    ]
    if front.certificate is not None and front.key is not None:
        lines += [
            f'ssl_certificate "{_place(front.certificate)}";',
            f'ssl_certificate_key "{_place(front.key)}";',
            "ssl_protocols TLSv1.2 TLSv1.3;",
            "ssl_session_cache shared:tls:64m;",
            "ssl_session_timeout 1d;",
            "ssl_session_tickets off;",
        ]
    return "\n".join(f"        {line}" for line in lines)


def _redirect(host: str) -> str:
    return f"""\
    server {{
        listen {PLAIN_PORT};
        listen [::]:{PLAIN_PORT};
        return 301 "https://{host}$request_uri";
    }}
"""


def _place(path: Path) -> str:
    return _matching(_PLAIN, str(path.absolute()), "path")


def _matching(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise OperatorError(f"{value!r} is no {what} that nginx can be told.")
    return value
