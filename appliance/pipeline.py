"""The storage thread's work: pictures in, durable signed lines out. It alone writes the record."""

import contextlib
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.capture.bridge import Break, Dropped
from appliance.capture.camera import AccessUnit
from appliance.lane import Lane
from appliance.segment.output import Chunk, Hole, Output, RunBegun, SegmentDone
from appliance.store.layout import Layout
from appliance.store.storage import Storage
from appliance.store.unarmed import UnarmedMedia
from base.clock import Clock
from base.durable import Disk, publish
from base.errors import OperatorError
from base.service import Service
from cmaf.avc import codec_string, read_decoder_configuration
from cmaf.track import init_segment
from evidence.lines import Body, Close, Event, Gap, Line, Pruned, Run, Segment
from evidence.words import Cause, Mode

log = logging.getLogger("unbroken.recorder")

ROUND_NS = 1_000_000_000
"""From the end of one sync round to the next. A slow card has fewer rounds because each takes longer; to wait longer as
well would make them grow, for each segment that gathers meanwhile takes a sync of its own."""
FLOOR_BYTES = 64 << 20
"""Free space below which no new media are written; the reserve lies beyond it."""
RECENT_NS = 30_000_000_000
"""The watchdog is fed while every camera has a committed line this recent."""
LOOK_NS = 100_000_000
"""How often the free space is looked at: what others write meanwhile is far less than the floor."""
PRUNE_NS = 60_000_000_000
WAKE_S = 0.1

Command = Callable[["Pipeline"], dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    camera: str
    session: str
    run: int
    index: int
    length_ns: int


class Pipeline:
    """Drives one session. ``step`` does whatever is due; one thread calls it, ``run`` in service, a test by hand."""

    def __init__(
        self,
        *,
        clock: Clock,
        disk: Disk,
        layout: Layout,
        session: str,
        storage: Storage,
        lanes: Sequence[Lane],
        unarmed: UnarmedMedia,
        mode: Mode,
        status_path: Path,
        service: Service,
        arrived: threading.Event,
        before_window: Callable[[], bool],
    ) -> None:
        """``before_window`` says whether UTC is proven to be before the election's window."""
        self.lanes = tuple(lanes)
        self.mode = mode
        self.closed = False
        self._clock = clock
        self._disk = disk
        self._layout = layout
        self._session = session
        self._storage = storage
        self._unarmed = unarmed
        self._status_path = status_path
        self._service = service
        self._arrived = arrived
        self._before_window = before_window
        self._commands: deque[tuple[Command, Future[dict[str, object]]]] = deque()
        self._unanswered: list[tuple[Future[dict[str, object]], dict[str, object]]] = []
        self._ended = False
        self._full = False
        self._looked_ns: int | None = None
        self._urgent = False
        self._round_ended_ns = clock.boot_ns()
        self._pruned_ns = clock.boot_ns()
        self._window_of_loss_ns = 0
        for lane in self.lanes:
            lane.camera.set_mode(mode)

    def submit(self, command: Command) -> "Future[dict[str, object]]":
        """Have ``command`` run on the storage thread; its result comes once everything it enqueued is durable.

        From any thread. Where the pipeline has ended, or ends first, the future raises OperatorError.
        """
        future: Future[dict[str, object]] = Future()
        self._commands.append((command, future))
        self._arrived.set()
        if self._ended:
            self._refuse_commands()
        return future

    def enqueue(self, body: Body) -> None:
        """A line for the next commit. For commands."""
        self._storage.enqueue(body)

    def set_mode(self, mode: Mode) -> None:
        """Pictures carry ``mode`` from their next keyframe on."""
        self.mode = mode
        for lane in self.lanes:
            lane.camera.set_mode(mode)

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set or the record is closed.

        An OSError leaves the outcome of a durable step unknown: the process must end (invariant 9).
        """
        try:
            while not stop.is_set() and not self.closed:
                self._clock.wait(self._arrived, WAKE_S)
                self._arrived.clear()
                self.step()
        finally:
            self._ended = True
            self._refuse_commands()

    def step(self) -> None:
        """Take what has come, do what is due."""
        now_ns = self._clock.boot_ns()
        if self._looked_ns is None or now_ns - self._looked_ns >= LOOK_NS:
            self._looked_ns = now_ns
            self._look_at_space()
        for lane in self.lanes:
            self._drain(lane)
            self._handle(lane, lane.segmenter.idle(now_ns))
        self._obey()
        if self._storage.dirty and (self._urgent or now_ns - self._round_ended_ns >= ROUND_NS):
            self.commit()
        while self._unanswered:
            future, result = self._unanswered.pop()
            future.set_result(result)

    def commit(self) -> None:
        """One sync round, and what follows from it."""
        self._urgent = False
        for line in self._storage.commit():
            self._note(line)
        now_ns = self._clock.boot_ns()
        self._window_of_loss_ns = now_ns - self._round_ended_ns
        self._round_ended_ns = now_ns
        if now_ns - self._pruned_ns >= PRUNE_NS:
            self._pruned_ns = now_ns
            self._storage.reserve.refill()
            if self.mode is Mode.UNARMED and self._before_window() and not self.closed:
                self._prune(self._unarmed.expire())
        if all(lane.committed_ns is not None and now_ns - lane.committed_ns < RECENT_NS for lane in self.lanes):
            self._service.ready()
            self._service.feed_watchdog()
        self._publish_status()

    def finish(self) -> None:
        """An orderly end of the session: everything captured is committed, and the last line says so."""
        for lane in self.lanes:
            self._drain(lane)
            if lane.segmenter.open_from_ns is None:
                # What came before the stop has its own cause.
                self._handle(lane, lane.segmenter.account(self._clock.boot_ns(), Cause.STOPPED))
            self._handle(lane, lane.segmenter.interrupt(Cause.STOPPED))
        self.enqueue(Event(event="stopped"))
        self.commit()

    def close_record(self, by: str) -> None:
        """The end of the record. Cameras must have been stopped."""
        for lane in self.lanes:
            self._drain(lane)
        end_ns = self._clock.boot_ns()
        for lane in self.lanes:
            if lane.segmenter.open_from_ns is not None:
                self._handle(lane, lane.segmenter.interrupt(Cause.STOPPING))
            end_ns = max(end_ns, lane.segmenter.covered_ns)
        for lane in self.lanes:
            self._handle(lane, lane.segmenter.account(end_ns, Cause.STOPPING))
        self.enqueue(Close(to_ns=end_ns, by=by))
        self.closed = True
        self.commit()

    def _drain(self, lane: Lane) -> None:
        for item in lane.bridge.drain():
            match item:
                case AccessUnit():
                    lane.frames += 1
                    if not self._full:
                        self._handle(lane, lane.segmenter.push(item))
                case Dropped():
                    self._interrupt(lane, Cause.OVERLOAD)
                case Break(reason=reason):
                    self._interrupt(lane, Cause.CAMERA, new_run=True)
                    log.warning("camera ended", extra={"fields": {"camera": lane.id, "reason": reason}})
                    # An error's text may hold a file name, and that any bytes; a line holds text.
                    told = reason[:200].encode("utf-8", "replace").decode()
                    self.enqueue(Event(event="camera-restart", camera=lane.id, data={"reason": told}))

    def _interrupt(self, lane: Lane, cause: Cause, *, new_run: bool = False) -> None:
        """The camera's pictures end here for now. While the disk is full, that is why nothing is recorded."""
        why = Cause.DISK_FULL if self._full else cause
        self._handle(lane, lane.segmenter.interrupt(why, new_run=new_run))

    def _handle(self, lane: Lane, outputs: Sequence[Output]) -> None:
        for output in outputs:
            match output:
                case RunBegun():
                    self._begin_run(lane, output)
                case Chunk(run=run, index=index, data=data):
                    self._storage.media.append(lane.id, run, index, data)
                case SegmentDone() as done:
                    self._finish_segment(lane, done)
                case Hole(from_ns=from_ns, to_ns=to_ns, cause=cause):
                    self.enqueue(Gap(camera=lane.id, from_ns=from_ns, to_ns=to_ns, cause=cause))
                    self._urgent = True

    def _begin_run(self, lane: Lane, begun: RunBegun) -> None:
        track = begun.track
        written = self._storage.media.begin_run(lane.id, begun.run, init_segment(track))
        self.enqueue(
            Run(
                camera=lane.id,
                run=begun.run,
                source=lane.camera.source,
                init_sha256=written.sha256,
                mask_sha256=lane.mask_sha256,
                width=track.width,
                height=track.height,
                timescale=track.timescale,
                fps=lane.picture.fps,
                codec=codec_string(read_decoder_configuration(track.avcc).sps),
            )
        )
        # A run that no line opens could not be recovered after a crash.
        self._urgent = True

    def _finish_segment(self, lane: Lane, done: SegmentDone) -> None:
        written = self._storage.media.finish(lane.id)
        self.enqueue(Segment(camera=lane.id, sha256=written.sha256, size=written.size_bytes, **asdict(done)))

    def _note(self, line: Line) -> None:
        """A line has become durable."""
        match line.body:
            case Segment() as segment:
                lane = self._lane(segment.camera)
                lane.committed_ns = lane.segment_ns = segment.to_ns
                if segment.mode is Mode.UNARMED:
                    self._unarmed.add(
                        _Kept(
                            camera=segment.camera,
                            session=self._session,
                            run=segment.run,
                            index=segment.index,
                            length_ns=segment.to_ns - segment.from_ns,
                        )
                    )
            case Gap(camera=camera, to_ns=to_ns):
                self._lane(camera).committed_ns = to_ns
            case Pruned() as pruned:
                self.delete(pruned)
            case _:
                pass

    def delete(self, pruned: Pruned) -> None:
        """Remove what a durable line says is pruned. Repeating it after a crash does no harm."""
        for index in range(pruned.from_index, pruned.to_index):
            self._disk.remove(self._layout.segment(pruned.session, pruned.camera, pruned.run, index))

    def _look_at_space(self) -> None:
        """Near a full disk: UNARMED media go first, then media stop and the gaps say why.

        Far below the floor media stop at once, and go on when enough has gone: writing them could fail before.
        """
        room = self._storage.reserve.room_bytes()
        if room >= 2 * FLOOR_BYTES:
            self._full = False
        elif (room < FLOOR_BYTES or self._full) and not self.closed:
            pruned = self._unarmed.shrink()
            self._prune(pruned)
            if not self._full and (not pruned or room < FLOOR_BYTES // 2):
                self._full = True
                for lane in self.lanes:
                    self._interrupt(lane, Cause.DISK_FULL)

    def _prune(self, lines: Sequence[Pruned]) -> None:
        """Their media go once the lines stand, which is at the end of this step."""
        for line in lines:
            self.enqueue(line)
            self._urgent = True

    def _obey(self) -> None:
        """Run the commands that have come. Their answers wait until what they enqueued is durable."""
        while self._commands and not self.closed:
            command, future = self._commands.popleft()
            # From here on the asker can no longer cancel it.
            if not future.set_running_or_notify_cancel():
                continue
            try:
                answer = command(self)
            except OperatorError as error:
                future.set_exception(error)
            except BaseException as error:
                future.set_exception(_ended())
                raise error
            else:
                self._unanswered.append((future, answer))
                self._urgent = True

    def _refuse_commands(self) -> None:
        for future, _ in self._unanswered:
            future.set_exception(_ended())
        self._unanswered = []
        while self._commands:
            with contextlib.suppress(IndexError):
                _, future = self._commands.popleft()
                if future.set_running_or_notify_cancel():
                    future.set_exception(_ended())

    def status(self) -> dict[str, object]:
        """What the unit is doing, for the lamp, the console and ``unbroken station status``."""
        reading = self._clock.read()
        cameras = [
            {
                "camera": lane.id,
                "source": lane.camera.source,
                "recorded_to_ns": lane.segment_ns,
                "accounted_to_ns": lane.committed_ns,
                "pictures_in": lane.bridge.traffic().pictures_in,
                "pictures_dropped": lane.bridge.traffic().pictures_dropped,
                "pictures_late": lane.segmenter.late,
                "pictures_undecodable": lane.segmenter.undecodable,
            }
            for lane in self.lanes
        ]
        return {
            "mode": self.mode,
            "session": self._session,
            "boot_ns": reading.boot_ns,
            "utc_us": reading.utc_us,
            "error_us": reading.error_us,
            "room_bytes": self._storage.reserve.room_bytes(),
            "disk_full": self._full,
            "sync_ms": self._storage.sync_ns // 1_000_000,
            "window_of_loss_ms": self._window_of_loss_ns // 1_000_000,
            "cameras": cameras,
        }

    def _publish_status(self) -> None:
        # For others; recording does not stop because they cannot be told.
        with contextlib.suppress(OSError):
            publish(self._status_path, json.dumps(self.status()).encode())

    def _lane(self, camera: str) -> Lane:
        return next(lane for lane in self.lanes if lane.id == camera)


def _ended() -> OperatorError:
    return OperatorError("The recorder is ending.", hint="Look at: unbroken station status")
