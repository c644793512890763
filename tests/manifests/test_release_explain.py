"""Explanations: every way out of a build is told, with its grounds, whichever way it is asked for."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from foundation.errors import AnswerIsNo, ConfigError, IntegrityError, UsageError
from foundation.schema import DECISIONS, OCCURRENCES, REPOSITORIES
from foundation.tables import write_table
from manifests import explain, publish

GONE, NEAR, BAD, LINK, SUB = "a" * 40, "b" * 40, "c" * 40, "d" * 40, "e" * 40
PORT = "https://host.example:8443/group/sub"
OUT = "https://host.example/opted/out"


def _table(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema)


@dataclasses.dataclass(frozen=True)
class Built:
    out: Path
    release: Path
    kept: dict[str, object]


@pytest.fixture(scope="module")
def built(tools, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A finished build: a kept file at two paths, a duplicate, a quality drop, early drops, an opted-out origin."""
    out = tmp_path_factory.mktemp("built")
    build = out / "builds" / "demo"
    rows: pl.DataFrame = tools("make_rows")(30, seed=9)
    sums = tools("stage")(build / "staging", rows)
    release = publish(build / "staging", out / "releases", tools("make_facts")(30, checksums=sums))
    kept = rows.filter(pl.col("redactions").list.len() == 2).row(0, named=True)
    place = {"origin": kept["origin"], "path": str(kept["path"]).encode()}
    repositories = [
        {"origin": kept["origin"], "repo_name": kept["repo_name"]},
        {"origin": PORT, "repo_name": "group/sub"},
        {"origin": OUT, "repo_name": "opted/out", "reason": "opted_out", "evidence": '{"exclusion":4}'},
    ]
    at = {"origin": PORT, "mode": 0o100644, "length": 5}
    occurrences = [
        {**place, "mode": 0o100644, "sha1_git": kept["content_id"], "length": 5},
        *({**at, "path": f"copy/{number:03}".encode(), "sha1_git": kept["content_id"]} for number in range(30)),
        {**at, "path": b"a:b\nc.py", "sha1_git": NEAR},
        {**at, "path": b"\xff\x1b.py", "sha1_git": BAD},
        {**at, "path": b"big.bin", "sha1_git": GONE, "reason": "too_large", "evidence": '{"length":99}'},
        {**at, "path": b"link", "mode": 0o120000, "sha1_git": LINK, "reason": "symlink"},
        {**at, "path": b"vendor", "mode": 0o160000, "sha1_git": SUB, "reason": "submodule"},
        {**at, "path": b"hidden", "sha1_git": kept["content_id"], "reason": "opted_out"},
    ]
    occurrences.sort(key=lambda row: (row["origin"], row["path"]))
    near = {"stage": "near_duplicates", "reason": "near_duplicate", "value": "0.91", "threshold": "0.7"}
    decisions = [
        {"sha1_git": kept["content_id"], **place, "verdict": "kept"},
        {"sha1_git": NEAR, "origin": PORT, "path": b"a:b\nc.py", "verdict": "dropped", **near}
        | {"kept": kept["content_id"], "jaccard": 0.91},
        {"sha1_git": BAD, "origin": PORT, "path": b"\xff\x1b.py", "verdict": "dropped", "stage": "quality"}
        | {"reason": "alpha_fraction", "value": "0.1", "threshold": "0.25", "evidence": "not json"},
    ]
    halves = [("occurrences-0", occurrences[:9]), ("occurrences-1", occurrences[9:])]
    for name, part in halves:
        write_table(build / f"catalog/{name}.parquet", _table(part, OCCURRENCES), OCCURRENCES)
    write_table(build / "catalog/repositories.parquet", _table(repositories, REPOSITORIES), REPOSITORIES)
    write_table(build / "decisions/d.parquet", _table(decisions, DECISIONS), DECISIONS)
    listing = {
        "repositories": ["catalog/repositories.parquet"],
        "occurrences": [f"catalog/{name}.parquet" for name, _ in halves],
        "decisions": ["decisions/d.parquet"],
        "contents": [],
        "release": "../../releases/demo/1.0.0",
    }
    (build / "tables.json").write_text(json.dumps(listing))
    return Built(out, release, kept)


def test_a_kept_file_shows_its_row_from_every_starting_point(built: Built) -> None:
    kept = built.kept
    ids = [
        f"swh:1:cnt:{kept['content_id']}",
        kept["swhid"],
        f"{kept['origin']}:{kept['path']}",
        f"{kept['repo_name']}:{kept['path']}",
        f"{kept['origin']}:/{kept['path']}",
    ]
    for folder in (built.out, built.out / "builds" / "demo", built.release):
        for identifier in ids:
            found = explain(folder, str(identifier))
            assert found.verdict.verdict == "kept"
            assert found.row is not None
            assert (found.row.swhid, found.row.redactions) == (kept["swhid"], {"EMAIL": 1, "KEY": 1})
            assert found.row.licence_expression == kept["licence_expression"]
            assert (found.occurrence_count, len(found.occurrences)) == (32, 20)
            assert found.elsewhere is None


def test_another_path_of_a_kept_content_says_where_it_is_kept(built: Built) -> None:
    found = explain(built.out, f"{PORT}:copy/007")
    assert found.verdict.verdict == "kept"
    assert found.elsewhere is not None
    assert (found.elsewhere.origin, found.elsewhere.path) == (built.kept["origin"], built.kept["path"])
    hidden = explain(built.out, f"{PORT}:hidden")
    assert (hidden.verdict.verdict, hidden.verdict.level, hidden.verdict.reason) == (
        "dropped",
        "occurrence",
        "opted_out",
    )


def test_a_duplicate_names_the_kept_file_and_the_similarity(built: Built) -> None:
    for identifier in (f"swh:1:cnt:{NEAR}", f"{PORT}:a:b\nc.py", "group/sub:a:b\nc.py"):
        found = explain(built.out, identifier)
        assert (found.verdict.stage, found.verdict.value, found.verdict.threshold) == ("near_duplicates", "0.91", "0.7")
        assert found.duplicate_of is not None
        assert found.duplicate_of.swhid == f"swh:1:cnt:{built.kept['content_id']}"
        assert (found.duplicate_of.path, found.duplicate_of.jaccard) == (built.kept["path"], 0.91)


def test_paths_that_are_not_text_can_be_asked_for(built: Built) -> None:
    for path in ("\\xff\x1b.py", b"\xff\x1b.py".decode("utf-8", "surrogateescape")):
        found = explain(built.out, f"{PORT}:{path}")
        assert (found.swhid, found.path) == (f"swh:1:cnt:{BAD}", "\\xff\x1b.py")
        assert found.verdict.evidence == "not json"


@pytest.mark.parametrize(
    ("path", "reason", "swhid"),
    [
        ("big.bin", "too_large", f"swh:1:cnt:{GONE}"),
        ("link", "symlink", f"swh:1:cnt:{LINK}"),
        ("vendor", "submodule", f"swh:1:rev:{SUB}"),
    ],
)
def test_early_drops_of_a_path(built: Built, path: str, reason: str, swhid: str) -> None:
    found = explain(built.out, f"{PORT}:{path}")
    assert (found.verdict.stage, found.verdict.level, found.verdict.reason) == ("catalog", "occurrence", reason)
    assert found.swhid == swhid
    assert found.row is None


def test_a_content_that_was_only_dropped_early(built: Built) -> None:
    found = explain(built.out, f"swh:1:cnt:{GONE}")
    assert (found.verdict.reason, found.verdict.evidence) == ("too_large", {"length": 99})


def test_repositories(built: Built) -> None:
    for identifier in (OUT, f"{OUT}:any/path", "opted/out:x"):
        found = explain(built.out, identifier)
        assert (found.verdict.level, found.verdict.reason) == ("repository", "opted_out")
        assert found.verdict.evidence == {"exclusion": 4}
    read = explain(built.out, PORT)
    assert (read.verdict.verdict, read.occurrence_count) == ("kept", 36)


def test_what_was_never_seen_is_answered_no(built: Built) -> None:
    with pytest.raises(AnswerIsNo, match="not in the catalog"):
        explain(built.out, f"swh:1:cnt:{'0' * 40}")
    with pytest.raises(AnswerIsNo, match="no such path"):
        explain(built.out, f"{PORT}:nowhere")
    with pytest.raises(AnswerIsNo) as caught:
        explain(built.out, "https://elsewhere.example/x/SUB:path")
    assert PORT in caught.value.hint
    for wrong in ("swh:1:rev:" + "0" * 40, "swh:1:cnt:00", "", " "):
        with pytest.raises(UsageError):
            explain(built.out, wrong)


def test_lines_and_json_say_the_same(built: Built) -> None:
    found = explain(built.out, f"swh:1:cnt:{NEAR}")
    assert json.loads(json.dumps(found.to_json()))["duplicate_of"]["jaccard"] == 0.91
    text = "\n".join(found.lines())
    for part in ("dropped by near_duplicates: near_duplicate", "0.91", "0.7", built.kept["origin"], built.kept["path"]):
        assert str(part) in text


def test_a_release_without_its_build_explains_its_rows(published: Path, rows: pl.DataFrame) -> None:
    row = rows.row(17, named=True)
    for identifier in (row["swhid"], f"{row['origin']}:{row['path']}", f"{row['repo_name']}:{row['path']}"):
        found = explain(published, identifier)
        assert found.row is not None
        assert (found.row.swhid, found.occurrence_count) == (row["swhid"], None)
    with pytest.raises(AnswerIsNo, match="is not in demo@1"):
        explain(published, f"{row['origin']}:nowhere")


def test_folders_that_cannot_be_explained(built: Built, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a build"):
        explain(tmp_path, GONE)
    build = tmp_path / "builds" / "one"
    build.mkdir(parents=True)
    (build / "tables.json").write_text(json.dumps({"repositories": ["../x"], "occurrences": [], "decisions": []}))
    with pytest.raises(IntegrityError, match="outside the build"):
        explain(tmp_path, GONE)
    (build / "tables.json").write_text("{")
    with pytest.raises(IntegrityError, match=r"tables\.json"):
        explain(tmp_path, GONE)
    (tmp_path / "builds" / "two").mkdir()
    (tmp_path / "builds" / "two" / "tables.json").write_text("{}")
    with pytest.raises(UsageError, match="2 builds"):
        explain(tmp_path, GONE)
