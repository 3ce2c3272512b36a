"""What the public sees of a centre, each a process of its own: publisher, site, and nginx in front of both."""

import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from archive.config import load_config
from bench.centre import Centre
from bench.program import Program
from tests.fakes.nginx import RunningNginx


class PublicSide:
    """A context manager over the archive that `Centre.archive` runs; on entry everybody listens."""

    def __init__(self, centre: Centre, *, workers: int = 2, data: str = "data") -> None:
        """``workers`` are nginx's; ``data`` names the archive's folder."""
        self._path = (centre.folder / "archive" / f"{data}.toml").resolve()
        self.config = load_config(self._path)
        folder = centre.folder.resolve()
        front = RunningNginx(folder / "nginx", self.config, workers=workers)
        self.port = front.port
        self.publisher = self._program("publish", folder)
        self.site = self._program("site", folder)
        self.nginx = Program(front.command, folder / "nginx" / "said")
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for program in (self.publisher, self.site, self.nginx):
            self._stack.enter_context(program)
        self.site.listen(self.config.site.port)
        self.nginx.listen(self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _program(self, verb: str, folder: Path) -> Program:
        command: list[str | Path] = [sys.executable, "-m", "unbroken", "archive", verb, "--config", self._path]
        return Program(command, folder / f"{verb}.log")
