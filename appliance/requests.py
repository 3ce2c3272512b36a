"""What other threads ask of the storage thread, and when they are answered: once what they asked for is durable."""

import contextlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from base.errors import OperatorError

Subject = TypeVar("Subject")
Answer = dict[str, object]


class Requests(Generic[Subject]):
    """Commands on their way to one thread. ``submit`` may be called from any, everything else from that thread only."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[Subject], Answer], Future[Answer]]] = deque()
        self._unanswered: list[tuple[Future[Answer], Answer]] = []
        self._ended = False

    def submit(self, command: Callable[[Subject], Answer]) -> "Future[Answer]":
        """Have ``command`` run; where the thread has ended, or ends first, the future raises OperatorError."""
        future: Future[Answer] = Future()
        self._waiting.append((command, future))
        if self._ended:
            self._refuse()
        return future

    def obey(self, subject: Subject, *, until: Callable[[], bool]) -> bool:
        """Run what has come, while not ``until``. True where something is to be made durable and then answered."""
        while self._waiting and not until():
            command, future = self._waiting.popleft()
            # From here on the asker can no longer cancel it.
            if not future.set_running_or_notify_cancel():
                continue
            try:
                answer = command(subject)
            except OperatorError as error:
                future.set_exception(error)
            except BaseException as error:
                future.set_exception(_ended())
                raise error
            else:
                self._unanswered.append((future, answer))
        return bool(self._unanswered)

    def answer(self) -> None:
        """Everything that was run is durable."""
        while self._unanswered:
            future, answer = self._unanswered.pop()
            future.set_result(answer)

    def end(self) -> None:
        """Nothing more is run; whoever waits is told."""
        self._ended = True
        while self._unanswered:
            self._unanswered.pop()[0].set_exception(_ended())
        self._refuse()

    def _refuse(self) -> None:
        """From any thread."""
        while self._waiting:
            with contextlib.suppress(IndexError):
                _, future = self._waiting.popleft()
                if future.set_running_or_notify_cancel():
                    future.set_exception(_ended())


def _ended() -> OperatorError:
    return OperatorError("The recorder is ending.", hint="Look at: unbroken station status")
