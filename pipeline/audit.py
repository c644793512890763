"""The audit of redaction: what was replaced in a release, by whom, and how it looks now.

Counts come from the columns `redactions` and `path_redactions` of the release's shards, samples from its texts as
shipped, with the placeholder in place: no value can be in a report, since none is in a release.

A sample is a span with the text around it. They are drawn from as many files as there are, in order of the files'
ids: content ids are hashes of the contents, so the order says nothing of language or place, and every run (and every
machine) draws the same. `samples` bounds them for each kind and rule's detector.
Cost: one pass over three small columns, streamed; then the row groups that hold the sampled texts, one at a time.
Memory: the counts, one row a file with spans of the chosen kinds while they are ranked, one row group of texts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from foundation.canonical import Json
from foundation.errors import AnswerIsNo, ConfigError, IntegrityError
from foundation.frames import frame
from foundation.schema import RELEASE
from foundation.tables import group_count, read_table
from manifests import Release, open_release
from manifests.flow_tables import find_tables
from manifests.manifest import MANIFEST
from manifests.names import nearest

AROUND = 80
"""Characters of text shown on either side of a placeholder."""
_SPAN = ("kind", "detector", "rule")
_READ = ("content_id", "language", "redactions", "path_redactions")


@dataclasses.dataclass(frozen=True)
class Tally:
    """How many `spans` of one kind, detector and rule there are, and in how many `files`; of paths if `path`."""

    kind: str
    detector: str
    rule: str
    path: bool
    spans: int
    files: int


@dataclasses.dataclass(frozen=True)
class LanguageShare:
    """Of the `files` in `language` (None: undecided), how many were `redacted`, and their spans by kind."""

    language: str | None
    files: int
    redacted: int
    kinds: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Sample:
    """A placeholder in its place: `before`, `placeholder` and `after` are the shipped text, `line` counts from 1.

    `start` (characters) is the column `redactions`' own; `length` is how many characters were replaced.
    """

    kind: str
    detector: str
    rule: str
    origin: str
    path: str
    content_id: str
    language: str | None
    line: int
    start: int
    length: int
    before: str
    placeholder: str
    after: str


@dataclasses.dataclass(frozen=True)
class RedactionReport:
    """The audit of one release: files in all, with a span in the text, with one in the path; counts and samples."""

    release: str
    files: int
    redacted: int
    paths: int
    tallies: tuple[Tally, ...]
    languages: tuple[LanguageShare, ...]
    samples: tuple[Sample, ...]

    def sums(self, name: str) -> dict[str, int]:
        """Spans of texts and paths by `kind`, `detector` or `rule`, the most first."""
        counts: dict[str, int] = {}
        for tally in self.tallies:
            key = str(getattr(tally, name))
            counts[key] = counts.get(key, 0) + tally.spans
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def to_json(self) -> dict[str, Json]:
        """The report as JSON values."""
        return {
            "release": self.release,
            "files": self.files,
            "redacted_files": self.redacted,
            "redacted_paths": self.paths,
            "kinds": self.sums("kind"),
            "detectors": self.sums("detector"),
            "rules": [dataclasses.asdict(tally) for tally in self.tallies],
            "languages": [{**dataclasses.asdict(each), "kinds": dict(each.kinds)} for each in self.languages],
            "samples": [dataclasses.asdict(sample) for sample in self.samples],
        }


def redaction_report(directory: str | Path, *, kinds: Sequence[str] | None = None, samples: int = 3) -> RedactionReport:
    """The audit of the release of the build (or output folder, or release) `directory`.

    `kinds` narrows counts by rule and samples to these kinds; AnswerIsNo when the release has none of one of them.
    `samples` are drawn for each kind, detector and rule. ConfigError when there is no release, IntegrityError names
    what is damaged.
    """
    release = _release(directory)
    try:
        return _report(release, kinds, samples)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise IntegrityError(
            f"cannot read {release.path}: {type(error).__name__}",
            hint="run `gristmill release verify` to see what is damaged",
        ) from error


def _release(directory: str | Path) -> Release:
    """The release that `directory` is, or that the build there made."""
    if (Path(directory) / MANIFEST).is_file():
        return open_release(directory)
    tables = find_tables(directory)
    if tables is None:
        return open_release(directory)
    if tables.release is None or not (tables.release / MANIFEST).is_file():
        raise ConfigError(
            f"the release of {tables.build} is gone", hint="run the build again: finished parts are used as they are"
        )
    return open_release(tables.release)


def _report(release: Release, kinds: Sequence[str] | None, samples: int) -> RedactionReport:
    rows = _rows(release)
    texts, paths = _spans(rows, "redactions"), _spans(rows, "path_redactions")
    tallies = [*_tallies(texts, path=False), *_tallies(paths, path=True)]
    wanted = _wanted(release, tallies, kinds)
    languages = _languages(rows, texts)
    touched = rows.select((pl.col("path_redactions").list.len() > 0).sum()).collect(engine="streaming").item()
    drawn = _drawn(texts.filter(pl.col("kind").is_in(wanted)), samples) if samples else []
    return RedactionReport(
        release=f"{release.manifest.name}@{release.manifest.version}",
        files=release.manifest.totals.rows,
        redacted=sum(each.redacted for each in languages),
        paths=int(touched or 0),
        tallies=tuple(tally for tally in tallies if tally.kind in wanted),
        languages=tuple(languages),
        samples=tuple(_samples(release, drawn)),
    )


def _rows(release: Release) -> pl.LazyFrame:
    """The columns that are counted; releases made before paths were redacted have none of their spans."""
    present = release.manifest.schema_names()
    rows = release.scan(columns=[name for name in _READ if name in present])
    spans = frame(RELEASE.empty_table()).schema["redactions"]
    return rows.with_columns(pl.lit(None, spans).alias(name) for name in _READ if name not in present)


def _spans(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """A row for each span of `column`: content_id, language, `number` (in its file, from 0) and the span's fields."""
    listed = rows.filter(pl.col(column).list.len() > 0).select(
        "content_id", "language", spans=column, number=pl.int_ranges(pl.col(column).list.len())
    )
    return listed.explode("spans", "number").unnest("spans")


def _tallies(spans: pl.LazyFrame, *, path: bool) -> list[Tally]:
    counted = spans.group_by(_SPAN).agg(spans=pl.len(), files=pl.col("content_id").n_unique())
    ordered = counted.sort(*_SPAN).collect(engine="streaming")
    return [Tally(**row, path=path) for row in ordered.iter_rows(named=True)]


def _wanted(release: Release, tallies: Sequence[Tally], kinds: Sequence[str] | None) -> list[str]:
    """The kinds to report; AnswerIsNo for one that nothing has."""
    present = sorted({tally.kind for tally in tallies})
    for kind in kinds or ():
        if kind not in present:
            raise AnswerIsNo(
                f"nothing of kind {kind!r} was redacted in {release.manifest.name}@{release.manifest.version}",
                hint=nearest(kind, present) if present else "nothing was redacted at all",
            )
    return present if kinds is None else sorted(set(kinds))


def _languages(rows: pl.LazyFrame, spans: pl.LazyFrame) -> list[LanguageShare]:
    """Every language of the release, the most files first."""
    shares = rows.group_by("language").agg(files=pl.len(), redacted=(pl.col("redactions").list.len() > 0).sum())
    counted = spans.group_by("language", "kind").len().sort("kind").collect(engine="streaming")
    kinds: dict[str | None, dict[str, int]] = {}
    for language, kind, count in counted.iter_rows():
        kinds.setdefault(language, {})[kind] = count
    ordered = shares.sort(-pl.col("files").cast(pl.Int64), "language").collect(engine="streaming")
    return [
        LanguageShare(row["language"], row["files"], row["redacted"] or 0, kinds.get(row["language"], {}))
        for row in ordered.iter_rows(named=True)
    ]


def _drawn(spans: pl.LazyFrame, samples: int) -> list[dict[str, Any]]:
    """At most `samples` spans of each kind, detector and rule, one a file; see the module for the order."""
    fields = ("language", "start", "end", "original_length", "number")
    one = spans.group_by(*_SPAN, "content_id").agg(pl.col(*fields).sort_by("number").first())
    first = one.group_by(_SPAN).agg(pl.col("content_id", *fields).sort_by("content_id").head(samples))
    rows = first.explode("content_id", *fields).sort(*_SPAN, "content_id").collect(engine="streaming")
    return rows.to_dicts()


def _samples(release: Release, drawn: Sequence[dict[str, Any]]) -> Iterator[Sample]:
    """The drawn spans with the text around them, in the order given."""
    texts = _texts(release, sorted({row["content_id"] for row in drawn}))
    for row in drawn:
        origin, path, text = texts[row["content_id"]]
        start, end = row["start"], row["end"]
        yield Sample(
            **{name: row[name] for name in (*_SPAN, "content_id", "language", "start")},
            origin=origin,
            path=path,
            line=text.count("\n", 0, start) + 1,
            length=row["original_length"],
            before=text[max(0, start - AROUND) : start],
            placeholder=text[start:end],
            after=text[end : end + AROUND],
        )


def _texts(release: Release, identifiers: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """(origin, path, text) by content_id."""
    found: dict[str, tuple[str, str, str]] = {}
    wanted = pl.col("content_id").is_in(list(identifiers))
    for shard in release.manifest.shards if identifiers else ():
        path = release.path / shard.path
        for group in range(group_count(path)):
            if not frame(read_table(path, columns=["content_id"], group=group)).filter(wanted).height:
                continue
            columns = ["content_id", "origin", "path", "content"]
            rows = frame(read_table(path, columns=columns, group=group)).filter(wanted)
            found |= {row[0]: (row[1], row[2], row[3]) for row in rows.iter_rows()}
    return found
