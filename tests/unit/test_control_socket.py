"""The control socket: what it takes, and what it does with anything else."""

import asyncio
import json
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from appliance.control import server
from appliance.control.server import MAX_CLIENTS, MAX_LINE_BYTES, ControlServer, Request, ask
from base.errors import OperatorError

Dialogue = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _answer(request: Request) -> dict[str, object]:
    match request.get("verb"):
        case "echo":
            return {"heard": request.get("text")}
        case "refuse":
            raise OperatorError("No.", hint="Try yes.")
        case "slow":
            await asyncio.sleep(0.05)
            return {"done": True}
        case _:
            raise RuntimeError("a bug")


async def _send(path: Path, data: bytes) -> list[dict[str, object]]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(data)
    writer.write_eof()
    replies = [json.loads(line) async for line in reader]
    writer.close()
    return replies


def _talk(path: Path, *requests: bytes) -> list[list[dict[str, object]]]:
    async def talk() -> list[list[dict[str, object]]]:
        async with ControlServer(path, _answer).listening():
            return [await _send(path, request) for request in requests]

    return asyncio.run(talk())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def test_each_line_gets_one_answer_in_order(path: Path) -> None:
    (replies,) = _talk(path, b'{"verb":"echo","text":"one"}\n{"verb":"slow"}\n{"verb":"echo","text":"two"}\n')
    assert replies == [{"ok": True, "heard": "one"}, {"ok": True, "done": True}, {"ok": True, "heard": "two"}]


def test_a_refusal_says_why_and_the_talk_goes_on(path: Path) -> None:
    (replies,) = _talk(path, b'{"verb":"refuse"}\n{"verb":"echo","text":"still here"}\n')
    assert replies == [{"ok": False, "error": "No. Try yes."}, {"ok": True, "heard": "still here"}]


def test_a_bug_in_an_answer_is_no_end_of_the_talk(path: Path) -> None:
    (replies,) = _talk(path, b'{"verb":"bug"}\n{"verb":"echo","text":"still here"}\n')
    assert [reply["ok"] for reply in replies] == [False, True]


@pytest.mark.parametrize(
    "request_",
    [
        b"\n",
        b"rubbish\n",
        b"[]\n",
        b"null\n",
        b"\xff\xfe\n",
        b"[" * 4_000 + b"\n",
        b'{"a":' * 800 + b"\n",
        b'{"verb":"echo"\n',
        b"NaN\n",
        b"1" * 4_000 + b"\n",
        b"{} {}\n",
    ],
)
def test_what_is_no_json_object_is_refused_in_a_sentence(path: Path, request_: bytes) -> None:
    first, second = _talk(path, request_, b'{"verb":"echo","text":"next"}\n')
    assert [reply["ok"] for reply in first] == [False]
    assert second[0]["ok"]


@pytest.mark.parametrize("text", ["\\ud800", "\\u0000", "ə", "🗳"])
def test_any_text_comes_back_as_json(path: Path, text: str) -> None:
    (replies,) = _talk(path, b'{"verb":"echo","text":"%s"}\n' % text.encode())
    assert replies[0]["heard"] == json.loads(f'"{text}"')


def test_an_oversized_request_is_refused_and_ends_the_talk(path: Path) -> None:
    big = b'{"verb":"echo","text":"' + b"x" * MAX_LINE_BYTES + b'"}\n{"verb":"echo"}\n'
    (replies,) = _talk(path, big)
    assert len(replies) == 1
    assert str(MAX_LINE_BYTES) in str(replies[0]["error"])


def test_a_request_as_long_as_allowed_is_taken(path: Path) -> None:
    text = "x" * (MAX_LINE_BYTES - 100)
    (replies,) = _talk(path, json.dumps({"verb": "echo", "text": text}).encode() + b"\n")
    assert replies[0]["heard"] == text


def test_several_people_are_answered_at_once_and_too_many_are_turned_away(path: Path) -> None:
    async def talk() -> tuple[list[bytes], bytes]:
        async with ControlServer(path, _answer).listening():
            pairs = [await asyncio.open_unix_connection(path) for _ in range(MAX_CLIENTS)]
            for _, writer in pairs:
                writer.write(b'{"verb":"echo","text":"hello"}\n')
            answers = [await reader.readline() for reader, _ in pairs]
            reader, writer = await asyncio.open_unix_connection(path)
            turned_away = await reader.read()
            for _, each in [*pairs, (reader, writer)]:
                each.close()
            return answers, turned_away

    answers, turned_away = asyncio.run(talk())
    assert answers == [b'{"ok": true, "heard": "hello"}\n'] * MAX_CLIENTS
    assert turned_away == b""


def test_who_says_nothing_is_hung_up_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.01)

    async def talk() -> bytes:
        async with ControlServer(path, _answer).listening():
            reader, writer = await asyncio.open_unix_connection(path)
            heard = await reader.read()
            writer.close()
            return heard

    assert asyncio.run(talk()) == b""


def test_the_time_that_a_client_kept_silent_is_not_taken_from_its_answer(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.04)
    (replies,) = _talk(path, b'{"verb":"slow"}\n')
    assert replies == [{"ok": True, "done": True}]


def test_the_socket_is_for_owner_and_group_and_gone_afterwards(path: Path) -> None:
    async def look() -> int:
        async with ControlServer(path, _answer).listening():
            return os.stat(path).st_mode

    assert stat.S_IMODE(asyncio.run(look())) == 0o660
    assert not path.exists()


def test_a_socket_that_a_crash_left_is_replaced(path: Path) -> None:
    path.write_text("left behind")
    assert _talk(path, b'{"verb":"echo","text":"x"}\n')[0][0]["ok"]


def test_a_command_line_gets_the_answer_or_the_reason(path: Path) -> None:
    async def talk(request: Request) -> dict[str, object]:
        async with ControlServer(path, _answer).listening():
            return await asyncio.to_thread(ask, path, request)

    assert asyncio.run(talk({"verb": "echo", "text": "x"}))["heard"] == "x"
    with pytest.raises(OperatorError, match=r"No\. Try yes\."):
        asyncio.run(talk({"verb": "refuse"}))


def test_a_command_line_without_a_recorder_says_so(path: Path) -> None:
    with pytest.raises(OperatorError, match="does not answer"):
        ask(path, {"verb": "status"})
