"""A GPL file with another author's address in an MIT repository: whole builds, under every policy."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import polars as pl
import pytest

from archive.ingest import ingest
from foundation.errors import ConfigError
from pipeline.recipe_file import parse_recipe
from tests.support import mill
from tests.support.archives import make_git_repository

DAY = 86_400
FIRST, SECOND, THIRD = (1_400_000_000 + at * 400 * DAY for at in range(3))
FIRST_SEEN = "2014-05-13T16:53:20Z"
ADDRESSES = ("kerstin.albrecht@solarwerk-nord.de", "karl.brandt@solarwerk-nord.de", "ida.winter@solarwerk-nord.de")
LICENCE = {
    "gpl": b"SPDX-License-Identifier: GPL-2.0-only\n",
    "mit": b"SPDX-License-Identifier: MIT\n",
    "third": b"SPDX-License-Identifier: BSD-3-Clause\n",
}


def file(seed: int, author: int, *, header: str = "") -> bytes:
    return (mill.program(seed, header=header) + f'\n\nCONTACT = "{ADDRESSES[author]}"\n').encode()


SAME, TAG = mill.program(8).encode(), "# SPDX-License-Identifier: MIT\n"
GPL_TAG = "# SPDX-License-Identifier: GPL-2.0-only\n"
TREES = {
    "gpl": (
        FIRST,
        {
            "stolen.py": file(1, 0),
            "tagged.py": file(3, 0, header=TAG),
            "same.py": SAME,
            "washed.py": file(6, 0, header=GPL_TAG),
        },
    ),
    "mit": (
        SECOND,
        {"lib/stolen.py": file(1, 1), "lent.py": file(2, 1), "tagged.py": file(3, 1, header=TAG), "same.py": SAME},
    ),
    "third": (
        THIRD,
        {
            "stolen.py": file(1, 2),
            "own.py": file(5, 2),
            "washed.py": file(6, 2, header=TAG),
            "bare.py": file(6, 1),
        },
    ),
    "late_gpl": (THIRD, {"lent.py": file(2, 2)}),
}


@dataclasses.dataclass(frozen=True)
class Mills:
    """One archive and its builds by recipe, made when first asked for."""

    folder: Path
    archive: Path
    built: dict[str, mill.Built] = dataclasses.field(default_factory=dict)

    def build(self, **licences: object) -> mill.Built:
        name = json.dumps(licences, sort_keys=True)
        if name not in self.built:
            recipe = parse_recipe({**mill.RECIPE, "licences": licences}, name=name)
            self.built[name] = mill.build_in(self.folder / str(len(self.built)), self.archive, recipe=recipe)
        return self.built[name]


@pytest.fixture(scope="module")
def mills(tmp_path_factory: pytest.TempPathFactory) -> Mills:
    folder, origins = tmp_path_factory.mktemp("laundering"), {}
    for name, (seconds, files) in TREES.items():
        path = folder / "sources" / name
        licence = LICENCE[name.removeprefix("late_")]
        make_git_repository(path, {"LICENSE": licence, **files}, seconds=seconds)
        origins[str(path)] = f"https://example.org/team/{name}"
    ingest(list(origins), folder / "archive", visit_date=mill.VISIT, origins=origins, export_name="2026-01-02")
    return Mills(folder, folder / "archive")


def decision(built: mill.Built, origin: str, path: str) -> dict[str, object]:
    here = (pl.col("origin") == f"https://example.org/team/{origin}") & (pl.col("path") == path.encode())
    content = built.occurrences.filter(here)["sha1_git"].item()
    return built.decisions.filter(pl.col("sha1_git") == content).row(0, named=True)


def content_of(built: mill.Built, origin: str, path: str) -> str:
    return f"swh:1:cnt:{decision(built, origin, path)['sha1_git']}"


@pytest.mark.parametrize(("origin", "path"), [("mit", "lib/stolen.py"), ("third", "stolen.py")])
def test_a_copy_with_another_address_is_refused_and_the_witness_is_named(mills: Mills, origin: str, path: str) -> None:
    built = mills.build()
    found = decision(built, origin, path)
    assert (found["verdict"], found["stage"], found["reason"]) == ("dropped", "licences", "licence_refused")
    assert (found["value"], found["threshold"], found["kept"]) == ("GPL-2.0-only", "permissive", None)
    evidence = json.loads(str(found["evidence"]))
    assert evidence["copy"] == {
        "expression": "GPL-2.0-only",
        "first_seen": FIRST_SEEN,
        "origin": "https://example.org/team/gpl",
        "path": "stolen.py",
        "policy": "earliest_origin",
        "same": "text",
        "swhid": content_of(built, "gpl", "stolen.py"),
    }
    assert evidence["path"] == "LICENSE"
    assert not built.rows["path"].str.contains("stolen").any()


@pytest.mark.parametrize("path", ["washed.py", "bare.py"])
def test_another_header_or_none_does_not_wash_a_licence_off(mills: Mills, path: str) -> None:
    found = decision(mills.build(), "third", path)
    assert (found["reason"], found["value"]) == ("licence_refused", "GPL-2.0-only")
    copy = json.loads(str(found["evidence"]))["copy"]
    assert (copy["origin"], copy["path"], copy["same"]) == ("https://example.org/team/gpl", "washed.py", "body")
    assert decision(mills.build(compare_copies="redacted"), "third", path)["reason"] in {None, "near_duplicate"}
    assert decision(mills.build(), "third", "own.py")["verdict"] == "kept"


def test_nobodys_address_and_nothing_of_the_witness_is_written(mills: Mills) -> None:
    built = mills.build()
    for path in built.out.rglob("copies-*.parquet"):
        assert "text" not in pl.read_parquet_schema(path)
    witness = built.table("contents").filter(pl.col("path") == b"stolen.py", pl.col("origin").str.ends_with("/gpl"))
    assert witness["text"].to_list() == [None]


def test_what_was_permissive_first_is_kept(mills: Mills) -> None:
    assert decision(mills.build(), "mit", "lent.py")["verdict"] == "kept"
    assert decision(mills.build(), "late_gpl", "lent.py")["reason"] == "licence_refused"
    refused = decision(mills.build(copies="any_copy"), "mit", "lent.py")
    assert json.loads(str(refused["evidence"]))["copy"]["policy"] == "any_copy"


@pytest.mark.parametrize("policy", ["earliest_origin", "any_copy"])
def test_a_header_of_the_files_own_stands_above_every_copy(mills: Mills, policy: str) -> None:
    built = mills.build() if policy == "earliest_origin" else mills.build(copies=policy)
    tagged = {decision(built, origin, "tagged.py")["reason"] for origin in ("gpl", "mit")}
    assert tagged == {None, "exact_duplicate"}


def test_identical_bytes_name_the_deciding_copy_too(mills: Mills) -> None:
    for policy, built in (("earliest_origin", mills.build()), ("any_copy", mills.build(copies="any_copy"))):
        found = decision(built, "mit", "same.py")
        assert found["reason"] == "licence_refused"
        assert json.loads(str(found["evidence"]))["copy"] == {
            "expression": "GPL-2.0-only",
            "first_seen": FIRST_SEEN,
            "origin": "https://example.org/team/gpl",
            "path": "same.py",
            "policy": policy,
            "swhid": content_of(built, "gpl", "same.py"),
        }
        row = built.table("contents").filter(pl.col("sha1_git") == found["sha1_git"])
        assert row["licence_source"].item() == policy


@pytest.mark.parametrize(
    "licences",
    [{"copies": "best_copy"}, {"compare_copies": "identical"}, {"read_headers": "where_path_allows"}],
    ids=str,
)
def test_whoever_wants_less_gets_less(mills: Mills, licences: dict[str, str]) -> None:
    built = mills.build(**licences)
    kept = {decision(built, "mit", "lib/stolen.py")["reason"], decision(built, "third", "stolen.py")["reason"]}
    assert kept == {None, "exact_duplicate"}
    same = decision(built, "mit", "same.py")["verdict"]
    assert same == ("kept" if licences == {"copies": "best_copy"} else "dropped")


def test_where_all_classes_are_kept_the_earliest_licence_represents_the_text(mills: Mills) -> None:
    built = mills.build(keep=["permissive", "non_permissive", "no_license"])
    row = built.rows.filter(pl.col("path").str.contains("stolen"))
    assert row.select("origin", "license_type").rows() == [("https://example.org/team/gpl", "non_permissive")]
    for origin, path in (("mit", "lib/stolen.py"), ("third", "stolen.py")):
        found = decision(built, origin, path)
        assert (found["reason"], found["kept"]) == ("exact_duplicate", row["content_id"].item())


def test_the_funnel_adds_up_with_refused_copies(mills: Mills) -> None:
    built = mills.build()
    assert built.result.funnel[-1]["kept"] == built.rows.height == (built.decisions["verdict"] == "kept").sum()


def test_the_older_key_is_refused_with_what_to_write_instead() -> None:
    for value, meant in ((True, "earliest_origin"), (False, "best_copy")):
        with pytest.raises(ConfigError, match=rf'licences: .*write copies = "{meant}" instead'):
            parse_recipe({**mill.RECIPE, "licences": {"earliest_origin_decides": value}}, name="r.toml")
