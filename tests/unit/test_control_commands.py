"""What people may ask of a recorder, and who may."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.commands import Commands
from appliance.control.pins import FREE_TRIES, PinBook, Role
from appliance.control.server import Request
from base.errors import OperatorError
from base.pins import hash_pin
from evidence.certificate import Trust
from evidence.profile import profile_digest, read_profile
from evidence.words import Mode
from tests.fakes.checker import Checked, check_record
from tests.fakes.station import SECOND
from tests.fakes.stepped import SteppedStation

PINS = {Role.INSTALLER: hash_pin("1111", bytes(16)), Role.CHAIR: hash_pin("2222", bytes(16))}
BOTH = {"installer": "1111", "chair": "2222"}


class Desk:
    """People at a station that records."""

    def __init__(self, folder: Path, *, mode: Mode = Mode.TEST, profile: bool = True, raw: bool = False) -> None:
        self.station = SteppedStation(folder / "unit", cameras=("cam1",), mode=mode)
        self.station.start()
        self.cameras_stopped = 0
        trust = Trust.from_pem(self.station.root)
        self.commands = Commands(
            pipeline=self.station.pipeline,
            pins=PinBook(PINS),
            clock=self.station.clock,
            profile=read_profile(self.station.profile, trust) if profile else None,
            profile_sha256=profile_digest(self.station.profile),
            raw_cameras=raw,
            stop_cameras=self._stop_cameras,
        )

    def ask_all(self, requests: Sequence[Request]) -> list[dict[str, object] | str]:
        """Everybody asks at once; a refusal is given as its text."""

        async def ask() -> list[dict[str, object] | str]:
            tasks = [asyncio.create_task(self.commands.answer(request)) for request in requests]
            pending = set(tasks)
            while pending:
                _, pending = await asyncio.wait(pending, timeout=0.002)
                if not self.station.pipeline.closed:
                    self.station.pipeline.step()
            return [str(task.exception()) if task.exception() else task.result() for task in tasks]

        return asyncio.run(ask())

    def ask(self, verb: str, pins: object = None, **members: object) -> dict[str, object] | str:
        """One person asks."""
        return self.ask_all([{"verb": verb, "pins": pins, **members}])[0]

    def check(self) -> Checked:
        return check_record(self.station.config.data)

    def events(self) -> list[str]:
        return [str(line["event"]) for line in self.check().kinds("event")]

    def _stop_cameras(self) -> None:
        self.cameras_stopped += 1
        self.station.cameras["cam1"].stop()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_arming_takes_two_peoples_pins_and_names_the_profile(desk: Desk) -> None:
    assert desk.ask("arm", BOTH) == {"mode": "TEST"}
    (armed,) = desk.check().kinds("event")
    assert armed["data"] == {"mode": "TEST", "profile_sha256": profile_digest(desk.station.profile)}
    assert desk.station.cameras["cam1"].failure() is None
    desk.station.run(5)
    assert desk.station.pipeline.mode is Mode.TEST


@pytest.mark.parametrize(
    ("pins", "reason"),
    [
        (None, "installer is missing"),
        ({}, "installer is missing"),
        ({"installer": "1111"}, "chair is missing"),
        ({"installer": 1111, "chair": 2222}, "installer is missing"),
        ({"installer": "1111", "chair": "1111"}, "chair is wrong"),
        ({"installer": "2222", "chair": "2222"}, "installer is wrong"),
        ({"installer": "1111\n", "chair": "2222"}, "installer is wrong"),
        ("1111", "installer is missing"),
        (["installer", "chair"], "installer is missing"),
    ],
)
def test_arming_without_both_right_pins_is_refused(desk: Desk, pins: object, reason: str) -> None:
    assert reason in str(desk.ask("arm", pins))
    assert desk.station.pipeline.mode is Mode.UNARMED
    desk.station.run(2)
    assert "armed" not in desk.events()


def test_a_unit_is_armed_once_also_when_two_pairs_try_at_the_same_moment(desk: Desk) -> None:
    answers = desk.ask_all([{"verb": "arm", "pins": BOTH}] * 3)
    assert sorted(isinstance(answer, dict) for answer in answers) == [False, False, True]
    assert "armed already" in str(desk.ask("arm", BOTH))
    assert desk.events() == ["armed"]


def test_without_a_profile_nobody_can_arm(tmp_path: Path) -> None:
    assert "no election profile" in str(Desk(tmp_path, profile=False).ask("arm", BOTH))


def test_a_raw_replay_is_armed_for_a_test_and_never_live(tmp_path: Path) -> None:
    assert "TEST only" in str(Desk(tmp_path / "live", mode=Mode.LIVE, raw=True).ask("arm", BOTH))
    assert Desk(tmp_path / "test", raw=True).ask("arm", BOTH) == {"mode": "TEST"}


def test_a_wrong_pin_is_put_on_record_but_a_flood_of_them_is_not(desk: Desk) -> None:
    desk.station.run(3)
    before = len(desk.check().lines)
    for _ in range(5):
        desk.ask_all([{"verb": "close", "pins": {"installer": "9999", "chair": "9999"}}] * 40)
    desk.station.run(1)
    refused = [line for line in desk.check().kinds("event") if line["event"] == "pin-refused"]
    assert len(refused) == FREE_TRIES
    assert refused[0]["data"] == {"role": "installer", "verb": "close"}
    assert len(desk.check().lines) - before < FREE_TRIES + 4


def test_an_hour_of_guessing_is_a_bounded_number_of_tries_on_record() -> None:
    book, guessed, now_ns = PinBook(PINS), 0, 0
    for _ in range(3600):
        now_ns += SECOND
        refusal = book.check(Role.CHAIR, "9999", lambda at=now_ns: at)  # type: ignore[misc]
        guessed += refusal is not None and refusal.guessed
    assert guessed < 25


def test_marking_a_phase_takes_one_pin_and_says_whose(desk: Desk) -> None:
    assert desk.ask("mark", {"chair": "2222"}, phase="opened") == {"phase": "opened"}
    assert desk.ask("mark", BOTH, phase="closed") == {"phase": "closed"}
    data = [line["data"] for line in desk.check().kinds("event")]
    assert data == [{"by": "chair"}, {"by": "installer, chair"}]
    assert "wrong" in str(desk.ask("mark", {"chair": "9999"}, phase="opened"))
    assert "missing" in str(desk.ask("mark", None, phase="opened"))


@pytest.mark.parametrize("phase", [None, "", "armed", "stopped", "OPENED", 7, ["opened"]])
def test_only_phases_can_be_marked(desk: Desk, phase: object) -> None:
    assert "Mark one of: opened" in str(desk.ask("mark", BOTH, phase=phase))


def test_closing_takes_two_people_stops_the_cameras_and_ends_the_record(desk: Desk) -> None:
    desk.station.run(5)
    assert "wrong" in str(desk.ask("close", {"installer": "1111", "chair": "9999"}))
    assert desk.cameras_stopped == 0
    assert desk.ask("close", BOTH) == {"closed": True}
    assert desk.cameras_stopped == 1
    assert desk.check().lines[-1]["by"] == "persons"


def test_of_people_and_window_that_close_at_once_one_does(desk: Desk) -> None:
    desk.station.run(5)

    async def close() -> list[object]:
        tasks = [
            asyncio.create_task(desk.commands.close_by_window()),
            asyncio.create_task(desk.commands.answer({"verb": "close", "pins": BOTH})),
        ]
        work = asyncio.create_task(asyncio.to_thread(desk.station.pipeline.run, threading.Event()))
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await work
        return list(results)

    results = asyncio.run(close())
    assert sum(isinstance(result, OperatorError) for result in results) == 1
    assert len(desk.check().kinds("close")) == 1


@pytest.mark.parametrize("verb", [None, "", "reboot", 3, ["arm"], {"verb": "arm"}, "ARM"])
def test_an_unknown_verb_is_refused_with_the_known_ones(desk: Desk, verb: object) -> None:
    answer = desk.ask_all([{"verb": verb}])[0]
    assert "status, arm, mark and close" in str(answer)


def test_status_needs_no_pin(desk: Desk) -> None:
    answer = desk.ask("status")
    assert isinstance(answer, dict)
    assert answer["mode"] == "UNARMED"
