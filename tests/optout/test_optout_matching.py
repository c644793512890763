"""Exclusions cover what they name, under every name it has or had, and nothing else."""

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.exclusions import EMPTY, Exclusion, ExclusionList
from foundation.schema import REPOSITORIES
from registry import Question, covering
from stages.optout import (
    ALIASES,
    REASONS,
    covered,
    excluded_contents,
    excluded_occurrences,
    excluded_repositories,
    gate,
    known_aliases,
)

A, B, C = "a" * 40, "b" * 40, "c" * 40


def exclusion(number, kind, *names, host="github.com", **fields):
    if kind == "content":
        return Exclusion(id=f"optout-{number}", kind=kind, state="held", **fields)
    return Exclusion(id=f"optout-{number}", kind=kind, state="held", host=host, names=names, **fields)


def listed(*entries):
    return ExclusionList(sequence=9, log_head="f" * 64, entries=entries)


def repositories(*rows):
    """Rows (origin, github_id, repo_name, former_names, fork_of, first_seen) as a REPOSITORIES frame."""
    names = ("origin", "github_id", "repo_name", "former_names", "fork_of", "first_seen")
    full = [dict(zip(names, row, strict=False)) for row in rows]
    empty = pl.from_arrow(REPOSITORIES.empty_table())
    return pl.concat([empty, pl.DataFrame(full, schema={n: empty.schema[n] for n in names})], how="diagonal")


def out(frame, *entries):
    found = excluded_repositories(frame, listed(*entries))
    return dict(zip(found["origin"], zip(found["reason"], found["exclusion_id"], strict=True), strict=True))


FILELOCK = repositories(
    ("https://github.com/tox-dev/py-filelock", 5, "tox-dev/py-filelock", ["benediktschmitt/py-filelock"]),
    ("https://github.com/benediktschmitt/py-filelock", None, "benediktschmitt/py-filelock", []),
    ("https://github.com/other/py-filelock", 6, "other/py-filelock", None),
)
BOTH = {"https://github.com/tox-dev/py-filelock", "https://github.com/benediktschmitt/py-filelock"}


@pytest.mark.parametrize("name", ["tox-dev/py-filelock", "benediktschmitt/py-filelock"])
def test_a_renamed_repository_is_covered_under_every_name_and_address(name):
    assert set(out(FILELOCK, exclusion(1, "repository", name))) == BOTH


def test_a_repository_is_covered_by_its_number_whatever_it_is_called():
    entry = exclusion(1, "repository", "gone/elsewhere", repository_id=5)
    assert set(out(FILELOCK, entry)) == BOTH


def test_a_number_counts_on_its_own_forge_only():
    entry = exclusion(1, "repository", "gone/elsewhere", host="gitlab.com", repository_id=5)
    assert out(FILELOCK, entry) == {}


def test_two_states_with_one_number_go_together():
    frame = repositories(
        ("https://github.com/old/x", 8, None, None),
        ("https://github.com/new/x", 8, None, None),
        ("https://github.com/n/y", 9),
    )
    assert len(out(frame, exclusion(1, "repository", "old/x"))) == 2


def test_a_name_taken_over_by_another_repository_does_not_spread():
    frame = repositories(
        ("https://github.com/bob/y", 1, "bob/y", ["alice/x"]),
        ("https://github.com/alice/x", 2, "alice/x", []),
    )
    assert set(out(frame, exclusion(1, "repository", "bob/y"))) == {"https://github.com/bob/y"}


@pytest.mark.parametrize(
    "origin",
    ["https://github.com/LANDLEY/toybox.git", "http://www.github.com/Landley/x/", "git@github.com:landley/x.git"],
)
def test_an_owner_is_covered_in_any_spelling(origin):
    frame = repositories(
        (origin, None, None, None), ("https://github.com/landley2/toybox", None, "landley2/toybox", [])
    )
    assert out(frame, exclusion(3, "owner", "landley")) == {origin: ("opted_out_owner", "optout-3")}


def test_a_nested_group_is_an_owner_and_its_namesakes_are_not():
    frame = repositories(
        ("https://gitlab.com/a/b/c",),
        ("https://gitlab.com/a/b/c/d",),
        ("https://gitlab.com/a/bb/c",),
        ("https://gitlab.com/a/x",),
    )
    found = out(frame, exclusion(1, "owner", "a/b", host="gitlab.com"))
    assert set(found) == {"https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c/d"}


def test_an_owner_is_covered_by_number_where_the_table_has_it():
    frame = FILELOCK.with_columns(owner_id=pl.Series([None, None, 44], dtype=pl.Int64))
    assert set(out(frame, exclusion(1, "owner", "renamed", owner_id=44))) == {"https://github.com/other/py-filelock"}


def test_a_host_is_covered_whole():
    frame = repositories(("https://git.zx2c4.com/password-store",), ("https://git.zx2c4.com.evil.org/x",))
    assert out(frame, exclusion(1, "host", host="git.zx2c4.com")) == {
        "https://git.zx2c4.com/password-store": ("opted_out_host", "optout-1")
    }


FORKS = repositories(
    ("https://github.com/base/x", 1, "base/x", ["elder/x"], None),
    ("https://github.com/f1/x", 2, "f1/x", [], "base/x"),
    ("https://github.com/f2/x", 3, "f2/x", [], "https://github.com/f1/x"),
    ("https://github.com/f3/x", 4, "f3/x", [], "Elder/X"),
    ("https://github.com/lone/x", 5, "lone/x", [], None),
    ("https://github.com/orphan/x", 6, "orphan/x", [], "lost/x"),
)


def test_forks_are_covered_only_when_asked_for():
    assert set(out(FORKS, exclusion(1, "repository", "base/x"))) == {"https://github.com/base/x"}


@pytest.mark.parametrize(("kind", "name"), [("repository", "base/x"), ("repository", "elder/x"), ("owner", "base")])
def test_forks_of_forks_are_covered_with_their_origin(kind, name):
    found = out(FORKS, exclusion(1, kind, name, include_forks=True))
    assert {origin.split("/")[3] for origin in found} == {"base", "f1", "f2", "f3"}


@pytest.mark.parametrize(("kind", "name"), [("repository", "lost/x"), ("owner", "lost")])
def test_a_fork_is_covered_though_its_parent_is_not_archived(kind, name):
    assert set(out(FORKS, exclusion(1, kind, name, include_forks=True))) == {"https://github.com/orphan/x"}


def test_existing_only_leaves_later_repositories_alone():
    day = pl.Series(["2024-01-01T00:00:00", "2025-06-01T00:00:00", None]).str.to_datetime(time_zone="UTC")
    frame = repositories(
        ("https://github.com/a/old",), ("https://github.com/a/new",), ("https://github.com/a/undated",)
    )
    frame = frame.with_columns(first_seen=day.cast(frame.schema["first_seen"]))
    entry = exclusion(1, "owner", "a", include_future=False, cutoff="2025-01-01T00:00:00Z")
    assert {origin.rsplit("/", 1)[1] for origin in out(frame, entry)} == {"old", "undated"}


def test_the_broadest_exclusion_is_named_then_the_earliest():
    entries = [
        exclusion(1, "repository", "tox-dev/py-filelock"),
        exclusion(2, "owner", "tox-dev"),
        exclusion(10, "owner", "tox-dev"),
    ]
    assert out(FILELOCK, *entries)["https://github.com/tox-dev/py-filelock"] == ("opted_out_owner", "optout-2")


def test_nothing_is_excluded_by_an_empty_list():
    assert excluded_repositories(FORKS, EMPTY).is_empty()
    assert excluded_contents(pl.DataFrame({"sha1_git": [A]}), EMPTY).is_empty()


OCCURRENCES = pl.DataFrame(
    {
        "origin": ["https://github.com/tox-dev/py-filelock"] * 4 + ["https://github.com/Unlisted/x.git"] * 2,
        "path": [b"docs/a.md", b"src/\xff\n.py", b"src/a.py", b"x", b"docs/a.md", b"y"],
        "sha1_git": [A, B, C, C, A, C],
    }
)


def _verdicts(*entries):
    found = excluded_occurrences(OCCURRENCES, FILELOCK, listed(*entries))
    assert found.select(OCCURRENCES.columns).equals(OCCURRENCES)
    return [None if reason is None else reason.removeprefix("opted_out_") for reason in found["reason"]]


def test_paths_are_excluded_in_their_repository_alone_under_its_former_name_too():
    entry = exclusion(1, "path", "benediktschmitt/py-filelock", glob="docs/")
    assert _verdicts(entry) == ["path", None, None, None, None, None]


def test_paths_that_are_not_text_are_matched_as_bytes():
    assert _verdicts(exclusion(1, "path", "tox-dev/py-filelock", glob="src/??.py")) == [
        None,
        "path",
        None,
        None,
        None,
        None,
    ]


def test_a_content_is_excluded_wherever_it_occurs():
    entry = exclusion(1, "content", swhid=f"swh:1:cnt:{C}")
    assert _verdicts(entry) == [None, None, "content", "content", None, "content"]
    found = excluded_contents(pl.DataFrame({"sha1_git": [A, C, C, None]}), listed(entry))
    assert found.rows() == [(C, "opted_out_content", "optout-1")]


def test_an_origin_that_the_catalog_does_not_list_is_matched_by_its_address():
    assert _verdicts(exclusion(1, "owner", "unlisted")) == [None] * 4 + ["owner"] * 2
    assert _verdicts(exclusion(1, "path", "unlisted/x", glob="*.md")) == [None] * 4 + ["path", None]


def test_whole_repositories_come_before_paths_and_those_before_contents():
    entries = [
        exclusion(1, "content", swhid=f"swh:1:cnt:{A}"),
        exclusion(2, "path", "tox-dev/py-filelock", glob="docs/"),
        exclusion(3, "path", "tox-dev/py-filelock", glob="docs/**"),
    ]
    found = excluded_occurrences(OCCURRENCES, FILELOCK, listed(*entries))
    assert found["exclusion_id"].to_list() == ["optout-2", None, None, None, "optout-1", None]
    assert _verdicts(*entries, exclusion(4, "repository", "tox-dev/py-filelock"))[0] == "repository"


RELEASED = pl.DataFrame(
    {
        "origin": ["https://github.com/new/x", "https://github.com/clean/y", "https://github.com/clean/z"],
        "path": ["a.py", "caf\\xe9.py", "b.py"],
        "path_raw": [None, b"caf\xe9.py", None],
        "content_id": [A, B, C],
        "repo_name": ["new/x", "clean/y", "clean/z"],
        "github_id": [1, 2, 3],
    }
)


@pytest.mark.parametrize(
    ("entry", "rows"),
    [
        (exclusion(1, "owner", "new"), [0]),
        (exclusion(1, "repository", "elsewhere/x", repository_id=1), [0]),
        (exclusion(1, "path", "clean/y", glob="caf?.py"), [1]),
        (exclusion(1, "content", swhid=f"swh:1:cnt:{C}"), [2]),
        (exclusion(1, "owner", "stranger"), []),
    ],
)
def test_the_gate_lets_no_excluded_row_through(entry, rows):
    offending = gate(RELEASED, listed(entry))
    assert offending["sha1_git"].to_list() == [RELEASED["content_id"][at] for at in rows]
    assert set(offending["exclusion_id"]) <= {"optout-1"}


def test_the_gate_knows_former_names_from_the_catalog():
    entry = listed(exclusion(1, "owner", "former"))
    known = repositories(("https://github.com/new/x", 1, "new/x", ["former/x"]))
    assert gate(RELEASED, entry).is_empty()
    assert gate(RELEASED, entry, repositories=known)["origin"].to_list() == ["https://github.com/new/x"]


_OWNER = st.sampled_from(["a", "A", "b", "c"])
_FULL = st.builds("{}/{}".format, _OWNER, st.sampled_from(["x", "X", "y"]))
_ROW = st.tuples(
    st.builds("https://{}/{}".format, st.sampled_from(["github.com", "gitlab.com", "www.GitHub.com"]), _FULL),
    st.none() | st.integers(1, 3),
    st.none() | _FULL,
    st.none() | st.lists(_FULL, max_size=2),
    st.none() | _FULL,
)
_LOWER = _FULL.map(str.lower)
_ENTRY = st.one_of(
    st.builds(lambda n, f: ("owner", (n,), {"include_forks": f}), _OWNER.map(str.lower), st.booleans()),
    st.builds(
        lambda n, f, i: ("repository", (n,), {"include_forks": f, "repository_id": i}),
        _LOWER, st.booleans(), st.none() | st.integers(1, 3),
    ),
    st.builds(lambda n: ("path", (n,), {"glob": "src/"}), _LOWER),
)  # fmt: skip
_ROWS = st.lists(_ROW, max_size=8, unique_by=lambda row: row[0])
_ENTRIES = st.lists(_ENTRY, max_size=3).map(
    lambda found: listed(*(exclusion(n, kind, *names, **fields) for n, (kind, names, fields) in enumerate(found, 1)))
)


def _model(rows, exclusions):
    """Pairs (origin, exclusion) by the definition in `stages.optout.repositories`, row by row."""
    pairs = set()
    for entry in exclusions.entries:
        hit, grown = set(), True
        while grown:
            mates = [row for row in rows if row[0] in hit]
            answers = set().union(*(_keys(mate) for mate in mates))
            now = {
                row[0]
                for row in rows
                if any(_named(entry, key) for key in _keys(row))
                or (entry.repository_id is not None and (_host(row), row[1]) == (entry.host, entry.repository_id))
                or any(_same(row, mate) for mate in mates)
                or (entry.include_forks and row[4] and (_named(entry, _parent(row)) or _parent(row) in answers))
            }
            grown, hit = now != hit, now
        pairs |= {(origin, entry.id) for origin in hit}
    return pairs


def _named(entry, key):
    seeds = {f"{entry.host}/{name}" for name in entry.names}
    return key in seeds if entry.kind != "owner" else any(key.startswith(f"{seed}/") for seed in seeds)


def _host(row):
    return row[0].lower().split("/")[2].removeprefix("www.")


def _keys(row):
    names = [row[0].split("/", 3)[3], *([row[2]] if row[2] else []), *(row[3] or [])]
    return {f"{_host(row)}/{name.lower()}" for name in names}


def _parent(row):
    return f"{_host(row)}/{row[4].lower()}"


def _same(row, mate):
    if row[1] is not None and mate[1] is not None:
        return (_host(row), row[1]) == (_host(mate), mate[1])
    return bool(_keys(row) & _keys(mate))


@settings(deadline=None, max_examples=40)
@given(_ROWS, _ENTRIES, st.randoms(use_true_random=False))
def test_matching_agrees_with_its_definition_in_any_order(rows, exclusions, shuffle):
    expected = _model(rows, exclusions)
    assert set(covered(repositories(*rows), exclusions).rows()) == expected
    shuffled = random.Random(shuffle.random()).sample(rows, len(rows))
    first = excluded_repositories(repositories(*rows), exclusions)
    assert first.equals(excluded_repositories(repositories(*shuffled), exclusions))
    whole = {entry.id for entry in exclusions.entries if entry.kind != "path"}
    assert set(first["origin"]) == {origin for origin, entry in expected if entry in whole}
    assert set(first["reason"]) <= set(REASONS)


@settings(deadline=None, max_examples=20)
@given(_ROWS, _ENTRIES)
def test_partitions_find_what_the_whole_table_finds(rows, exclusions):
    parts = [repositories(*rows[::2]), repositories(*rows[1::2])]
    known, size = pl.DataFrame(schema=ALIASES), -1
    while known.height != size:
        size = known.height
        for part in parts:
            known = known_aliases(part, exclusions, known=known)
    found = set().union(*(set(covered(part, exclusions, known).rows()) for part in parts))
    assert found == set(covered(repositories(*rows), exclusions).rows())


@settings(deadline=None, max_examples=50)
@given(_ROW, _ENTRIES)
def test_the_look_up_of_one_origin_agrees_with_the_stage(row, exclusions):
    origin, number, name, former, _ = row
    alone = repositories((origin, number, name, former, None))
    names = (*([name] if name else []), *(former or ()))
    question = Question(origin=origin, names=names, repository_id=number, path=b"src/a")
    assert {entry.id for entry in covering(question, exclusions)} == set(covered(alone, exclusions)["exclusion_id"])
