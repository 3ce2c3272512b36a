"""The player's rules without a browser: instants, lists, what is known of a day, names, words for codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_vectors_js import VERIFIER, node

PLAYER = Path(__file__).resolve().parents[2] / "archive/site/player"
BOOT = "0123456789abcdef0123456789abcdef"
WORDS = json.loads((PLAYER / "words.json").read_text())["en"]


def ask(module: str, script: str, given: object = None) -> Any:
    """What ``script`` makes of a module ``m`` and of ``given``."""
    text = (
        "import { readFileSync } from 'node:fs'; const m = await import(process.argv[1]);"
        f"const given = JSON.parse(readFileSync(0, 'utf-8')); console.log(JSON.stringify({script}))"
    )
    said = node("--input-type=module", "-e", text, "--", str(PLAYER / module), said=json.dumps(given))
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def test_an_address_names_an_instant_of_utc_or_of_a_boot_or_nothing() -> None:
    texts = {
        "2027-02-07T12:07:13+04:00": {"axis": "", "ms": 1801987633000},
        "2027-02-07T12:07:13 04:00": {"axis": "", "ms": 1801987633000},
        "2027-02-07T08:07:13.5Z": {"axis": "", "ms": 1801987633500},
        f"{BOOT}+3723": {"axis": BOOT, "ms": 3723000},
        f"{BOOT} 3723.25": {"axis": BOOT, "ms": 3723250},
    }
    nothing = [
        "",
        "now",
        "2027-02-30T12:00:00",
        "12:07",
        f"{BOOT}+",
        f"{BOOT[1:]}+5",
        "2027-13-07T08:07:13Z",
        "-1",
        None,
    ]
    assert ask("instant.js", "given.map(m.readInstant)", list(texts)) == list(texts.values())
    assert ask("instant.js", "given.map(m.readInstant)", nothing) == [None] * len(nothing)


def test_instants_have_the_hours_of_the_lists() -> None:
    given = [{"axis": "", "ms": 1801987633000}, {"axis": BOOT, "ms": 5 * 3_600_000 + 7}, {"axis": BOOT, "ms": 0}]
    assert ask("instant.js", "given.map(m.hourName)", given) == ["2027-02-07T08Z", f"{BOOT}+05", f"{BOOT}+00"]
    ends = ask("instant.js", "given.map(m.hourEnd)", given)
    assert [end["ms"] for end in ends] == [1801990800000, 6 * 3_600_000, 3_600_000]


@pytest.mark.parametrize(
    ("zone", "address", "local"),
    [
        ("Asia/Baku", "2027-02-07T12:07:13+04:00", "2027-02-07 12:07:13"),
        ("UTC", "2027-02-07T08:07:13+00:00", "2027-02-07 08:07:13"),
        ("America/St_Johns", "2027-02-07T04:37:13-03:30", "2027-02-07 04:37:13"),
        ("No/Such", "2027-02-07T08:07:13+00:00", "2027-02-07 08:07:13"),
    ],
)
def test_a_clock_writes_the_zone_of_the_election_and_addresses_that_read_back(
    zone: str, address: str, local: str
) -> None:
    script = "((c) => [c.address(given[1]), c.dated(given[1]), c.utc(given[1])])(m.clockOf(given[0]))"
    instant = {"axis": "", "ms": 1801987633999}
    assert ask("instant.js", script, [zone, instant]) == [address, local, "08:07:13"]
    assert ask("instant.js", "m.readInstant(given)", address)["ms"] == 1801987633000


def test_other_languages_write_the_day_first_and_a_boot_has_its_own_time() -> None:
    script = "((c) => given.map((each) => [c.dated(each), c.address(each)]))(m.clockOf('Asia/Baku'))"
    given = [{"axis": "", "ms": 1801987633000}, {"axis": BOOT, "ms": 3_723_250}]
    assert ask("instant.js", script, given) == [
        ["2027-02-07 12:07:13", "2027-02-07T12:07:13+04:00"],
        ["+01:02:03", f"{BOOT}+3723"],
    ]


def test_a_tag_is_read_whole_or_not_at_all() -> None:
    good = "BRANCH=0,SEQ=123,RUN=14,START=12,MODE=LIVE,DATE=UTC"
    changed = [("123", "-1"), ("123", "0123"), ("123", "1e3"), ("123", "9" * 17), ("LIVE", "live"), ("UTC", "NOW")]
    bad = ["", "BRANCH=0", good.replace("RUN=14,", ""), *(good.replace(*change) for change in changed)]
    script = "given.map((text) => m.readTag({ tagList: [['INF', '2'], ['EXT-X-UNBROKEN', text]] }))"
    read = {"branch": 0, "seq": 123, "run": 14, "start": 12, "mode": "LIVE", "date": "UTC"}
    assert ask("tag.js", script, [good, good + ",LATER=1"]) == [read, read]
    assert ask("tag.js", script, bad) == [None] * len(bad)
    assert ask("tag.js", "m.readTag({ tagList: [['INF', '2'], ['GAP']] })") is None


def test_a_date_has_a_place_in_a_list_or_the_next_picture_has() -> None:
    entries = [
        {"start": 0, "duration": 2, "programDateTime": 10_000, "gap": False},
        {"start": 2, "duration": 2, "programDateTime": 12_000, "gap": True},
        {"start": 4, "duration": 2, "programDateTime": 60_000, "gap": False},
    ]
    script = "given[1].map((ms) => { const p = m.placeOf(given[0], ms); return p && [p.at, p.isHole]; })"
    asked = [10_000, 11_500, 12_500, 9_000, 9_950, 61_000, 62_000]
    told = [[0, False], [1.5, False], [4, True], [0, True], [0, False], [5, False], None]
    assert ask("tag.js", script, [entries, asked]) == told
    assert ask("tag.js", "[1, 4.5, 6].map((at) => m.dateAt(given, at))", entries) == [11_000, 60_500, None]


def test_what_a_site_tells_of_a_camera_is_read_and_the_rest_left_out() -> None:
    def moment(utc: str | None) -> dict[str, object]:
        return {"boot": BOOT, "boot_ns": 5_000_000_000, "utc": None if utc is None else [utc, utc]}

    camera = {
        "spans": [
            {
                "from": "1970-01-01T00:00:10Z",
                "to": "1970-01-01T00:00:20Z",
                "state": "segment",
                "cause": None,
                "boot": None,
            },
            {"from": "1970-01-01T00:00:20Z", "to": "1970-01-01T00:00:30Z", "state": "gap", "cause": None, "boot": None},
            {"from": "1970-01-01T00:00:01Z", "to": "1970-01-01T00:00:05Z", "state": "segment", "boot": BOOT},
            {"from": "x", "to": "1970-01-01T00:00:05Z", "state": "segment"},
            {"from": "1970-01-01T00:00:09Z", "to": "1970-01-01T00:00:05Z", "state": "segment"},
        ],
        "gaps": [
            {"from": moment("1970-01-01T00:00:20Z"), "to": moment("1970-01-01T00:00:30Z"), "cause": "power"},
            {"from": moment(None), "to": moment(None), "cause": "crash"},
            {"cause": "crash"},
        ],
    }
    told = ask("facts.js", "m.readSpans(given)", camera)
    assert [(span["axis"], span["from"], span["to"], span["state"], span["cause"]) for span in told] == [
        (BOOT, 1_000, 5_000, "segment", None),
        ("", 10_000, 20_000, "segment", None),
        ("", 20_000, 30_000, "gap", "power"),
    ]
    assert ask("facts.js", "[m.readSpans({}), m.readSpans({ spans: 5, gaps: 'x' })]") == [[], []]
    script = "[m.nextVideo(given, '', 15000), m.nextVideo(given, '', 25000), m.holesIn(given, '', 0, 99999).length]"
    assert ask("facts.js", script, told) == [15_000, None, 1]


def test_names_from_a_page_or_a_memory_are_names_or_nothing() -> None:
    good = ["u-0001/cam1", "u1/cam-0"]
    bad = ["", "u1", "u1/", "/cam1", "u1/cam1/x", "../cam1", "u1/<b>", "u 1/cam1", "u1/" + "c" * 33, None]
    assert ask("names.js", "given.map(m.readCamera)", good) == [
        {"unit": "u-0001", "camera": "cam1"},
        {"unit": "u1", "camera": "cam-0"},
    ]
    assert ask("names.js", "given.map(m.readCamera)", bad) == [None] * len(bad)
    assert ask("names.js", "given.map(m.isStation)", ["57-002", "", "57/002", "a" * 33, None]) == [
        True, False, False, False, False,
    ]  # fmt: skip


def test_every_code_of_the_verifier_has_a_word() -> None:
    script = (
        "[...(await import(given)).CODES].filter(([, each]) => each.class === 'wrong')"
        ".map(([code]) => [code, m.wrongWord(code)])"
    )
    told = dict(ask("seal.js", script, str(VERIFIER / "codes.js")))
    assert set(told.values()) <= set(WORDS)
    assert told["media-changed"] == "wrong-media"
    assert told["prev-mismatch"] == "wrong-chain"
    assert told["cert-untrusted"] == told["key-unknown"] == "wrong-key"
    assert told["cert-wrong-station"] == told["media-swapped"] == "wrong-place"
    assert ask("seal.js", "m.wrongWord('proof-missing')") == "wrong-proof"
