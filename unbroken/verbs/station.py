"""``unbroken station …``: what runs and what is done at the polling station."""

import argparse
import getpass
import json
import os
import sys
from pathlib import Path

from base.errors import OperatorError
from base.log import begin_logging
from evidence.words import Phase
from unbroken.verbs import examine

_MEDIA_A_REQUEST = 50


def add_verbs(parser: argparse.ArgumentParser) -> None:
    """The verbs of this group."""
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _verb(verbs, "init", "prepare the disk, once", _init)
    _verb(verbs, "record", "record until stopped or closed", _record)
    _verb(verbs, "uplink", "deliver to the archive until stopped", _uplink)
    _verb(verbs, "ended", "keep what the service manager says of a recorder that ended (ExecStopPost=)", _ended)
    _verb(verbs, "config", "show the configuration in force", _config)
    _verb(verbs, "status", "show what the recorder and the uplink are doing", _status)
    _verb(verbs, "arm", "arm the unit: asks for two people's PINs", _arm)
    mark = _verb(verbs, "mark", "mark a phase of the day: asks for a PIN", _mark)
    mark.add_argument("phase", choices=[phase.value for phase in Phase], metavar="PHASE", help=", ".join(Phase))
    _verb(verbs, "close", "end the record for good: asks for two people's PINs", _close)
    release = _verb(verbs, "release", "send again what the uplink holds back, after a look at it", _release)
    release.add_argument("media", nargs="*", metavar="DIGEST", help="segments, as status shows them in quarantine")
    release.add_argument("--all", action="store_true", help="all that is held back")
    examine.add_verbs(verbs)


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, run: object
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    verb.add_argument("--config", type=Path, default=Path("station.toml"), help="default: station.toml")
    verb.set_defaults(run=run)
    return verb


def _init(arguments: argparse.Namespace) -> int:
    from appliance.config import load_config
    from appliance.store.layout import Layout
    from appliance.store.prepare import DiskIdentity, prepare
    from appliance.upkeep.hardware import Hardware
    from base.durable import Disk

    config, disk, hardware = load_config(arguments.config), Disk(), Hardware()
    disk.make_directory(config.data)
    identity = DiskIdentity(
        election=config.election,
        station=config.station,
        unit=config.unit,
        board=hardware.board_serial(),
        card=hardware.card_serial(config.data),
    )
    prepare(disk, Layout(config.data), identity, config.reserve_mib << 20)
    print(f"{config.data} is ready for unit {config.unit} of station {config.station}.")
    return 0


def _record(arguments: argparse.Namespace) -> int:
    from appliance.config import load_config
    from appliance.recorder import record

    begin_logging()
    return record(load_config(arguments.config))


def _uplink(arguments: argparse.Namespace) -> int:
    from appliance.config import load_config

    config = load_config(arguments.config)
    try:
        from appliance.delivery import deliver
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"The package {error.name} is missing.", hint="Install what an uplink needs: unbroken[station]."
        ) from error
    begin_logging()
    return deliver(config)


def _ended(arguments: argparse.Namespace) -> int:
    from appliance.config import load_config
    from appliance.ending import leave_result

    result = os.environ.get("SERVICE_RESULT")
    if result is None:
        raise OperatorError("The service manager said nothing.", hint="This verb is for its ExecStopPost= only.")
    if result != "success":
        leave_result(load_config(arguments.config).run, result)
    return 0


def _config(arguments: argparse.Namespace) -> int:
    from appliance.config import describe, load_config

    print(describe(load_config(arguments.config)))
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from appliance.config import load_config

    run = load_config(arguments.config).run
    uplink = _told(run / "uplink.json")
    try:
        answer: object = _ask(arguments, {"verb": "status"})
    except OperatorError as error:
        # A recorder that stands by answers nothing, and has left word why; one that has closed its record is gone, and
        # the uplink may still have to deliver it.
        answer = _told(run / "status.json") or (uplink and {"recording": False})
        if not isinstance(answer, dict) or answer.get("recording"):
            raise
        print(f"unbroken: {error}", file=sys.stderr)
    assert isinstance(answer, dict)
    print(json.dumps({**answer, "uplink": uplink}, indent=2, ensure_ascii=False))
    return 0


def _told(path: Path) -> object:
    """What a program last told in its status file; None where none runs."""
    try:
        told: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return told


def _arm(arguments: argparse.Namespace) -> int:
    reply = _ask(arguments, {"verb": "arm", "pins": _pins("installer", "chair")})
    print(f"Armed: the unit records {reply['mode']}.")
    return 0


def _mark(arguments: argparse.Namespace) -> int:
    _ask(arguments, {"verb": "mark", "phase": arguments.phase, "pins": _pins("chair")})
    print(f"Marked: {arguments.phase}.")
    return 0


def _close(arguments: argparse.Namespace) -> int:
    _ask(arguments, {"verb": "close", "pins": _pins("installer", "chair")})
    print("The record is closed.")
    return 0


def _release(arguments: argparse.Namespace) -> int:
    from appliance.config import load_config
    from appliance.control.server import ask

    if bool(arguments.media) == arguments.all:
        raise OperatorError("Which segments?", hint="Name their digests, or write --all.")
    path = load_config(arguments.config).uplink_socket
    wanted = sorted(set(arguments.media))
    released = 0
    # Each request fits a line of the socket.
    for begin in range(0, max(len(wanted), 1), _MEDIA_A_REQUEST):
        media = {"media": wanted[begin : begin + _MEDIA_A_REQUEST]} if wanted else {}
        try:
            released += int(str(ask(path, {"verb": "release", **media})["released"]))
        except OperatorError as error:
            if isinstance(error.__cause__, (OSError, TimeoutError)):
                hint = "Check that it runs and that you may use its socket."
                raise OperatorError(f"The uplink does not answer at {path}.", hint=hint) from error
            raise
    print(f"{released} segments were held back and are free to go.")
    if released < len(wanted):
        raise OperatorError(f"{len(wanted) - released} of those that were named are not held back.")
    return 0


def _ask(arguments: argparse.Namespace, request: dict[str, object]) -> dict[str, object]:
    from appliance.config import load_config
    from appliance.control.server import ask

    return ask(load_config(arguments.config).socket, request)


def _pins(*roles: str) -> dict[str, str]:
    """One PIN for each role: typed unseen on a terminal, else one a line from standard input."""
    pins: dict[str, str] = {}
    for role in roles:
        pin = getpass.getpass(f"PIN of the {role}: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
        if not pin:
            raise OperatorError(f"The PIN of the {role} is missing.", hint="Type it, or write one PIN a line.")
        pins[role] = pin
    return pins
