"""Keeps one camera delivering: starts it, notices when it stops, starts it again."""

import contextlib
import threading
from collections.abc import Iterator

from appliance.capture.bridge import Bridge
from appliance.capture.camera import HANGING, Camera
from base.clock import Clock
from base.errors import OperatorError

PATIENCE_NS = 5_000_000_000
"""Without a picture for so long, a camera is taken for dead."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
POLL_S = 0.25
HANGING_NS = 30_000_000_000
"""Longer than any driver takes to start or to stop."""


class Keeper:
    """One thread a camera. Each end of an encode is a ``Break`` in the bridge, behind its last picture.

    Between tries it waits 1, 2, 4 … 30 s; pictures that came make the next wait short again.
    """

    def __init__(self, camera: Camera, bridge: Bridge, clock: Clock) -> None:
        self._camera = camera
        self._bridge = bridge
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera.source}", daemon=True)
        self._unanswered_ns: int | None = None
        """Since when the driver has been asked to start or stop and has not answered."""

    def hangs(self) -> bool:
        """Whether the driver does not answer: only a new process can help. From any thread."""
        since_ns = self._unanswered_ns
        return since_ns is not None and self._clock.boot_ns() - since_ns > HANGING_NS

    def start(self) -> None:
        """Begin. Never raises for what the camera does."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End the encode. True if every captured picture has reached the bridge; False if the camera hangs."""
        self._stop.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stop.is_set():
            before = self._bridge.traffic().pictures_in
            self._bridge.take_refusal()
            reason = self._encode()
            if self._stop.is_set():
                return
            self._bridge.put_break(reason)
            delivered = self._bridge.traffic().pictures_in > before
            wait_s = FIRST_WAIT_S if delivered else min(2 * wait_s, LONGEST_WAIT_S)
            self._clock.wait(self._stop, wait_s)

    def _encode(self) -> str:
        """One encode from start to end, and why it ended."""
        try:
            with self._answering():
                self._camera.start(self._bridge.put)
            try:
                return self._watch()
            finally:
                with self._answering():
                    self._camera.stop()
        except OperatorError as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """Around a call that a driver may never come back from, or that the camera gives up."""
        if self._unanswered_ns is None:
            self._unanswered_ns = self._clock.boot_ns()
        try:
            yield
        finally:
            if self._camera.failure() != HANGING:
                self._unanswered_ns = None

    def _watch(self) -> str:
        alive_ns = self._clock.boot_ns()
        newest_ns = self._bridge.traffic().last_boot_ns
        while not self._clock.wait(self._stop, POLL_S):
            failure = self._camera.failure() or self._bridge.take_refusal()
            if failure is not None:
                return failure
            # Pictures whose time does not advance are none: they repeat, or run backwards.
            now_ns, latest_ns = self._clock.boot_ns(), self._bridge.traffic().last_boot_ns
            if latest_ns != newest_ns:
                newest_ns, alive_ns = latest_ns, now_ns
            elif now_ns - alive_ns > PATIENCE_NS:
                return f"no picture for {(now_ns - alive_ns) // 1_000_000_000} s"
        return "stopped"
