"""A unit's life in any order that hypothesis finds; the model is a plain list of what the unit has told as durable.

STATE_MACHINE_EXAMPLES lets it look at more lives than it does by default.
"""

import json
import os
import random
import tempfile
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance import pipeline
from appliance.capture.camera import AccessUnit
from appliance.pipeline import Pipeline
from appliance.store import receipted, unarmed
from appliance.store.pruning import Place
from appliance.upkeep import space
from appliance.upkeep.space import FLOOR_BYTES
from evidence.jws import unseal
from evidence.keys import from_jwk, thumbprint
from evidence.lines import Event, Recovered, Segment, Start, line_hash, read_payload
from evidence.words import Mode
from tests.fakes.checker import Checked, Json, check_record
from tests.fakes.faultydisk import Failure
from tests.fakes.receipts import Acknowledger
from tests.fakes.station import NOON_US, SECOND
from tests.fakes.stepped import SteppedStation, memory_folder, verdict_codes

CAMERAS = ("cam1", "cam2")
STEP_NS = SECOND // 5
KEPT_NS, PRUNE_NS, SETTLING_NS = 10 * SECOND, 5 * SECOND, 5 * SECOND
"""In place of half an hour, a minute and a minute: media expire and bitrates change in a life of a few minutes."""
ROOMS = (0, FLOOR_BYTES // 2 - 1, FLOOR_BYTES - 1, FLOOR_BYTES + (1 << 20), 2 * FLOOR_BYTES - 1)
HARMLESS = {"media-unnamed", "clock-step", "clock-contradiction", "cert-time-unknown"}
"""What a crash and a clock that is set or unset leave."""

cameras = st.sampled_from(CAMERAS)
lasting = st.sampled_from([0, 1, 2, 3, 5, 8])
"""Seconds that pass after something has happened."""
seeds = st.none() | st.integers(0, 2**32 - 1)
"""What a power cut leaves of what was not synced: nothing, or what chance says."""


class Life(RuleBasedStateMachine):
    """One unit with two cameras, from the first start of its recorder to the end of its record."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=memory_folder())
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(unarmed, "KEPT_NS", KEPT_NS)
        self.patch.setattr(pipeline, "PRUNE_NS", PRUNE_NS)
        self.patch.setattr(space, "SETTLING_NS", SETTLING_NS)
        self.patch.setattr(receipted, "LOOK_AGAIN_NS", SECOND)
        self.durable: list[str] = []
        """The model: the hashes of all lines that were told as durable, in order."""
        self.causes = {"starting", "stopping"}
        """Why there may be gaps after what has happened so far."""
        self.taken: dict[tuple[str, str], list[int]] = defaultdict(list)
        """Boot times of the pictures that reached a bridge, by kernel boot and camera."""
        self.acknowledged: set[str] = set()
        """Digests of the media that the archive holds."""
        self.armed = self.failing = False
        self.power_fails_with: tuple[int | None] | None = None
        """What follows once a step of the disk has failed: the power fails too, or only the process dies."""

    @initialize(gop_seconds=st.sampled_from([1, 2, 5]))
    def begin(self, gop_seconds: int) -> None:
        self.station = SteppedStation(Path(self.folder.name) / "unit", cameras=CAMERAS, fps=5, gop_seconds=gop_seconds)
        self.archive = Acknowledger(self.station.authority, self.station.config.data.with_name("receipts"))
        for name, camera in self.station.cameras.items():
            camera.edit = self._note(name)
        self.station.start()

    @rule(seconds=st.integers(1, 20))
    def record(self, seconds: int) -> None:
        self._survive(lambda: self.station.run(seconds, step_ns=STEP_NS))

    @rule()
    def somebody_marks_an_event(self) -> None:
        def mark(to: Pipeline) -> dict[str, object]:
            to.enqueue(Event(event="counting"))
            return {}

        self._survive(lambda: self._told(mark))

    @precondition(lambda self: not self.armed)
    @rule()
    def two_people_arm(self) -> None:
        def arm() -> None:
            self.station.arm(Mode.TEST)
            self.armed = True

        self._survive(arm)

    @rule(seconds=lasting)
    def the_process_dies(self, seconds: int) -> None:
        self._die()
        self._start()
        self.record(seconds)

    @rule(seconds=lasting)
    def the_recorder_is_restarted(self, seconds: int) -> None:
        self.causes.add("stopped")

        def restart() -> None:
            self.station.stop()
            self.station.start()

        self._survive(restart)
        self.record(seconds)

    @rule(keep=seeds, seconds=lasting)
    def the_power_fails(self, keep: int | None, seconds: int) -> None:
        self._lose_power(keep)
        self._start()
        self.record(seconds)

    @rule(
        number=st.integers(0, 120),
        failure=st.sampled_from(Failure),
        power=st.none() | st.tuples(seeds),
        seconds=lasting,
    )
    def a_durable_step_will_fail(
        self, number: int, failure: Failure, power: tuple[int | None] | None, seconds: int
    ) -> None:
        self._die()
        self.failing, self.power_fails_with = True, power
        self._survive(lambda: self.station.start(fail_at=number, failure=failure))
        self.record(seconds)

    @rule(off_s=st.none() | st.integers(-10_000, 10_000), error_us=st.sampled_from([None, 3_000]), seconds=lasting)
    def the_clock_is_set_or_lost(self, off_s: int | None, error_us: int | None, seconds: int) -> None:
        self.station.clock.set_utc(None if off_s is None else NOON_US + off_s * 10**6)
        self.station.clock.error_us = error_us
        self.record(seconds)

    @rule(room_bytes=st.sampled_from([0, FLOOR_BYTES // 2 - 1, FLOOR_BYTES - 1, 2 * FLOOR_BYTES - 1]), seconds=lasting)
    def the_disk_fills_up(self, room_bytes: int, seconds: int) -> None:
        """UNARMED media go first, then the bitrate, then media stop; far below the floor they stop at once."""
        self.causes.add("disk-full")
        self.station.disk.room_bytes = room_bytes
        self.record(seconds)

    @rule(seconds=lasting)
    def the_disk_has_room_again(self, seconds: int) -> None:
        self.station.disk.room_bytes = None
        self.record(seconds)

    @rule(seconds=lasting)
    def a_write_finds_no_room(self, seconds: int) -> None:
        """Where there is a reserve, which gives room."""
        self.station.disk.full = self.station.layout.reserve.exists()
        self.record(seconds)

    @rule(number=st.integers(1, 12), seconds=lasting)
    def the_archive_acknowledges(self, number: int, seconds: int) -> None:
        """Its receipts name the oldest armed media that are still here."""
        session, held = "", list[tuple[Place, str]]()
        for text in self.station.layout.ledger.read_bytes().splitlines():
            body = read_payload(unseal(text).payload).body
            if isinstance(body, Start):
                session = body.kid
            elif isinstance(body, Segment) and body.mode is not Mode.UNARMED:
                place = (body.session if isinstance(body, Recovered) else session, body.camera, body.run, body.index)
                if self.station.layout.segment(*place).exists():
                    held.append((place, body.sha256))
        if held:
            receipt = self.archive.receipt([digest for _, digest in held[:number]])
            self.archive.lay(receipt, [place for place, _ in held[: number + 2]])
            self.acknowledged |= {digest for _, digest in held[:number]}
        self.record(seconds)

    @rule(proven=st.booleans(), seconds=lasting)
    def it_is_proven_to_be_before_the_window(self, proven: bool, seconds: int) -> None:
        self.station.before_window = proven
        self.record(seconds)

    @rule(camera=cameras, seconds=lasting)
    def a_camera_dies(self, camera: str, seconds: int) -> None:
        self.causes.add("camera")
        self.station.cameras[camera].failing = "cable"
        self.record(seconds)

    @rule(camera=cameras, seconds=lasting)
    def a_camera_comes_back(self, camera: str, seconds: int) -> None:
        """As its keeper brings it back: behind a break, as a new encode."""
        dead = self.station.cameras[camera]
        if dead.failing:
            dead.failing = None
            (lane,) = [lane for lane in self.station.pipeline.lanes if lane.id == camera]
            lane.bridge.put_break("cable")
            dead.start(lane.bridge.put)
        self.record(seconds)

    @invariant()
    def what_was_told_as_durable_is_a_prefix_of_the_ledger(self) -> None:
        held = [line_hash(line) for line in self.station.layout.ledger.read_bytes().split(b"\n")[:-1]]
        assert held[: len(self.durable)] == self.durable
        path = self.station.config.run / "head.json"
        head = json.loads(path.read_bytes())
        assert held[head["seq"]] == head["sha256"]
        self.durable = held[: head["seq"] + 1]

    def teardown(self) -> None:
        try:
            if hasattr(self, "station"):
                self._end()
        finally:
            self.patch.undo()
            self.folder.cleanup()

    def _end(self) -> None:
        """Everything is well again, and the record is closed."""
        self.station.disk.room_bytes, self.station.disk.full = None, False
        for name in CAMERAS:
            self.a_camera_comes_back(name, seconds=2)
        if self.failing:
            self._die()
            self._start()
        self.station.close()
        self.what_was_told_as_durable_is_a_prefix_of_the_ledger()
        # Invariants 1, 2, 3 and 5: the second checker asks each of them of every line and every file.
        checked = check_record(self.station.config.data)
        assert [line_hash(text) for text in checked.texts] == self.durable
        assert verdict_codes(self.station) <= HARMLESS
        gone = {str(line["sha256"]) for line in checked.lines if "path" in line and "checked" not in line}
        armed = {str(line["sha256"]) for line in checked.lines if "path" in line and line["mode"] != "UNARMED"}
        assert gone & armed <= self.acknowledged
        # Invariants 2 and 6: no gap without its reason, and a clock is none.
        assert {str(gap["cause"]) for gap in checked.kinds("gap")} <= self.causes
        self._count_pictures(checked)

    def _count_pictures(self, checked: Checked) -> None:
        """Invariant 6: a segment holds what its camera delivered in its time, each picture once."""
        boots: dict[str, str] = {}
        session = ""
        for line in checked.lines:
            if line["kind"] == "start":
                session = thumbprint(from_jwk(cast("Json", line["session"])))
                boots[session] = str(line["boot_id"])
            elif line["kind"] in ("segment", "recovered"):
                boot = boots[str(line.get("session", session))]
                taken = self.taken[boot, str(line["camera"])]
                within = [bisect_left(taken, cast("int", line[end])) for end in ("from_ns", "to_ns")]
                assert within[1] - within[0] == line["frames"], line

    def _note(self, name: str) -> Callable[[AccessUnit], AccessUnit]:
        def note(unit: AccessUnit) -> AccessUnit:
            self.taken[self.station.boot, name].append(unit.boot_ns)
            return unit

        return note

    def _told(self, command: Callable[[Pipeline], dict[str, object]]) -> None:
        """An answer comes once the line stands."""
        lines = self.station.layout.ledger.read_bytes().count(b"\n")
        self.station.command(command)
        assert self.station.layout.ledger.read_bytes().count(b"\n") > lines

    def _start(self) -> None:
        self._survive(self.station.start)

    def _die(self) -> None:
        self.what_was_told_as_durable_is_a_prefix_of_the_ledger()
        self.causes.add("crash")
        self.failing = False
        self.station.kill()
        self._keep_what_the_reserve_gave()

    def _lose_power(self, keep: int | None) -> None:
        self.what_was_told_as_durable_is_a_prefix_of_the_ledger()
        self.causes.add("power")
        self.failing = False
        self.station.lose_power(None if keep is None else random.Random(keep))
        self._keep_what_the_reserve_gave()

    def _keep_what_the_reserve_gave(self) -> None:
        """A process may end between giving the reserve up and writing into its room."""
        self.station.disk.full = self.station.disk.full and self.station.layout.reserve.exists()

    def _survive(self, action: Callable[[], object]) -> None:
        """Do it; where the step fails that is to fail, the process ends at once, and another one starts."""
        try:
            action()
        except OSError:
            assert self.failing
            assert self.station.disk.failed
            assert not self.station.disk.after_failure, "a step failed and the process went on"
            power = self.power_fails_with
            if power is None:
                self._die()
            else:
                self._lose_power(power[0])
            self.station.start()
        else:
            assert not (self.failing and self.station.disk.failed), "a step failed and the process went on"


Life.TestCase.settings = settings(
    max_examples=int(os.environ.get("STATE_MACHINE_EXAMPLES", "120")), stateful_step_count=20
)
test_a_unit_keeps_its_word_whatever_happens_in_whatever_order = Life.TestCase
