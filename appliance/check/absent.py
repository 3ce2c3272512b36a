"""Which segments the ledger names, which of them it says were pruned, and which are not there."""

from collections import defaultdict
from collections.abc import Iterator

from evidence.lines import Pruned
from evidence.verify.ranges import Ranges

RunKey = tuple[str, str, int]
"""Session, camera and number of a run."""


class Segments:
    """By run. Memory grows with runs and with what is not there, not with segments."""

    def __init__(self) -> None:
        self._named: defaultdict[RunKey, Ranges] = defaultdict(Ranges)
        self._pruned: defaultdict[RunKey, Ranges] = defaultdict(Ranges)
        self._absent: defaultdict[RunKey, dict[int, int]] = defaultdict(dict)

    def name(self, key: RunKey, index: int) -> None:
        """A line names the segment."""
        self._named[key].add(index, index + 1)

    def names(self, key: RunKey, index: int) -> bool:
        """Whether a line names it."""
        return key in self._named and index in self._named[key]

    def miss(self, key: RunKey, index: int, line: int) -> None:
        """The segment that ``line`` names is not there. A ``pruned`` line may explain it, before or after."""
        if index not in self._pruned[key]:
            self._absent[key][index] = line

    def prune(self, pruned: Pruned) -> None:
        """A ``pruned`` line."""
        key = (pruned.session, pruned.camera, pruned.run)
        self._pruned[key].add(pruned.from_index, pruned.to_index)
        absent = self._absent[key]
        for index in [index for index in absent if pruned.from_index <= index < pruned.to_index]:
            del absent[index]

    def missing(self) -> Iterator[tuple[RunKey, int, int]]:
        """What is not there and was not pruned: run, index, and the line that names it."""
        for key, absent in self._absent.items():
            for index, line in absent.items():
                yield key, index, line
