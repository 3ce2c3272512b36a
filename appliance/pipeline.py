"""The storage thread's work: pictures in, durable signed lines out. It alone writes the record."""

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path

from appliance.capture.bridge import Break, Dropped
from appliance.capture.camera import AccessUnit
from appliance.lane import Lane
from appliance.ledger.snapshot import write_snapshot
from appliance.ledger.state import LedgerState
from appliance.requests import Requests
from appliance.segment.output import Chunk, Hole, Output, RunBegun, SegmentDone
from appliance.status import camera_status, in_words, is_silent, told
from appliance.store.layout import Layout
from appliance.store.storage import Storage
from appliance.store.unarmed import UnarmedMedia
from appliance.storekeeping import Prunable, Storekeeping
from appliance.upkeep.faults import CAMERA_SILENT, DISK_FULL, DISK_SHORT, TOO_HOT, UNDER_VOLTAGE, Fault
from appliance.upkeep.ladder import CameraState, Ladder, Rung
from appliance.upkeep.space import Space
from base.clock import Clock
from base.durable import Disk, publish
from base.service import Service
from cmaf.avc import codec_string, read_decoder_configuration
from cmaf.track import init_segment
from evidence.lines import Body, Close, Event, Gap, Line, Pruned, Run, Segment
from evidence.words import Cause, Mode

log = logging.getLogger("unbroken.recorder")

ROUND_NS = 1_000_000_000
"""From the end of one sync round to the next. A slow card has fewer rounds because each takes longer; to wait longer as
well would make them grow, for each segment that gathers meanwhile takes a sync of its own."""
RECENT_NS = 30_000_000_000
"""The watchdog is fed while every camera has a committed line this recent."""
LOOK_NS = 100_000_000
"""How often the free space is looked at: what others write meanwhile is far less than the floor."""
PRUNE_NS = 60_000_000_000
SNAPSHOT_NS = 600_000_000_000
WIDEST_NS = 60_000_000_000
"""The window of loss that is shown is the widest of the last minute, or older where none since was as wide."""
USABLE_NS = 5_000_000_000
"""Beyond two groups of pictures: a camera of whose pictures none can be used for so long is started anew."""
AHEAD_NS = 500_000_000
"""A picture that claims to be taken later than this from now is none: the record would have to wait until then."""
WAKE_S = 0.1

Command = Callable[["Pipeline"], dict[str, object]]


class Pipeline:
    """Drives one session. ``step`` does whatever is due; one thread calls it, ``run`` in service, a test by hand."""

    def __init__(
        self,
        *,
        clock: Clock,
        disk: Disk,
        layout: Layout,
        storage: Storage,
        state: LedgerState,
        lanes: Sequence[Lane],
        status_path: Path,
        service: Service,
        arrived: threading.Event,
        before_window: Callable[[], bool],
        ladder: Ladder | None = None,
        faults: Sequence[Fault] = (),
        receipted: Prunable | None = None,
    ) -> None:
        """``state`` is that of the ledger so far, kept up with every commit. ``before_window`` says whether UTC is
        proven to be before the election's window. Without a ``ladder`` nobody would start a new process. ``faults``
        last as long as the session. ``receipted`` are media that the archive holds.
        """
        self.lanes = tuple(lanes)
        self.closed = False
        self.rung: Rung | None = None
        """What the recorder is to end for."""
        self._clock = clock
        self._disk = disk
        self._layout = layout
        self._storage = storage
        self._state = state
        self._status_path = status_path
        self._service = service
        self._arrived = arrived
        self._before_window = before_window
        self._ladder = ladder
        self._faults = tuple(faults)
        self._requests: Requests[Pipeline] = Requests()
        now_ns = clock.boot_ns()
        self._store = Storekeeping(
            space=Space(nominal=sum(lane.bitrate for lane in self.lanes) // 8, now_ns=now_ns),
            reserve=storage.reserve,
            unarmed=UnarmedMedia(state.unarmed.values()),
            receipted=receipted,
        )
        self._looked_ns: int | None = None
        self._urgent = False
        self._round_ended_ns = self._pruned_ns = self._snapshot_ns = self._widest_ns = now_ns
        self._window_of_loss_ns = 0
        for pruned in state.last_pruned:
            self.delete(pruned)
        for lane in self.lanes:
            lane.camera.set_mode(state.mode)

    @property
    def mode(self) -> Mode:
        """What is recorded now counts as this."""
        return self._state.mode

    def submit(self, command: Command) -> "Future[dict[str, object]]":
        """Have ``command`` run on the storage thread; its result comes once everything it enqueued is durable.

        From any thread. Where the pipeline has ended, or ends first, the future raises OperatorError.
        """
        future = self._requests.submit(command)
        self._arrived.set()
        return future

    def enqueue(self, body: Body) -> None:
        """A line for the next commit. For commands."""
        self._storage.enqueue(body)

    def set_mode(self, mode: Mode) -> None:
        """Pictures carry ``mode`` from their next keyframe on; a durable line has armed the unit for it."""
        for lane in self.lanes:
            lane.camera.set_mode(mode)

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set or the record is closed.

        An OSError leaves the outcome of a durable step unknown: the process must end (invariant 9).
        """
        try:
            while not stop.is_set() and not self.closed and self.rung is None:
                self._clock.wait(self._arrived, WAKE_S)
                self._arrived.clear()
                self.step()
        finally:
            self._requests.end()

    def step(self) -> None:
        """Take what has come, do what is due."""
        now_ns = self._clock.boot_ns()
        if self._looked_ns is None or now_ns - self._looked_ns >= LOOK_NS:
            self._looked_ns = now_ns
            self._look_at_space(now_ns)
        for lane in self.lanes:
            self._watch(lane, now_ns, self._drain(lane))
            self._handle(lane, lane.segmenter.idle(now_ns))
        self._urgent |= self._requests.obey(self, until=lambda: self.closed)
        if self._storage.dirty and (self._urgent or now_ns - self._round_ended_ns >= ROUND_NS):
            self.commit()
        self._requests.answer()
        if self._ladder is not None and not self.closed:
            cameras = [CameraState(silent_since_ns=lane.alive_ns, hangs=lane.hangs()) for lane in self.lanes]
            self.rung = self._ladder.rung(now_ns, cameras)

    def commit(self) -> None:
        """One sync round, and what follows from it."""
        self._urgent = False
        for line in self._storage.commit():
            self._state.apply(line)
            self._note(line)
        self._state.reached(self._storage.head)
        now_ns = self._clock.boot_ns()
        between_ns = now_ns - self._round_ended_ns
        if between_ns >= self._window_of_loss_ns or now_ns - self._widest_ns >= WIDEST_NS:
            self._window_of_loss_ns, self._widest_ns = between_ns, now_ns
        self._round_ended_ns = now_ns
        if now_ns - self._pruned_ns >= PRUNE_NS:
            self._pruned_ns = now_ns
            self._storage.reserve.refill()
            if self.mode is Mode.UNARMED and self._before_window() and not self.closed:
                self._prune(self._store.expire())
        if now_ns - self._snapshot_ns >= SNAPSHOT_NS and not self._store.space.full:
            self._snapshot_ns = now_ns
            self._storage.keep_snapshot(write_snapshot(self._state))
        if all(lane.committed_ns is not None and now_ns - lane.committed_ns < RECENT_NS for lane in self.lanes):
            self._service.ready()
            self._service.feed_watchdog()
        self._publish_status()

    def finish(self) -> None:
        """An orderly end of the session: everything captured is committed, and the last line says so, or for which rung
        of the ladder it ends.
        """
        cause = Cause.STOPPED if self.rung is None else Cause.CAMERA
        for lane in self.lanes:
            self._drain(lane)
            if lane.segmenter.open_from_ns is None:
                # What came before the stop has its own cause.
                self._handle(lane, lane.segmenter.account(self._clock.boot_ns(), cause))
            self._handle(lane, lane.segmenter.interrupt(cause))
        if self.rung is None:
            self.enqueue(Event(event="stopped"))
        else:
            silent = ", ".join(lane.id for lane in self.lanes if is_silent(lane, self._clock.boot_ns()))
            hanging = ", ".join(lane.id for lane in self.lanes if lane.hangs())
            self.enqueue(Event(event=self.rung, data={"silent": silent, "hanging": hanging}))
        self.commit()
        self._storage.keep_snapshot(write_snapshot(self._state))

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

    def _drain(self, lane: Lane) -> bool:
        """Take what has come; whether any pictures were among it."""
        before = lane.frames
        for item in lane.bridge.drain():
            match item:
                case AccessUnit():
                    lane.frames += 1
                    if item.boot_ns > self._clock.boot_ns() + AHEAD_NS:
                        lane.segmenter.late += 1
                        # What follows may need it, up to the next keyframe.
                        self._interrupt(lane, Cause.CAMERA)
                    elif not self._store.space.full:
                        self._handle(lane, lane.segmenter.push(item))
                case Dropped():
                    self._interrupt(lane, Cause.OVERLOAD)
                case Break(reason=reason):
                    self._interrupt(lane, Cause.RECONFIGURED if lane.reconfiguring else Cause.CAMERA, new_run=True)
                    lane.reconfiguring = False
                    lane.tried_ns = self._clock.boot_ns()
                    log.warning("camera ended", extra={"fields": {"camera": lane.id, "reason": reason}})
                    # An error's text may hold a file name, and that any bytes; a line holds text.
                    text = reason[:200].encode("utf-8", "replace").decode()
                    self.enqueue(Event(event="camera-restart", camera=lane.id, data={"reason": text}))
        return lane.frames > before

    def _watch(self, lane: Lane, now_ns: int, arrived: bool) -> None:
        """Note when the camera last delivered what can be used; have it started anew where only rubbish comes."""
        newest_ns = lane.segmenter.newest_ns
        if newest_ns != lane.newest_ns or (arrived and self._store.space.full):
            lane.newest_ns, lane.alive_ns = newest_ns, now_ns
        elif arrived:
            patience_ns = USABLE_NS + 2 * lane.picture.gop * 1_000_000_000 // lane.picture.fps
            if now_ns - max(lane.alive_ns, lane.tried_ns) > patience_ns:
                lane.bridge.refuse("none of its pictures can be used")

    def _interrupt(self, lane: Lane, cause: Cause, *, new_run: bool = False) -> None:
        """The camera's pictures end here for now. While the disk is full, that is why nothing is recorded."""
        why = Cause.DISK_FULL if self._store.space.full else cause
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
                self._store.space.wrote(segment.to_ns, segment.size)
                if segment.mode is Mode.UNARMED:
                    key = (segment.camera, self._state.session, segment.run, segment.index)
                    self._store.keep(self._state.unarmed[key])
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

    def _look_at_space(self, now_ns: int) -> None:
        if self.closed:
            return
        step = self._store.look(now_ns)
        self._prune(step.lines)
        for lane in self.lanes:
            if step.stop:
                self._interrupt(lane, Cause.DISK_FULL)
            if step.new_bitrate:
                self._set_bitrate(lane)

    def _set_bitrate(self, lane: Lane) -> None:
        bitrate = lane.picture.bitrate >> self._store.space.level
        data: dict[str, str | int | None] = {"from": lane.bitrate, "to": bitrate, "room": self._store.space.room_bytes}
        lane.bitrate = bitrate
        if not lane.camera.set_bitrate(bitrate):
            lane.reconfiguring = True
            lane.bridge.refuse("started anew for another bitrate")
        self.enqueue(Event(event="bitrate", camera=lane.id, data=data))
        self._urgent = True

    def _prune(self, lines: Sequence[Pruned]) -> None:
        """Their media go once the lines stand, which is at the end of this step."""
        for line in lines:
            self.enqueue(line)
            self._urgent = True

    def faults(self) -> list[Fault]:
        """What is wrong now, the gravest first: what stops video."""
        now_ns = self._clock.boot_ns()
        found = {
            DISK_FULL: self._store.space.full,
            CAMERA_SILENT: any(is_silent(lane, now_ns) for lane in self.lanes),
            DISK_SHORT: self._store.space.level > 0,
            UNDER_VOLTAGE: self._state.under_voltage,
            TOO_HOT: self._state.too_hot,
        }
        faults = [*self._faults, *(fault for fault, is_there in found.items() if is_there)]
        return sorted(faults, key=lambda fault: fault.recording)

    def status(self) -> dict[str, object]:
        """What the unit is doing (docs/reference/control.md). From any thread: it measures nothing anew."""
        reading = self._clock.read()
        delivering = not all(is_silent(lane, reading.boot_ns) for lane in self.lanes)
        return {
            **told(self.faults(), delivering=delivering),
            "mode": self.mode,
            "session": self._state.session,
            "boot_ns": reading.boot_ns,
            "utc_us": reading.utc_us,
            "error_us": reading.error_us,
            "room_bytes": self._store.space.room_bytes,
            "seconds_left": self._store.seconds_left,
            "disk_full": self._store.space.full,
            "receipts_refused": self._store.receipts_refused,
            "sync_ms": self._storage.sync_ns // 1_000_000,
            "window_of_loss_ms": self._window_of_loss_ns // 1_000_000,
            "cameras": [camera_status(lane, reading.boot_ns) for lane in self.lanes],
        }

    def _publish_status(self) -> None:
        status = self.status()
        # For others; recording does not stop because they cannot be told.
        with contextlib.suppress(OSError):
            publish(self._status_path, json.dumps(status).encode())
        now_ns = self._clock.boot_ns()
        self._service.status(in_words(self.mode, self.lanes, self._store.seconds_left / 3600, self.faults(), now_ns))

    def _lane(self, camera: str) -> Lane:
        return next(lane for lane in self.lanes if lane.id == camera)
