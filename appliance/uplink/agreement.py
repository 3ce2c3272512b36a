"""Which line comes next: what the archive's head means for a ledger that may have lost lines, or gained a branch."""

from dataclasses import dataclass

from appliance.uplink.answers import Head
from appliance.uplink.bell import DiskThread
from appliance.uplink.client import ArchiveClient
from appliance.uplink.linebook import LineBook
from appliance.uplink.plan import newest_common


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Both have the lines up to ``common`` (None: none). What follows there is a branch where ``branch``."""

    common: Head | None
    branch: bool

    @property
    def next_seq(self) -> int:
        """The line to send next."""
        return 0 if self.common is None else self.common.seq + 1


async def agree(client: ArchiveClient, disk: DiskThread, lines: LineBook, theirs: Head | None) -> Agreement:
    """What ``theirs``, the archive's head, means here (spec/upload.md, section 5). Raises PeerError."""
    if theirs is None:
        return Agreement(common=None, branch=False)
    if await _has(disk, lines, theirs):
        return Agreement(common=theirs, branch=False)
    tail = await disk.do(lines.tail)
    search = newest_common(-1 if tail is None else tail.head.seq, theirs.seq)
    common: Head | None = None
    while search.ask is not None:
        line = (await client.lines(at=search.ask)).head
        same = line is not None and line.seq == search.ask and await _has(disk, lines, line)
        common = line if same else common
        search = search.told(search.ask, same=same)
    return Agreement(common=common, branch=True)


async def _has(disk: DiskThread, lines: LineBook, head: Head) -> bool:
    ours = await disk.do(lines.line, head.seq)
    return ours is not None and ours.head == head
