"""`gristmill optout …`: what goes where, and with which exit code."""

import json

import pytest

from foundation.exclusions import read_exclusions
from pipeline.cli.main import run

SWHID = "swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2"


@pytest.fixture
def optout(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GRISTMILL_REGISTRY", str(tmp_path / "registry.db"))

    def call(*words):
        code = run(["optout", *words])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out else out, err

    return call


def test_from_request_to_exclusions_file_and_back(optout, tmp_path):
    code, done, err = optout(
        "submit", "owner", "https://github.com/Landley", "--requester", "rob@example.org", "--json"
    )
    assert (code, err) == (0, "")
    assert (done["state"], done["selector"]["names"], done["recorded"]) == ("held", ["landley"], True)
    assert (
        optout("submit", "owner", "@landley", "--requester", "rob@example.org", "--json")[1]["receipt"]
        == done["receipt"]
    )
    assert optout("submit", "path", "a/b", "--glob", "docs/**", "--purpose", "train", "--json")[1]["request"] == 2
    assert optout("submit", "content", SWHID)[0] == 0
    assert optout("decide", "1", "effective", "--reason", "verified", "--actor", "alex", "--json")[1]["sequence"] == 7
    file = tmp_path / "exclusions.json"
    code, exported, _ = optout("export", "--out", str(file), "--json")
    assert code == 0
    assert read_exclusions(file).sha256 == exported["sha256"]
    assert exported["exclusions"] == 3
    assert optout("verify", "--against", str(file))[0] == 0
    assert optout("withdraw", done["receipt"], "--json")[1]["after"] == "withdrawn"
    assert optout("status", done["receipt"], "--json")[1]["excludes"] is False
    again = tmp_path / "again.json"
    optout("export", "--out", str(again), "--sequence", "7")
    assert again.read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("words", "excluded"),
    [
        (("landley/toybox",), True),
        (("http://www.github.com/LANDLEY/x.git",), True),
        (("new-name/toybox", "--name", "landley/toybox"), True),
        (("a/b", "--path", "docs/x/y.md"), True),
        (("a/b", "--path", "src/y.md"), False),
        (("a/b",), False),
        ((SWHID,), True),
        (("swh:1:cnt:" + "0" * 40,), False),
        ((f"swh:1:cnt:{'0' * 40};origin=https://github.com/a/b;path=/docs/i",), True),
    ],
)
def test_check_answers_by_its_exit_code_too(optout, tmp_path, words, excluded):
    optout("submit", "owner", "landley")
    optout("submit", "path", "a/b", "--glob", "docs/")
    optout("submit", "content", SWHID)
    optout("export", "--out", str(tmp_path / "e.json"))
    for source in ((), ("--exclusions", str(tmp_path / "e.json"))):
        code, answer, _ = optout("check", *words, *source, "--json")
        assert (code, answer["excluded"]) == (int(excluded), excluded)


def test_a_list_shows_neither_requesters_nor_receipts(optout):
    receipt = optout("submit", "owner", "landley", "--requester", "rob@example.org", "--note", "secret", "--json")[1][
        "receipt"
    ]
    for words in (("ls",), ("ls", "--json"), ("ls", "--format", "csv")):
        code, out, _ = optout(*words)
        assert code == 0
        assert "landley" in str(out)
        assert not any(private in str(out) for private in ("rob@", "secret", receipt))
    assert optout("ls", "--state", "refused", "--json")[1] == []
    assert optout("ls", "--state", "refused")[2] == "No results found.\n"


def test_a_dry_run_says_what_would_be_recorded_and_records_nothing(optout, tmp_path):
    code, would, err = optout("submit", "owner", "landley", "--dry-run", "--json")
    assert (code, would["receipt"], would["recorded"]) == (0, None, False)
    assert "github.com/landley" in would["understood"]
    assert "nothing was recorded" in err
    assert list(tmp_path.iterdir()) == []
    optout("submit", "owner", "landley")
    assert optout("decide", "1", "refused", "--reason", "abuse", "--actor", "a", "--dry-run")[0] == 0
    assert optout("ls", "--json")[1][0]["state"] == "held"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ls",), 3),
        (("export", "--out", "x"), 3),
        (("check", "a/b"), 3),
        (("submit", "owner", "All them"), 2),
        (("submit", "planet", "mars"), 2),
        (("submit", "owner"), 2),
        (("check", ""), 2),
        (("verify", "--against", "nowhere.json"), 3),
    ],
)
def test_refusals_have_their_exit_codes_and_an_empty_stdout(optout, words, code):
    found, out, err = optout(*words)
    assert (found, out) == (code, "")
    assert err


def test_an_impossible_decision_is_a_conflict(optout):
    optout("submit", "owner", "landley")
    optout("decide", "1", "refused", "--reason", "not_owner", "--actor", "a")
    assert optout("decide", "1", "effective", "--reason", "verified", "--actor", "a")[0] == 5


def test_hostile_paths_reach_the_terminal_escaped(optout):
    assert optout("submit", "path", "a/b", "--glob", "x\x1b[2J")[2].count("\x1b") == 0
    assert optout("check", "a/b", "--path", "\udcff\x1b")[1] in ("", "not excluded\n")
