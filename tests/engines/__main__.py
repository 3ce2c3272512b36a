"""The engines by hand: ``python -m tests.engines s3`` or ``postgres`` says how to reach one, until Ctrl-C ends it."""

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from tests.engines.gateway import Gateway
from tests.engines.postgres import Postgres
from tests.engines.signed import make_bucket


def main(engine: str) -> int:
    """Start it, wait, end it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="engines-") as folder, contextlib.suppress(KeyboardInterrupt):
        Path(folder).chmod(0o711)
        match engine:
            case "s3":
                gateway = Gateway(Path(folder) / "s3")
                try:
                    gateway.start()
                    make_bucket(gateway.endpoint, "media")
                    print(f'[s3]\nbucket = "media"\nendpoint = "{gateway.endpoint}"\nplain_http = true')
                    print(f'credentials = "{gateway.credentials}"', flush=True)
                    signal.pause()
                finally:
                    gateway.stop()
            case "postgres":
                postgres = Postgres(Path(folder) / "postgres")
                try:
                    postgres.start()
                    url = postgres.url_with_password(postgres.new_database())
                    print(f'[disk]\ndatabase = "{url}"', flush=True)
                    signal.pause()
                finally:
                    postgres.stop()
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or [""]))
