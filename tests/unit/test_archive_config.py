"""The archive's configuration: what is refused, in words that help."""

from dataclasses import fields
from pathlib import Path

import pytest

from archive.config import ArchiveConfig, Limits, S3Config, describe, load_config
from archive.publicconfig import SITE, PublishConfig
from archive.supervisionconfig import SUPERVISION
from base.errors import OperatorError

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "archive.md"
GOOD = """\
[archive]
election = "sample-2027"
name = "centre"

[keys]
trust = "root.pem"
key = "archive.key"
certificate = "archive.pem"
receipt_key = "receipts.key"
receipt_certificate = "receipts.pem"

[disk]
data = "data"
"""


def _load(folder: Path, text: str = GOOD) -> ArchiveConfig:
    path = folder / "archive.toml"
    path.write_text(text)
    return load_config(path)


def _refusal(folder: Path, text: str) -> str:
    with pytest.raises(OperatorError) as caught:
        _load(folder, text)
    return str(caught.value)


def test_the_least_configuration_listens_on_this_machine_only_and_keeps_an_index_of_its_own(tmp_path: Path) -> None:
    config = _load(tmp_path)
    assert (config.address, config.port, config.revoked) == ("127.0.0.1", 8443, None)
    assert (config.data, config.key) == (tmp_path / "data", tmp_path / "archive.key")
    assert config.database == f"sqlite:///{tmp_path}/data/index.sqlite"
    assert config.limits == Limits(
        in_flight_mib=256, backfill_mib=128, free_mib=1024, stall_s=30, branches=64, readback_mib_s=8
    )


def test_a_credential_lies_where_the_service_manager_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace('"receipts.key"', '"credential:receipts"')
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert "service manager" in _refusal(tmp_path, text)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    assert _load(tmp_path, text).receipt_key == Path("/run/credentials/x/receipts")


@pytest.mark.parametrize(
    ("wrong", "key", "advice"),
    [
        ("[disk]", "[disc]", "perhaps disk is meant"),
        ("receipt_key", "reciept_key", "perhaps receipt_key is meant"),
        ("[disk]\n", "[disk]\nzzzzzz = 1\n", "known are data, database, passfile"),
    ],
)
def test_an_unknown_key_is_named_and_the_right_one_suggested(tmp_path: Path, wrong: str, key: str, advice: str) -> None:
    told = _refusal(tmp_path, GOOD.replace(wrong, key))
    assert advice in told
    assert "archive.toml" in told
    assert "docs/reference/archive.md" in told


@pytest.mark.parametrize("line", [line for line in GOOD.splitlines() if "=" in line])
def test_a_missing_key_is_named(tmp_path: Path, line: str) -> None:
    assert f"{line.split(maxsplit=1)[0]} is missing" in _refusal(tmp_path, GOOD.replace(f"{line}\n", ""))


@pytest.mark.parametrize(
    ("section", "line", "told"),
    [
        ("listen", "port = 65536", "listen.port must be an integer from 0 to 65535"),
        ("listen", "port = true", "listen.port must be an integer"),
        ("listen", 'address = "archive.example"', "listen.address"),
        ("limits", "in_flight_mib = 63", "limits.in_flight_mib must be an integer from 64"),
        ("limits", "backfill_mib = 257", "limits.backfill_mib must be an integer from 1 to 256"),
        ("limits", "branches = 1", "limits.branches"),
        ("limits", "stall_s = 0", "limits.stall_s"),
    ],
)
def test_a_value_out_of_its_range_is_refused(tmp_path: Path, section: str, line: str, told: str) -> None:
    assert told in _refusal(tmp_path, f"{GOOD}\n[{section}]\n{line}\n")


@pytest.mark.parametrize("value", ["1", '"index.sqlite"', '""'])
def test_a_database_is_named_by_a_url(tmp_path: Path, value: str) -> None:
    assert "disk.database must be a URL" in _refusal(tmp_path, f"{GOOD}database = {value}\n")
    assert _load(tmp_path, f'{GOOD}database = "sqlite:////srv/x"\n').database == "sqlite:////srv/x"


def test_a_database_at_a_server_is_shown_without_its_password(tmp_path: Path) -> None:
    for url, shown in (
        ("postgresql://u:s3cr3t@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:s3/cr%403t@db/x?sslmode=require", "postgresql://u:***@db/x?sslmode=require"),
        ("postgresql://u@db:5433/x", "postgresql://u@db:5433/x"),
        ("postgresql://u@/x?host=/run/postgresql", "postgresql://u@/x?host=/run/postgresql"),
    ):
        config = _load(tmp_path, f'{GOOD}database = "{url}"\n')
        assert config.database == url
        assert f"database = {shown}" in describe(config).splitlines()
    assert "more than one @" in _refusal(tmp_path, f'{GOOD}database = "postgresql://u:s3cr@t@db/x"\n')
    assert "disk.passfile" in _refusal(tmp_path, f'{GOOD}database = "postgresql://u@/x?PassWord=s3cr3t"\n')


def test_a_password_may_lie_in_a_file(tmp_path: Path) -> None:
    text = f'{GOOD}passfile = "my pass"\n'
    assert "for postgresql only" in _refusal(tmp_path, text)
    for url, joined in (("postgresql://u@db/x", "?"), ("postgresql://u@db/x?sslmode=require", "&")):
        config = _load(tmp_path, f'{text}database = "{url}"\n')
        assert config.database == f"{url}{joined}passfile={tmp_path}/my%20pass"


def test_media_lie_in_the_data_folder_unless_a_bucket_is_named(tmp_path: Path) -> None:
    assert _load(tmp_path).s3 is None
    assert "s3: bucket is missing" in _refusal(tmp_path, f"{GOOD}[s3]\n")
    config = _load(tmp_path, f'{GOOD}[s3]\nbucket = "media"\nprefix = "election/2027/"\ncredentials = "keys"\n')
    assert config.s3 == S3Config(bucket="media", prefix="election/2027/", credentials=tmp_path / "keys")
    assert "s3.bucket = media" in describe(config).splitlines()
    assert f"s3.credentials = {tmp_path}/keys" in describe(config).splitlines()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('bucket = "a/b"', "s3.bucket"),
        ('prefix = "x"', "s3.prefix"),
        ('prefix = "../"', "s3.prefix"),
        ('prefix = "/x/"', "s3.prefix"),
        ('region = ""', "s3.region"),
        ('path_style = "yes"', "s3.path_style must be true or false"),
        ("endpoint = 1", "s3.endpoint must be https://HOST"),
        ('endpoint = "http://store"', "or s3.plain_http be true"),
        ('endpoint = "https://key:secret@store"', "s3.endpoint"),
        ('endpoint = "https://store/path"', "s3.endpoint"),
        ('endpoint = "https://store:99999"', "s3.endpoint"),
        ('endpoint = "https://["', "s3.endpoint"),
        ('endpoint = "https://store"\nplain_http = true', "s3.endpoint must be http://HOST"),
    ],
)
def test_a_bucket_that_cannot_be_one_is_refused(tmp_path: Path, line: str, told: str) -> None:
    bucket = "" if line.startswith("bucket") else 'bucket = "media"\n'
    assert told in _refusal(tmp_path, f"{GOOD}[s3]\n{bucket}{line}\n")


def test_what_is_no_configuration_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="not there"):
        load_config(tmp_path / "archive.toml")
    assert "cannot be read as TOML" in _refusal(tmp_path, "[archive")
    assert "archive must be a section" in _refusal(tmp_path, "archive = 1")


def test_what_is_in_force_is_told_key_by_key(tmp_path: Path) -> None:
    told = describe(_load(tmp_path)).splitlines()
    assert "election = sample-2027" in told
    assert "limits.branches = 64" in told
    assert f"data = {tmp_path / 'data'}" in told


SUPERVISED = f'{GOOD}[supervision]\nkey = "s.key"\ncertificate = "s.pem"\n'


def test_there_is_a_supervision_centre_only_where_its_section_stands(tmp_path: Path) -> None:
    assert _load(tmp_path).supervision is None
    supervision = _load(tmp_path, SUPERVISED).supervision
    assert supervision is not None
    assert (supervision.port, supervision.loopback_operator, supervision.notify) == (8444, None, ())
    assert supervision.database == f"sqlite:///{tmp_path}/data/supervision.sqlite"
    assert "supervision: key is missing" in _refusal(tmp_path, f"{GOOD}[supervision]\n")
    assert "loopback_operator must be one of" in _refusal(tmp_path, f'{SUPERVISED}loopback_operator = "all"\n')


def test_what_notifiers_hold_is_not_shown(tmp_path: Path) -> None:
    config = _load(tmp_path, f'{SUPERVISED}[[supervision.notify]]\nkind = "webhook"\nsecret = "s3cr3t"\n')
    assert config.supervision is not None
    assert config.supervision.notify == ({"kind": "webhook", "secret": "s3cr3t"},)
    assert "supervision.notify = 1" in describe(config).splitlines()
    assert "s3cr3t" not in describe(config)


def test_the_page_of_the_archive_names_every_key_and_verb() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sections = ("limits", "publish", "site", "s3", "supervision")
    names = [each.name for each in fields(ArchiveConfig) if each.name not in sections]
    names += [each.name for part in (Limits, PublishConfig, S3Config) for each in fields(part)]
    names += [*SITE, *SUPERVISION]
    for name in names:
        assert f".{name}`" in page, name
    for verb in ("serve", "ingest", "publish", "site", "config", "check"):
        assert f"`unbroken archive {verb}" in page
