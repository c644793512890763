"""The audit: what it counts is what the rows say, and what it shows is what they ship."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from foundation.errors import AnswerIsNo, IntegrityError
from foundation.frames import frame
from foundation.schema import RELEASE
from manifests import publish
from pipeline.audit import AROUND, redaction_report
from pipeline.cli.main import run
from stages.redaction import Settings, redact, redact_names, with_names
from tests.manifests.conftest import make_facts, make_rows, stage
from tests.redaction.samples import AWS_ID, GITHUB

LINES = (
    "mail marta@forge.io",
    "x = 1",
    f"token = '{GITHUB}'",
    "host 78.141.62.146",
    f"id {AWS_ID}",
    "é🔒 olga@équipe.fr",
)
VALUES = ("marta@forge.io", "olga@équipe.fr", GITHUB, AWS_ID, "78.141.62.146")


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Release rows whose texts and paths were redacted."""
    made = make_rows(60, seed=3)
    texts = ["\n".join(LINES[(row + at) % 6] for at in range(row % 5)) for row in range(made.height)]
    paths = [f"users/{'marta@forge.io/' if row % 7 == 0 else ''}f{row}.x".encode() for row in range(made.height)]
    done = redact(pa.array(texts, pa.large_string()), pa.array(paths, pa.binary()), settings=Settings())
    named = pl.DataFrame({"origin": made["origin"], "path": pl.Series(paths, dtype=pl.Binary)})
    shown = with_names(named, redact_names(named, Settings()))
    table = frame(done)
    return made.with_columns(
        content=table["text"],
        redactions=table["redactions"],
        path=pl.Series([path.decode() for path in shown["path"]]),
        path_redactions=shown["path_redactions"],
    ).select(RELEASE.names)


@pytest.fixture(scope="module")
def release(rows: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("audited")
    stage(out / "staging", rows)
    return publish(out / "staging", out / "releases", make_facts(rows.height))


def test_counts_are_those_of_a_plain_reading(rows: pl.DataFrame, release: Path) -> None:
    found = redaction_report(release)
    spans: Counter[tuple[str, str, str, bool]] = Counter()
    files: Counter[tuple[str, str, str, bool]] = Counter()
    languages: Counter[tuple[str | None, str]] = Counter()
    for row in rows.iter_rows(named=True):
        for column in ("redactions", "path_redactions"):
            keys = [(s["kind"], s["detector"], s["rule"], column != "redactions") for s in row[column] or ()]
            spans.update(keys)
            files.update(set(keys))
        languages.update((row["language"], span["kind"]) for span in row["redactions"])
    assert {(t.kind, t.detector, t.rule, t.path): (t.spans, t.files) for t in found.tallies} == {
        key: (spans[key], files[key]) for key in spans
    }
    assert (found.files, found.redacted) == (60, rows.filter(pl.col("redactions").list.len() > 0).height)
    assert found.paths == rows["path_redactions"].list.len().fill_null(0).gt(0).sum()
    assert {(each.language, kind): n for each in found.languages for kind, n in each.kinds.items()} == languages
    assert sum(found.sums("kind").values()) == sum(found.sums("detector").values()) == sum(spans.values())


def test_samples_are_the_shipped_text_one_a_file_and_always_the_same(rows: pl.DataFrame, release: Path) -> None:
    found = redaction_report(release, samples=4)
    texts = {row["content_id"]: row for row in rows.iter_rows(named=True)}
    drawn = Counter((sample.kind, sample.detector, sample.rule) for sample in found.samples)
    assert max(drawn.values()) <= 4
    assert len({(s.kind, s.detector, s.rule, s.content_id) for s in found.samples}) == len(found.samples)
    for sample in found.samples:
        row = texts[sample.content_id]
        shown = sample.before + sample.placeholder + sample.after
        assert row["content"][sample.start - len(sample.before) :].startswith(shown)
        assert len(sample.before) <= AROUND >= len(sample.after)
        assert sample.placeholder == f"<{sample.kind}>"
        assert row["content"].split("\n")[sample.line - 1].count(sample.placeholder) > 0
        assert (row["origin"], row["path"]) == (sample.origin, sample.path)
    assert redaction_report(release, samples=4) == found
    assert redaction_report(release, samples=0).samples == ()


def test_one_kind_alone(release: Path) -> None:
    found = redaction_report(release, kinds=["EMAIL"])
    assert {tally.kind for tally in found.tallies} == {"EMAIL"} == {sample.kind for sample in found.samples}
    with pytest.raises(AnswerIsNo, match="nothing of kind 'EMIAL'") as caught:
        redaction_report(release, kinds=["EMIAL"])
    assert "EMAIL" in caught.value.hint


def test_the_command_says_it_to_people_and_to_machines(release: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["redaction", "report", "--build", str(release), "--kind", "email"]) == 0
    shown = capfd.readouterr().out
    assert "EMAIL" in shown
    assert not any(value in shown for value in VALUES)
    assert run(["redaction", "report", "--build", str(release), "--json", "--samples", "9"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["kinds"]["EMAIL"] == sum(each["spans"] for each in document["rules"] if each["kind"] == "EMAIL")
    assert not any(value in json.dumps(document, ensure_ascii=False) for value in VALUES)
    assert run(["redaction", "report", "--build", str(release), "--kind", "nothing"]) == 1
    assert run(["redaction", "report", "--build", str(release / "data")]) == 3


def test_a_damaged_shard_is_named(release: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    shard = sorted(copy.glob("data/**/*.parquet"))[0]
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    with pytest.raises(IntegrityError, match=shard.name):
        redaction_report(copy)
