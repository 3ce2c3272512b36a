"""The station's configuration: what is refused, in words that help."""

from pathlib import Path

import pytest

from appliance.config import StationConfig, describe, load_config
from appliance.uplink.plan import Policy
from base.errors import OperatorError

GOOD = """\
[station]
election = "sample-2027"
station = "57-002"
unit = "u-0001"

[keys]
trust = "root.pem"
key = "unit.key"
certificate = "unit.pem"

[disk]
data = "disk"
run = "run"

[[camera]]
id = "cam1"
source = "pattern"
"""
CAMERA = '\n[[camera]]\nid = "{}"\nsource = "pattern"\n'


def _load(folder: Path, text: str = GOOD) -> StationConfig:
    path = folder / "station.toml"
    path.write_text(text)
    return load_config(path)


def _refusal(folder: Path, text: str) -> str:
    with pytest.raises(OperatorError) as caught:
        _load(folder, text)
    return str(caught.value)


def test_defaults_are_those_of_the_design(tmp_path: Path) -> None:
    config = _load(tmp_path)
    (camera,) = config.cameras
    assert (camera.width, camera.height, camera.fps, camera.bitrate) == (1920, 1080, 15, 2_000_000)
    assert (camera.gop_seconds, camera.mask) == (2, [])
    assert (config.reserve_mib, config.profile, config.pins) == (256, None, None)


def test_paths_are_relative_to_the_configurations_folder(tmp_path: Path) -> None:
    config = _load(tmp_path, GOOD.replace('"unit.key"', '"/etc/unit.key"'))
    assert config.data == tmp_path / "disk"
    assert config.socket == tmp_path / "run" / "control.sock"
    assert config.key == Path("/etc/unit.key")


def test_a_credential_lies_where_the_service_manager_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace('"unit.key"', '"credential:evidence"')
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert "service manager" in _refusal(tmp_path, text)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    assert _load(tmp_path, text).key == Path("/run/credentials/x/evidence")


@pytest.mark.parametrize(
    ("wrong", "key", "advice"),
    [
        ("[[camera]]", "[[kamera]]", "perhaps camera is meant"),
        ("[disk]", "[disc]", "perhaps disk is meant"),
        ('source = "', 'sauce = "', "perhaps source is meant"),
        ("run = ", "runs = ", "perhaps run is meant"),
        ("[disk]\n", "[disk]\nzzzzzz = 1\n", "known are data, run, reserve_mib"),
    ],
)
def test_an_unknown_key_is_named_and_the_right_one_suggested(tmp_path: Path, wrong: str, key: str, advice: str) -> None:
    told = _refusal(tmp_path, GOOD.replace(wrong, key))
    assert advice in told
    assert "station.toml" in told
    assert "docs/reference/configuration.md" in told


@pytest.mark.parametrize(
    "key", ["election", "station", "unit", "trust", "key", "certificate", "data", "run", "id", "source"]
)
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{key} ="))
    assert f"{key} is missing" in _refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("line", "least", "most"),
    [
        ("width = {}", 64, 4096),
        ("height = {}", 64, 4096),
        ("fps = {}", 5, 60),
        ("gop_seconds = {}", 1, 10),
        ("bitrate = {}", 10_000, 100_000_000),
    ],
)
def test_numbers_of_a_camera_have_bounds(tmp_path: Path, line: str, least: int, most: int) -> None:
    step = 2 if line.startswith(("width", "height")) else 1
    for good in (least, most):
        _load(tmp_path, GOOD + line.format(good))
    for bad in (least - step, most + step, 0, -1):
        assert line.split(maxsplit=1)[0] in _refusal(tmp_path, GOOD + line.format(bad))


@pytest.mark.parametrize("value", ["1.5", "true", '"15"', "[15]", "1e1"])
def test_a_number_is_an_integer_and_nothing_like_one(tmp_path: Path, value: str) -> None:
    assert "fps" in _refusal(tmp_path, GOOD + f"fps = {value}\n")


@pytest.mark.parametrize("line", ["width = 641", "height = 361"])
def test_sizes_are_even(tmp_path: Path, line: str) -> None:
    assert "even" in _refusal(tmp_path, GOOD + line)


def test_the_reserve_has_a_least_size(tmp_path: Path) -> None:
    assert _load(tmp_path, GOOD.replace("[disk]\n", "[disk]\nreserve_mib = 16\n")).reserve_mib == 16
    assert "less than 16" in _refusal(tmp_path, GOOD.replace("[disk]\n", "[disk]\nreserve_mib = 15\n"))


def test_one_to_four_cameras_each_with_its_own_id(tmp_path: Path) -> None:
    four = GOOD + "".join(CAMERA.format(f"cam{number}") for number in range(2, 5))
    assert len(_load(tmp_path, four).cameras) == 4
    assert "one to 4" in _refusal(tmp_path, four + CAMERA.format("cam5"))
    assert "one to 4" in _refusal(tmp_path, GOOD.partition("[[camera]]")[0])
    assert "two cameras have one id" in _refusal(tmp_path, GOOD + CAMERA.format("cam1"))


@pytest.mark.parametrize("name", ["", "-x", "a b", "ə", "x" * 33, "../etc", "a/b", "a\\n"])
def test_names_are_those_that_a_ledger_can_hold(tmp_path: Path, name: str) -> None:
    for key, value in (("election", "sample-2027"), ("station", "57-002"), ("unit", "u-0001"), ("id", "cam1")):
        assert key in _refusal(tmp_path, GOOD.replace(f'{key} = "{value}"', f'{key} = "{name}"'))


@pytest.mark.parametrize(
    "text", ["", "rubbish", "[station", "\ufeff[station]", GOOD.replace("[disk]", "disk = 1"), GOOD + "mask = 3\n"]
)
def test_what_is_no_configuration_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    assert "station.toml" in _refusal(tmp_path, text)


def test_a_file_that_is_not_utf8_or_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    with pytest.raises(OperatorError, match="not there"):
        load_config(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(OperatorError, match="cannot be read as TOML"):
        load_config(path)


def test_a_folder_too_deep_for_a_socket_is_refused_before_anything_is_recorded(tmp_path: Path) -> None:
    assert "too long for a socket" in _refusal(tmp_path, GOOD.replace('"run"', f'"/run/{"x" * 100}"'))


def test_what_is_in_force_is_told_key_by_key(tmp_path: Path) -> None:
    told = describe(_load(tmp_path)).splitlines()
    assert "election = sample-2027" in told
    assert "camera.cam1.fps = 15" in told
    assert f"data = {tmp_path / 'disk'}" in told


UPLINK = """
[uplink]
url = "https://archive.example:8443/"
certificate = "uplink.pem"
key = "uplink.key"
data = "uplink"
"""


def test_without_an_uplink_nothing_is_delivered_and_no_receipt_expected(tmp_path: Path) -> None:
    config = _load(tmp_path)
    assert (config.uplink, config.receipts) == (None, None)


def test_the_recorder_takes_receipts_where_the_uplink_lays_them(tmp_path: Path) -> None:
    config = _load(tmp_path, GOOD + UPLINK)
    assert config.uplink is not None
    assert config.uplink.url == "https://archive.example:8443"
    assert (config.uplink.policy, config.uplink.rate_kbit) == (Policy.COUNTING_FIRST, None)
    assert config.receipts == config.uplink.receipts == tmp_path / "uplink" / "receipts"
    elsewhere = _load(tmp_path, GOOD.replace("[disk]\n", '[disk]\nreceipts = "r"\n') + UPLINK)
    assert elsewhere.receipts == tmp_path / "r"
    assert "uplink.policy = counting-first" in describe(config).splitlines()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "archive.example",
        "http://archive.example",
        "https://",
        "https://:8443",
        "https://archive.example/v1",
        "https://archive.example?x=1",
        "https://u:p@archive.example",
        "https://archive.example:0",
        "https://archive.example:99999",
        "https://[::1",
    ],
)
def test_the_archives_address_is_https_and_nothing_more(tmp_path: Path, url: str) -> None:
    assert "url" in _refusal(tmp_path, GOOD + UPLINK.replace("https://archive.example:8443/", url))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('policy = "newest-first"', "uplink.policy is none of counting-first, oldest-first"),
        ("rate_kbit = 0", "uplink.rate_kbit"),
        ("rate_kbit = 63", "uplink.rate_kbit is less than 64"),
        ("backfill_kbit = 1.5", "uplink.backfill_kbit"),
        ("rate_kbits = 100", "perhaps rate_kbit is meant"),
    ],
)
def test_what_an_uplink_is_told_wrongly_is_named(tmp_path: Path, line: str, told: str) -> None:
    assert told in _refusal(tmp_path, GOOD + UPLINK + line + "\n")
