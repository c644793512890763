"""A build over planted values: they are in its archive, and in nothing that it writes or says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from foundation.errors import InternalError
from foundation.tasks import Counts, Task
from manifests import explain, load_manifest, repository, verify
from pipeline.cli.main import run
from pipeline.named import name_redaction
from pipeline.progress import Progress
from pipeline.runner import LocalRunner
from tests.redaction.samples import AWS_ID, BODY, FOOTER, GITHUB, HEADER, JWT, PEM, PLAIN_PASSWORD
from tests.support import mill

TEAM = "https://example.org/team"
EMAIL, OTHER, THIRD = "marta.kowalczyk@brightforge-labs.io", "olga@brightforge-labs.io", "nina@forge-works.io"
IP, PHONE, CARD = "78.141.62.146", "+44 7700 900461", "4556739744508063"
# What no table, text or line may hold; e-mail addresses of a licence notice stay, so OTHER is none of these.
PLANTED = (EMAIL, THIRD, IP, PHONE, CARD, AWS_ID, GITHUB, JWT, PLAIN_PASSWORD, *BODY)
CONFIG = f"""
CONTACT = "{EMAIL}"
AWS_ACCESS_KEY_ID = "{AWS_ID}"
DATABASE_PASSWORD = "{PLAIN_PASSWORD}"
SESSION = "{JWT}"
PHONE = "{PHONE}"
HOST = "http://{IP}:8080/"
CARD = {CARD}
PEM = '''{PEM}'''
"""
NOTICE = mill.MIT.format(year=2020, holder=f"Olga <{OTHER}>") + f"\nUse of token {GITHUB} is permitted.\n\n{PEM}\n"
# In doubt, so that a build keeps its text for the review.
DOUBTFUL = f"This licence may be odd: redistribution of {AWS_ID} to {OTHER} is permitted if you dance.\n\n{PEM}\n"
TREES: dict[str, dict[str, str]] = {
    "kept": {
        "LICENSE": NOTICE,
        "src/config.py": mill.program(101) + CONFIG,
        f"users/{EMAIL}/profile.py": mill.program(102),
        f"users/{THIRD}/profile.py": mill.program(103),
        f"users/{THIRD}/{AWS_ID}.py": mill.program(104),
        f"keys/{JWT}.txt": "a note about nothing in particular\n" * 9,
        "generated.py": "# This file is generated. Do not edit.\n" + mill.program(105) + CONFIG,
        "copy.py": mill.program(101) + CONFIG.replace(EMAIL, THIRD),
        "docs/<EMAIL_1>/x.py": mill.program(106),
    },
    "refused": {"COPYING": f"SPDX-License-Identifier: GPL-2.0-only\n{DOUBTFUL}", "tool.py": mill.program(107) + CONFIG},
    GITHUB: {"LICENSE": mill.MIT.format(year=2021, holder="Nobody"), "x.py": mill.program(109)},
    "odd": {
        f"vendor/{THIRD}/LICENSE": DOUBTFUL,
        f"vendor/{THIRD}/x.py": mill.program(108, header=f"# {DOUBTFUL}"[:160]),
    },
}


Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """The command line: (exit code, all that it says)."""
    monkeypatch.delenv("GRISTMILL_DEBUG", raising=False)

    def said(*arguments: str) -> tuple[int, str]:
        code = run(list(arguments))
        return code, "".join(capfd.readouterr())

    return said


def secrets() -> Iterator[str]:
    """The planted values, and the names by which an unsalted hash gives them away."""
    for value in PLANTED:
        yield value
        for algorithm in ("md5", "sha1", "sha256"):
            yield hashlib.new(algorithm, value.encode(), usedforsecurity=False).hexdigest()


def leaks(text: str) -> list[str]:
    """The planted values that `text` holds."""
    return [value for value in secrets() if value in text]


def written(folder: Path) -> Iterator[tuple[Path, str]]:
    """All that lies below `folder`, tables decoded, names included."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        raw = path.read_bytes()
        yield path, f"{path} {raw.decode('latin-1')}"
        if path.suffix == ".parquet":
            for name, column in zip((table := pq.read_table(path)).column_names, table.columns, strict=True):
                texts = (
                    item.decode("latin-1") if isinstance(item, bytes) else str(item) for item in column.to_pylist()
                )
                yield path, f"{name} " + "\n".join(texts)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    trees = {name: {path: text.encode() for path, text in files.items()} for name, files in TREES.items()}
    return mill.make(folder, trees)


@pytest.fixture(scope="module")
def out(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted-out")
    (folder / "mill.toml").write_text(
        '[release]\nname = "mill"\nversion = "1.0.0"\n[languages]\nmin_confidence = 0\n', encoding="utf-8"
    )
    built = subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", "build", str(folder / "mill.toml"), "--archive", str(archive),
         "--out", str(folder / "out"), "--workers", "0", "--json", "--no-progress"],
        cwd=mill.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert leaks(built.stdout + built.stderr) == []
    return folder / "out"


def rows(out: Path) -> pl.DataFrame:
    """The rows of the release."""
    return pl.read_parquet(str(out / "releases/mill/1.0.0/data/**/*.parquet")).sort("origin", "path")


def test_the_values_are_in_the_archive(archive: Path) -> None:
    import gzip

    stored = "".join(gzip.decompress(each.read_bytes()).decode() for each in (archive / "content").iterdir())
    assert [value for value in PLANTED if value not in stored] == []


def test_nothing_that_is_written_holds_a_value(out: Path) -> None:
    assert [(str(path.relative_to(out)), text.split(" ", 1)[0]) for path, text in written(out) if leaks(text)] == []


def test_no_command_says_a_value(out: Path, say: Say) -> None:
    commands = [
        ["redaction", "report", "--build", str(out), "--samples", "50", "--json"],
        ["redaction", "report", "--build", str(out)],
        ["review", "licences", "--build", str(out), "--limit", "0", "--json"],
        ["release", "show", str(out)],
        ["release", "verify", str(out)],
        ["release", "attribution", str(out)],
        ["release", "repository", str(out), f"{TEAM}/kept", "--json"],
        ["explain", str(out), f"{TEAM}/kept:src/config.py"],
        ["explain", str(out), f"{TEAM}/kept:copy.py", "--json"],
        ["explain", str(out), f"{TEAM}/refused:tool.py", "--json"],
        ["explain", str(out), f"{TEAM}/kept:users/{THIRD}/{AWS_ID}.py"],
    ]
    for command in commands:
        code, said = say(*command)
        assert (code, leaks(said)) == (0, []), command


def test_paths_are_redacted_alike_and_stay_apart(out: Path) -> None:
    shipped = rows(out).filter(pl.col("origin") == f"{TEAM}/kept")
    spans = {row["path"]: row["path_redactions"] for row in shipped.iter_rows(named=True)}
    names = {path for path, found in spans.items() if found}
    assert names == {"users/<EMAIL_2>/profile.py", "users/<EMAIL_3>/profile.py", "users/<EMAIL_3>/<KEY_1>.py"}
    assert "docs/<EMAIL_1>/x.py" in spans
    for path in names:
        for span in spans[path]:
            shown = path[span["start"] : span["end"]]
            assert shown.startswith(f"<{span['kind']}_")
    for row in shipped.iter_rows(named=True):
        assert row["swhid"].endswith(f";path=/{row['path']}")
    listed = pl.read_parquet(str(out / "releases/mill/1.0.0/paths/*.parquet")).filter(
        pl.col("origin") == f"{TEAM}/kept"
    )
    assert listed.height == listed["path"].n_unique() == len(TREES["kept"])
    assert {bytes(path).decode() for path in listed.filter(pl.col("via") == "row")["path"]} == set(spans)


def test_the_release_is_whole_and_counts_what_was_redacted(out: Path) -> None:
    release = out / "releases/mill/1.0.0"
    assert verify(release).ok
    manifest, shipped = load_manifest(release), rows(out)
    assert manifest.redacted is not None
    assert manifest.redacted.paths == shipped.filter(pl.col("path_redactions").list.len() > 0).height
    assert manifest.redacted.files == shipped.filter(pl.col("redactions").list.len() > 0).height
    assert sum(manifest.redacted.detectors.values()) == sum(manifest.redactions.values())
    assert {"EMAIL", "KEY", "PASSWORD", "IP_ADDRESS", "PHONE", "CREDIT_CARD"} <= manifest.redactions.keys()
    view = repository(release, f"{TEAM}/kept")
    assert {file.path for file in view.files() if file.via == "row"} == set(
        shipped.filter(pl.col("origin") == f"{TEAM}/kept")["path"]
    )


def test_a_repository_with_a_token_in_its_origin_is_not_read(out: Path, say: Say) -> None:
    assert rows(out).filter(pl.col("origin").str.contains("<")).is_empty()
    code, said = say("explain", str(out), f"{TEAM}/<KEY>")
    assert (code, "origin_secret" in said) == (0, True)


def test_a_file_is_explained_by_the_path_it_has_in_the_archive(out: Path) -> None:
    asked = f"{TEAM}/kept:users/{THIRD}/{AWS_ID}.py"
    for folder in (out, out / "releases/mill/1.0.0"):
        found = explain(folder, asked, redacted=name_redaction(folder))
        assert found.verdict.verdict == "kept"
        assert found.path == "users/<EMAIL_3>/<KEY_1>.py"
        assert leaks(json.dumps(found.to_json()) + "\n".join(found.lines())) == []


def test_paths_that_differ_in_a_value_alone_are_named_to_choose_from(out: Path, say: Say) -> None:
    code, said = say("explain", str(out), f"{TEAM}/kept:users/{EMAIL}/profile.py")
    assert code == 2
    assert "users/<EMAIL_2>/profile.py, users/<EMAIL_3>/profile.py" in said
    assert leaks(said) == []


def test_names_are_no_longer_in_the_work_tables_and_come_again_when_needed(archive: Path, out: Path, say: Say) -> None:
    build = out / "builds/mill"
    assert not list(build.glob("catalog/directory_entry/rows-*.parquet"))
    before = load_manifest(out / "releases/mill/1.0.0")
    command = ["build", str(out.parent / "mill.toml"), "--archive", str(archive), "--out", str(out), "--workers", "0"]
    for options in (["--json", "--keep-names"], ["--json"]):
        code, said = say(*command, *options)
        assert (code, leaks(said)) == (0, [])
        assert load_manifest(out / "releases/mill/1.0.0") == before
        kept = list(build.glob("catalog/directory_entry/rows-*.parquet"))
        assert bool(kept) == ("--keep-names" in options)


def test_the_licence_text_keeps_its_holder_and_no_secret(out: Path) -> None:
    texts = pl.read_parquet(str(out / "releases/mill/1.0.0/licences/*.parquet"))["text"].to_list()
    (mine,) = [text for text in texts if "Olga" in text]
    assert OTHER in mine
    assert leaks(mine) == []
    assert (HEADER in mine, FOOTER in mine, "<KEY>" in mine) == (False, False, True)


def broken(task: Task) -> Counts:
    """A worker that fails as libraries do: quoting what it read."""
    raise ValueError(f"cannot parse {GITHUB!r} of {task.folder}")


def test_an_error_that_quotes_its_data_is_told_without_it(tmp_path: Path) -> None:
    task = Task("tests.pipeline.test_build_redaction:broken", "1", str(tmp_path), "contents", "0", outputs=())
    with pytest.raises(InternalError, match=r"ValueError at .* in contents/0") as caught:
        LocalRunner(Progress(quiet=True))("read", [task])
    assert leaks(str(caught.value) + caught.value.hint) == []
