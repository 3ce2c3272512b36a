"""Reads all units' accounts ahead, one after the other, so that no viewer waits for a whole day to be read."""

import logging
from threading import Event
from time import monotonic

from archive.account.accounts import Accounts
from archive.index.reading import IndexReader
from archive.names import UnitName

_REST = 1.0
"""Of each two seconds one is left to whoever asks."""
_ROUND_S = 60.0
"""A round begins no sooner after the one before: what came meanwhile takes milliseconds for each unit."""
_AGAIN_S = 10.0
_log = logging.getLogger("archive")


def read_ahead(accounts: Accounts, reader: IndexReader, stop: Event) -> None:
    """Go on until ``stop``: of a thread of its own. An index that cannot be read is tried again.

    Of more units than accounts are kept, those that changed last: the others would only push each other out.
    """
    while not stop.is_set():
        began = monotonic()
        try:
            units = reader.changed(-1)[-accounts.most :]
            for row in reversed(units):
                if stop.wait(_one(accounts, row.name)):
                    return
        except OSError as error:
            _log.warning("accounts cannot be read ahead", extra={"fields": {"error": str(error)}})
            stop.wait(_AGAIN_S)
            continue
        stop.wait(max(0.0, began + _ROUND_S - monotonic()))


def _one(accounts: Accounts, name: UnitName) -> float:
    """Seconds to rest after it."""
    began = monotonic()
    accounts.read_ahead(name)
    return _REST * (monotonic() - began)
