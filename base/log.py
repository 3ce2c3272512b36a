"""Logs: a constant phrase and fields, one line each, to standard error, which the journal keeps. Never evidence."""

import logging
import sys


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        told = "".join(f" {name}={value!r}" for name, value in fields.items())
        return f"{record.levelname.lower()} {record.name}: {record.getMessage()}{told}"


def begin_logging(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
