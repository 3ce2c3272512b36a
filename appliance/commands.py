"""What people may ask of a recorder, and who may (docs/reference/control.md)."""

import asyncio
from collections.abc import Callable

from appliance.control.pins import PinBook, Role
from appliance.control.server import Request
from appliance.pipeline import Command, Pipeline
from base.clock import Clock
from base.errors import OperatorError
from evidence.lines import Event
from evidence.profile import Profile
from evidence.words import Mode, Phase


class Commands:
    """Answers the control socket. PINs are checked here; what they allow is done on the storage thread."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        pins: PinBook,
        clock: Clock,
        profile: Profile | None,
        profile_sha256: str,
        raw_cameras: bool,
        stop_cameras: Callable[[], object],
    ) -> None:
        """``raw_cameras``: some camera carries neither mask nor caption, so LIVE is refused."""
        self._pipeline = pipeline
        self._pins = pins
        self._clock = clock
        self._profile = profile
        self._profile_sha256 = profile_sha256
        self._raw_cameras = raw_cameras
        self._stop_cameras = stop_cameras

    @property
    def armed(self) -> bool:
        """Whether two people have armed the unit."""
        return self._pipeline.mode is not Mode.UNARMED

    async def answer(self, request: Request) -> dict[str, object]:
        """Do what a request asks. Raises OperatorError with the reason for the person who asked."""
        match request.get("verb"):
            case "status":
                return await asyncio.to_thread(self._pipeline.status)
            case "arm":
                return await self._arm(request)
            case "mark":
                return await self._mark(request)
            case "close":
                return await self._close(request)
            case verb:
                raise OperatorError(f"There is no verb {verb!r}.", hint="Known are status, arm, mark and close.")

    async def _arm(self, request: Request) -> dict[str, object]:
        await self._require(request, tuple(Role))
        if self._profile is None:
            raise OperatorError("This unit has no election profile.", hint="Ask the election authority for one.")
        if self.armed:
            raise OperatorError(f"The unit is armed already: it records {self._pipeline.mode}.")
        mode = self._profile.mode
        if mode is Mode.LIVE and self._raw_cameras:
            raise OperatorError("A raw replay is no camera: it can be armed for TEST only.")
        data: dict[str, str | int | None] = {"mode": mode, "profile_sha256": self._profile_sha256}

        def arm(pipeline: Pipeline) -> dict[str, object]:
            if pipeline.mode is not Mode.UNARMED:
                raise OperatorError(f"The unit is armed already: it records {pipeline.mode}.")
            pipeline.enqueue(Event(event="armed", data=data))
            # Durable before any picture says so: a LIVE segment without this line would be a lie.
            pipeline.commit()
            pipeline.set_mode(mode)
            return {"mode": mode}

        return await self._do(arm)

    async def _mark(self, request: Request) -> dict[str, object]:
        try:
            phase = Phase(str(request.get("phase")))
        except ValueError:
            raise OperatorError(f"Mark one of: {', '.join(Phase)}.") from None
        given = request.get("pins")
        roles = tuple(role for role in Role if isinstance(given, dict) and role in given)
        await self._require(request, roles or (Role.CHAIR,))

        def mark(pipeline: Pipeline) -> dict[str, object]:
            pipeline.enqueue(Event(event=phase, data={"by": ", ".join(roles)}))
            return {"phase": phase}

        return await self._do(mark)

    async def _close(self, request: Request) -> dict[str, object]:
        await self._require(request, tuple(Role))
        return await self._end("persons")

    async def close_by_window(self) -> None:
        """Close the record because UTC is proven to be past the window and its margin."""
        await self._end("window")

    async def _end(self, by: str) -> dict[str, object]:
        await asyncio.to_thread(self._stop_cameras)

        def close(pipeline: Pipeline) -> dict[str, object]:
            pipeline.close_record(by)
            return {"closed": True}

        return await self._do(close)

    async def _require(self, request: Request, roles: tuple[Role, ...]) -> None:
        """Every PIN of ``roles`` is right, or the first reason why not is raised and put on record."""
        given = request.get("pins")
        for role in roles:
            pin = given.get(role) if isinstance(given, dict) else None
            if not isinstance(pin, str):
                raise OperatorError(f"The PIN of the {role} is missing.")
            refusal = await asyncio.to_thread(self._pins.check, role, pin, self._clock.boot_ns)
            if refusal is not None:
                # Tries during a wait are not put on record: their number is in the hands of whoever guesses.
                if refusal.guessed:
                    self._pipeline.submit(_refusal(role, str(request.get("verb"))))
                raise OperatorError(refusal.reason)

    async def _do(self, command: Command) -> dict[str, object]:
        return await asyncio.wrap_future(self._pipeline.submit(command))


def _refusal(role: Role, verb: str) -> Command:
    def refuse(pipeline: Pipeline) -> dict[str, object]:
        pipeline.enqueue(Event(event="pin-refused", data={"role": role, "verb": verb[:20]}))
        return {}

    return refuse
