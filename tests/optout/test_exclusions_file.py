"""The exclusions file: the same list gives the same bytes, and only those bytes are read back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from foundation.canonical import canonical_json, fingerprint
from foundation.errors import ConfigError
from foundation.exclusions import (
    EMPTY,
    NO_HASH,
    Exclusion,
    ExclusionList,
    parse_exclusions,
    read_exclusions,
    write_exclusions,
)

_NAME = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,8}\Z")
_FULL = st.builds("{}/{}".format, _NAME, _NAME)
_STATE = st.one_of(
    st.just({"state": "held"}), st.builds(lambda n: {"state": "effective", "effective_sequence": n}, st.integers(1, 50))
)
_WHAT = st.one_of(
    st.builds(lambda n: {"kind": "owner", "host": "github.com", "names": (n,)}, _NAME),
    st.builds(
        lambda n: {"kind": "repository", "host": "git.example.org:8443", "names": tuple(n)}, st.sets(_FULL, min_size=1)
    ),
    st.builds(lambda n: {"kind": "path", "host": "github.com", "names": (n,), "glob": "a/**/é[bc].py"}, _FULL),
    st.builds(lambda n: {"kind": "content", "swhid": f"swh:1:cnt:{n:040x}"}, st.integers(0, 2**160 - 1)),
    st.just({"kind": "host", "host": "git.example.org", "include_future": False, "cutoff": "2025-01-01T00:00:00Z"}),
)


@st.composite
def lists(draw):
    ids = sorted(draw(st.sets(st.integers(1, 10**6), max_size=5)))
    entries = tuple(Exclusion(id=f"optout-{n}", **draw(_WHAT), **draw(_STATE)) for n in ids)
    return ExclusionList(sequence=draw(st.integers(50, 99)), log_head=fingerprint(len(ids)), entries=entries)


@settings(max_examples=50, deadline=None)
@given(lists())
def test_what_is_written_is_read_back(exclusions):
    data = exclusions.to_bytes()
    again = parse_exclusions(data, name="f")
    assert again == exclusions
    assert again.to_bytes() == data
    assert json.loads(data)["sha256"] == exclusions.sha256 == again.sha256


@settings(max_examples=50, deadline=None)
@given(lists(), st.data())
def test_any_changed_byte_is_refused(exclusions, data):
    raw = bytearray(exclusions.to_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ConfigError, match=r"^f: "):
        parse_exclusions(bytes(raw), name="f")


def _resigned(**changes):
    document = json.loads(EMPTY.to_bytes()) | {"sequence": 3, "log_head": "a" * 64} | changes
    document = {key: value for key, value in document.items() if value is not ...}
    document.pop("sha256")
    return canonical_json(document | {"sha256": fingerprint(document)}) + b"\n"


_HELD = {
    "id": "optout-1", "kind": "owner", "host": "github.com", "owner_id": None, "repository_id": None, "names": ["a"],
    "glob": None, "swhid": None, "include_forks": False, "include_future": True, "purposes": ["redistribute", "train"],
    "state": "held", "effective_sequence": None, "cutoff": None,
}  # fmt: skip


def test_the_base_of_the_cases_below_is_fine():
    assert parse_exclusions(_resigned(entries=[_HELD]), name="f").entries[0].names == ("a",)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"state": "refused"}, "entries.0.state"),
        ({"surprise": 1}, "entries.0.surprise"),
        ({"kind": "author"}, "entries.0.kind"),
        ({"host": "GitHub.com"}, "host"),
        ({"host": "github.com:443"}, "host"),
        ({"host": "www.github.com"}, "host"),
        ({"host": None}, "host"),
        ({"names": []}, "names"),
        ({"names": ["A"]}, "names"),
        ({"names": ["a", "a"]}, "names"),
        ({"names": ["a/"]}, "names"),
        ({"names": ["a\u202eb"]}, "names"),
        ({"owner_id": "7"}, "owner_id"),
        ({"owner_id": True}, "owner_id"),
        ({"owner_id": 0}, "owner_id"),
        ({"repository_id": 7}, "repository_id"),
        ({"glob": "*"}, "glob"),
        ({"kind": "path", "glob": "["}, "glob"),
        ({"kind": "path"}, "glob"),
        ({"swhid": "swh:1:cnt:" + "0" * 40}, "swhid"),
        ({"purposes": []}, "purposes"),
        ({"purposes": ["train", "redistribute"]}, "purposes"),
        ({"include_future": False}, "cutoff"),
        ({"cutoff": "2025-01-01T00:00:00Z"}, "cutoff"),
        ({"state": "effective"}, "effective_sequence"),
        ({"state": "effective", "effective_sequence": 4}, "effective_sequence"),
        ({"id": "optout-01"}, "entries.0.id"),
    ],
)
def test_an_impossible_entry_is_refused_with_its_key(change, key):
    with pytest.raises(ConfigError, match=key):
        parse_exclusions(_resigned(entries=[_HELD | change]), name="f")


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": -1}, {"sequence": 0}, {"sequence": 1.0}, {"log_head": NO_HASH}, {"log_head": "A" * 64},
        {"version": 2}, {"format": "other"}, {"entries": ...}, {"extra": 1},
        {"entries": [_HELD, _HELD]}, {"entries": {}},
    ],
)  # fmt: skip
def test_an_impossible_list_is_refused(changes):
    with pytest.raises(ConfigError, match=r"^f: "):
        parse_exclusions(_resigned(**changes), name="f")


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"a":NaN}'])
def test_what_is_no_exclusions_file_is_refused(data):
    with pytest.raises(ConfigError, match=r"^f: "):
        parse_exclusions(data, name="f")


def test_other_spellings_of_the_same_list_are_refused():
    data = _resigned(entries=[_HELD])
    for other in (
        data.strip(),
        b" " + data,
        data.replace(b"{", b'{"sequence":3,', 1),
        json.dumps(json.loads(data)).encode(),
    ):
        with pytest.raises(ConfigError, match="canonical"):
            parse_exclusions(other, name="f")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        read_exclusions(tmp_path / "nowhere")


def test_files_go_to_disk_and_back(tmp_path):
    write_exclusions(tmp_path / "e.json", EMPTY)
    assert read_exclusions(tmp_path / "e.json") == EMPTY


def test_entries_cannot_be_changed():
    entry = Exclusion(id="optout-1", kind="host", host="git.example.org", state="held")
    with pytest.raises(ValidationError, match="frozen"):
        entry.state = "effective"
