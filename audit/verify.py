"""Verifies what lies on disk: reads files, spreads the work over processes; every judgement is ``evidence``'s."""

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from audit.clips import verify_clip
from audit.files import open_regular, printable
from audit.inspect import Faults, Label, Look, look_at
from audit.ledgers import MAX_UNREADABLE_LINES, read_lines, read_names
from audit.loose import Loose, label_all, report_alone, report_unnamed
from audit.sources import Sources, find_sources
from audit.stations import join_stations
from base.errors import OperatorError
from evidence.certificate import Trust
from evidence.codes import Code
from evidence.verify.findings import Place
from evidence.verify.forks import History, judge_forks
from evidence.verify.keyring import Opened, check_signatures
from evidence.verify.media import Expected
from evidence.verify.record import MediaTask, Record
from evidence.verify.verdict import Answer, write_answer
from evidence.verify.verifier import Verifier

Progress = Callable[[int], None]
"""Told how many more bytes of ledgers are done."""

_LINES_PER_BATCH = 256
_FILES_PER_BATCH = 8
_BLOCK_BYTES = 1 << 16
_SMALL_LEDGER_BYTES = 256 << 10
"""Below this, starting processes takes longer than the work."""

P = ParamSpec("P")
T = TypeVar("T")


def verify(
    paths: Sequence[Path],
    *,
    trust: Trust,
    jobs: int = 1,
    decode: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """The answer of spec/verify.md, section 5, for all records among ``paths``.

    Of a segment that is here, memory keeps 44 bytes; it does not depend on ``jobs`` beyond the processes' own.
    Raises OperatorError where there is nothing to verify.
    """
    sources = find_sources(list(paths))
    ledger_bytes = sum(path.stat().st_size for path in sources.ledgers)
    small = ledger_bytes < _SMALL_LEDGER_BYTES and not decode
    with _workers(1 if small and len(sources.loose) < 2 * _FILES_PER_BATCH else jobs) as pool:
        labels = label_all(pool, sources.loose)
        clips = [verify_clip(path, trust, decode=decode) for path in sources.clips]
        if not sources.ledgers:
            return write_answer(_require_any(report_alone(pool, sources, labels) + clips, sources))
        checker = _Checker(sources, labels, trust, pool, jobs, decode, progress or _ignore)
        records = [
            checker.verify_unit(_branches(ledgers), archived=sources.archived.issuperset(ledgers))
            for ledgers in _units(sources.ledgers)
        ]
        records += report_unnamed(records, sources, checker.loose.unused())
    for record in records:
        record.finish()
    answer = write_answer(records + clips)
    stations = join_stations(write_answer(records))
    return {**answer, "stations": stations} if stations else answer


def _units(ledgers: Sequence[Path]) -> list[list[Path]]:
    """The ledgers of each unit, the longest first. One without a readable ``start`` stands alone."""
    units: dict[object, list[Path]] = {}
    for path in ledgers:
        units.setdefault(read_names(path) or path, []).append(path)
    return [sorted(found, key=lambda path: -path.stat().st_size) for found in units.values()]


def _branches(ledgers: Sequence[Path]) -> list[Path]:
    """Without those that are the beginning of another, or the same once more: they say nothing of their own."""
    kept: list[Path] = []
    for path in ledgers:
        if not any(_begins(other, path) for other in kept):
            kept.append(path)
    return kept


def _begins(longer: Path, shorter: Path) -> bool:
    """Whether ``longer`` begins with all bytes of ``shorter``, which are whole lines."""
    with open_regular(longer) as one, open_regular(shorter) as two:
        last = b""
        while block := two.read(_BLOCK_BYTES):
            if one.read(len(block)) != block:
                return False
            last = block
    return last.endswith(b"\n")


def _require_any(records: list[Record], sources: Sources) -> list[Record]:
    if not records:
        where = ", ".join(printable(str(path)) for path in (*sources.folders, *sources.loose))
        raise OperatorError(
            f"No ledger and no segment in {where}.", hint="Give a unit's folder, a ledger or a segment."
        )
    return records


class _Checker:
    """Carries lines and media to the workers and the results back to the rules. At most a few batches are under way."""

    def __init__(
        self,
        sources: Sources,
        labels: Sequence[Label],
        trust: Trust,
        pool: Executor,
        jobs: int,
        decode: bool,
        progress: Progress,
    ) -> None:
        self._sources, self._trust, self._pool, self._decode = sources, trust, pool, decode
        self._progress = progress
        self.loose = Loose(labels)
        self._most_under_way = 4 * jobs
        self._tasks: list[MediaTask] = []
        self._looking: deque[tuple[list[MediaTask], Future[list[Faults | None]]]] = deque()
        self._unchecked = False

    def verify_unit(self, ledgers: Sequence[Path], *, archived: bool) -> Record:
        """One unit's ledgers, as branches where they part (step 10); ``archived`` as in ``Record``."""
        record, histories, closed = self._judge_all(ledgers, None, archived=archived)
        forks = judge_forks(histories)
        since = min((fork.seq for fork in forks if fork.code is Code.EQUIVOCATION), default=None)
        if since is not None:
            record, _, _ = self._judge_all(ledgers, since, archived=archived)
        for seq, code in sorted({(fork.seq, fork.code) for fork in forks}):
            record.findings.add(code, Place(seq=seq))
        record.closed = bool(closed - {fork.abandoned for fork in forks})
        return record

    def _judge_all(
        self, ledgers: Sequence[Path], until_seq: int | None, *, archived: bool
    ) -> tuple[Record, list[History], set[int]]:
        """The record, the lines of each ledger where there are several, and the numbers of those that are closed."""
        record = Record(archived=archived)
        histories: list[History] = []
        closed: set[int] = set()
        self._unchecked = False
        for number, path in enumerate(ledgers):
            history = History() if len(ledgers) > 1 else None
            verifier = Verifier(self._trust, record, history=history, known=tuple(histories), until_seq=until_seq)
            self._judge_lines(path, verifier, record)
            verifier.finish()
            if verifier.closed:
                closed.add(number)
            if history is not None:
                histories.append(history)
        if not self._trust.roots:
            record.findings.add(Code.NO_TRUST, Place())
        if self._unchecked:
            record.findings.add(Code.MEDIA_UNCHECKED, Place())
        return record, histories, closed

    def _judge_lines(self, path: Path, verifier: Verifier, record: Record) -> None:
        under_way: deque[tuple[list[Opened], Future[list[bool]]]] = deque()
        batch: list[Opened] = []
        done = torn = unreadable = 0
        for raw in read_lines(path):
            if raw.torn:
                torn = 1
                break
            batch.append(verifier.open(raw.text))
            unreadable = unreadable + 1 if batch[-1].line is None else 0
            if unreadable == MAX_UNREADABLE_LINES:
                break
            if len(batch) == _LINES_PER_BATCH:
                under_way.append((batch, self._check(batch)))
                batch = []
                if len(under_way) > self._most_under_way:
                    self._take(*under_way.popleft(), verifier, record)
                self._progress(raw.end - done)
                done = raw.end
        under_way.append((batch, self._check(batch)))
        for opened, results in under_way:
            self._take(opened, results, verifier, record)
        if torn:
            verifier.torn_tail()
        self._look(record, all_of_them=True)
        self._progress(path.stat().st_size - done)

    def _check(self, batch: Sequence[Opened]) -> Future[list[bool]]:
        return self._pool.submit(check_signatures, [opened.check for opened in batch if opened.check is not None])

    def _take(self, batch: list[Opened], results: Future[list[bool]], verifier: Verifier, record: Record) -> None:
        good = iter(results.result())
        for opened in batch:
            for task in verifier.take(opened, next(good) if opened.check is not None else True):
                self._tasks.append(task)
            if len(self._tasks) >= _FILES_PER_BATCH:
                self._look(record)

    def _look(self, record: Record, *, all_of_them: bool = False) -> None:
        """Send tasks to the workers; settle what came back."""
        tasks, self._tasks = self._tasks, []
        placed: list[MediaTask] = []
        looks: list[Look] = []
        for task in tasks:
            expected = task.expected
            paths = [str(folder / expected.path) for folder in self._sources.folders]
            paths += self.loose.find(expected)
            if isinstance(expected, Expected):
                sha256 = expected.segment.sha256
                # As a store keeps it, and as it is fetched from a public site.
                names = (sha256, f"{sha256}.m4s")
                paths += [str(store / sha256[:2] / name) for store in self._sources.stores for name in names]
            if paths or self._sources.whole:
                placed.append(task)
                looks.append(Look(tuple(paths), expected, self._decode))
            else:
                self._unchecked = True
                record.settle(task, ())
        if placed:
            self._looking.append((placed, self._pool.submit(look_at, looks)))
        while self._looking and (all_of_them or len(self._looking) > self._most_under_way):
            looked, results = self._looking.popleft()
            for task, faults in zip(looked, results.result(), strict=True):
                record.settle(task, faults)


class _Inline(Executor):
    """Does the work where it is asked for it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def _workers(jobs: int) -> Iterator[Executor]:
    if jobs <= 1:
        yield _Inline()
        return
    # A fork server has no threads of ours, so that this may be called from a program that has some.
    context = get_context("forkserver")
    context.set_forkserver_preload(["audit.inspect", "evidence.verify.keyring"])
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_interrupts) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _leave_interrupts() -> None:
    """Ctrl-C ends the parent, which ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _ignore(_: int) -> None:
    pass
