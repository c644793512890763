"""The guard: what deduplication removed of each language and source, held against the recipe's limits.

    tally  ─► (languages, summed here)              few rows a bucket
           └► judge, an exchange by origin          only when the recipe limits sources
    collect, mark ─► choose ─► pair                 only when a group is over: samples of what it loses
    relabel                                         only when it is over and the recipe quarantines

The report goes to `guard.json` in the build's folder before anything else happens; `stop` then ends the build, before
any shard is cut. Nothing here reads bytes of code, so a build with other limits or another threshold re-uses the pass
over them. Limits apply to contents; why is said at `GuardSettings`.

Invariants: the same report and decisions for any buckets and workers; every content keeps one decision. The driver
holds every language's counts, the LISTED worst sources and the samples of what is listed; every source over its limit
is in `guard/sources/over-*.parquet` (and is quarantined), listed or not.
Cost: five columns of all decisions and three of all verdicts once; when a group is over, the removed rows once more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from foundation.canonical import Json, readable_json
from foundation.exchange import buckets_present
from foundation.frames import frame
from foundation.storage import write_atomic
from foundation.tables import read_batches, read_table
from foundation.tasks import Outcome, Part, Runner, Task, parts_of
from stages.decisions.guard_report import Group, Report, Sample
from stages.decisions.limits import GuardSettings
from stages.decisions.losses import LANGUAGES, SOURCES, added, beyond, worst_first
from stages.decisions.policy import VERSION
from stages.decisions.samples import LANGUAGE, PAIRS, SOURCE

REPORT = "guard.json"
LISTED = 1000
_LABEL = "decisions: guard"


@dataclasses.dataclass(frozen=True)
class Guarded:
    """The decisions after the guard: outcomes with the output `decisions` and counts like `decide`'s; the report."""

    outcomes: tuple[Outcome, ...]
    report: Report


def guard(
    run: Runner,
    *,
    root: str,
    settings: GuardSettings,
    decided: Sequence[Outcome],
    verdicts: tuple[Part, ...],
    buckets: int,
) -> Guarded:
    """Judge the outcomes of `decide` (any order) and the VERDICTS they came from, both in `buckets` buckets.

    Writes the report; raises AnswerIsNo when a group is over its limit and the recipe says stop.
    """
    whole = tuple(outcome for outcome in decided if outcome.parts["decisions"].rows)
    waves = _Waves(run, root, settings, whole, verdicts, buckets)
    languages, judging, over = waves.judged()
    report = waves.report(languages, judging, over)
    outcomes, marks = tuple(decided), tuple[Part, ...]()
    if report.exceeded:
        report, marks = waves.sampled(report, judging, over)
    if report.exceeded and settings.on_excess == "quarantine":
        outcomes = waves.relabelled(report, marks)
        held = sum(outcome.counts.get("decisions/quarantined", 0) for outcome in outcomes)
        report = dataclasses.replace(report, quarantined=held)
    path = Path(root, REPORT)
    write_atomic(path, readable_json(report.to_json()))
    if report.exceeded and settings.on_excess == "stop":
        raise report.refusal(path)
    return Guarded(outcomes, report)


@dataclasses.dataclass(frozen=True)
class _Waves:
    run: Runner
    root: str
    settings: GuardSettings
    decided: tuple[Outcome, ...]
    verdicts: tuple[Part, ...]
    buckets: int

    def judged(self) -> tuple[pl.DataFrame, list[Outcome], int]:
        """All languages' counts, the outcomes of `judge` by source bucket, and how many sources are over."""
        outputs = ("languages", "sources") if self.settings.judges_sources else ("languages",)
        tallied = self._each_bucket("losses:tally", "guard/tallies", outputs, {"buckets": self.buckets})
        languages = added(self._frames(parts_of(tallied, "languages")), "language")
        if not self.settings.judges_sources:
            return languages, [], 0
        sources = parts_of(tallied, "sources")
        limits = {"limit": self.settings.max_source_loss, "least": self.settings.min_source_contents}
        tasks = [
            self._task(
                "losses:judge", "guard/sources", bucket, outputs=("over",), inputs={"sources": sources}, params=limits
            )
            for bucket in buckets_present(self.root, sources)
        ]
        judging = self.run(_LABEL, tasks)
        return languages, judging, sum(outcome.counts["over"] for outcome in judging)

    def report(self, languages: pl.DataFrame, judging: Sequence[Outcome], over: int) -> Report:
        """The report without samples."""
        settings = self.settings
        large = languages.filter(pl.col("contents") >= settings.min_language_contents)
        excessive = worst_first(beyond(large, settings.max_language_loss), "language")
        groups = [*_groups(LANGUAGE, excessive), *_groups(SOURCE, self._worst(parts_of(judging, "over")))]
        return Report(
            settings=settings,
            judged={LANGUAGE: large.height, SOURCE: sum(outcome.counts["judged"] for outcome in judging)},
            over={LANGUAGE: excessive.height, SOURCE: over},
            languages=tuple(_groups(LANGUAGE, worst_first(languages, "language"))),
            groups=tuple(sorted(groups, key=lambda each: (-each.removed, each.kind, each.name or ""))),
        )

    def sampled(self, report: Report, judging: Sequence[Outcome], over: int) -> tuple[Report, tuple[Part, ...]]:
        """The report with samples, and the marks of all removed contents of sources over the limit."""
        most: dict[str, Json] = {"samples": self.settings.samples, "buckets": self.buckets}
        languages: list[Json] = [group.name for group in report.groups if group.kind == LANGUAGE]
        collected = self._each_bucket(
            "samples:collect",
            "guard/lost",
            ("samples", "lost") if over else ("samples",),
            {**most, "languages": languages},
        )
        marked = self._marked(report, judging, parts_of(collected, "lost"), most) if over else []
        samples = (*parts_of(collected, "samples"), *parts_of(marked, "samples"))
        paired = _by_group(self._frames(self._paired(samples, most)))
        groups = (
            dataclasses.replace(group, samples=paired.get((group.kind, group.name), ())) for group in report.groups
        )
        marks = parts_of(marked, "marks") if self.settings.on_excess == "quarantine" else ()
        return dataclasses.replace(report, groups=tuple(groups)), marks

    def _marked(
        self, report: Report, judging: Sequence[Outcome], lost: tuple[Part, ...], params: Mapping[str, Json]
    ) -> list[Outcome]:
        listed: list[Json] = [group.name for group in report.groups if group.kind == SOURCE]
        outputs = ("samples", "marks") if self.settings.on_excess == "quarantine" else ("samples",)
        tasks = [
            self._task(
                "samples:mark",
                "guard/marks",
                _bucket(outcome),
                outputs=outputs,
                inputs={"lost": lost, "over": (outcome.parts["over"],)},
                params={**params, "listed": listed},
            )
            for outcome in judging
            if outcome.counts["over"]
        ]
        return self.run(_LABEL, tasks)

    def _paired(self, samples: tuple[Part, ...], params: Mapping[str, Json]) -> tuple[Part, ...]:
        """PAIRS parts: the chosen samples with the places of the kept contents."""
        if not samples:
            return ()
        choosing = self._task(
            "samples:choose", "guard/samples", 0, outputs=("samples",), inputs={"samples": samples}, params=params
        )
        chosen = parts_of(self.run(_LABEL, [choosing]), "samples")
        parts = {_bucket(outcome): outcome.parts["decisions"] for outcome in self.decided}
        tasks = [
            self._task(
                "samples:pair",
                "guard/pairs",
                bucket,
                outputs=("pairs",),
                inputs={"samples": chosen, "decisions": (parts[bucket],)},
                params={},
            )
            for bucket in buckets_present(self.root, chosen)
        ]
        return parts_of(self.run(_LABEL, tasks), "pairs")

    def relabelled(self, report: Report, marks: tuple[Part, ...]) -> tuple[Outcome, ...]:
        """The outcomes of `relabel` over all decisions."""
        languages: list[Json] = [
            [group.name, group.contents, group.removed] for group in report.groups if group.kind == LANGUAGE
        ]
        limits = {f"max_{kind}_loss": report.limit(kind) for kind in (LANGUAGE, SOURCE)}
        params: dict[str, Json] = {"languages": languages, **limits}
        return tuple(
            self._each_bucket("quarantine:relabel", "guard/decisions", ("decisions",), params, {"marks": marks})
        )

    def _worst(self, parts: Sequence[Part]) -> pl.DataFrame:
        """The LISTED worst of all sources over the limit; each part is worst first, so its first rows will do."""
        worst = frame(SOURCES.empty_table())
        for part in parts:
            first = next(iter(read_batches(Path(self.root, part.path)))).slice(0, LISTED)
            worst = worst_first(pl.concat([worst, frame(first.cast(SOURCES))]), "origin").head(LISTED)
        return worst

    def _each_bucket(
        self,
        worker: str,
        folder: str,
        outputs: tuple[str, ...],
        params: Mapping[str, Json],
        inputs: Mapping[str, tuple[Part, ...]] | None = None,
    ) -> list[Outcome]:
        """`worker` over every bucket of decisions and verdicts."""
        tasks = [
            self._task(
                worker,
                folder,
                _bucket(outcome),
                outputs=outputs,
                inputs={"decisions": (outcome.parts["decisions"],), "verdicts": self.verdicts, **(inputs or {})},
                params=params,
            )
            for outcome in self.decided
        ]
        return self.run(_LABEL, tasks)

    def _task(
        self,
        worker: str,
        folder: str,
        bucket: int,
        *,
        outputs: tuple[str, ...],
        inputs: Mapping[str, tuple[Part, ...]],
        params: Mapping[str, Json],
    ) -> Task:
        return Task(
            worker=f"stages.decisions.{worker}",
            version=VERSION,
            root=self.root,
            folder=folder,
            partition=f"{bucket:05d}",
            outputs=outputs,
            inputs=inputs,
            params={"bucket": bucket, **params},
        )

    def _frames(self, parts: Sequence[Part]) -> Iterable[pl.DataFrame]:
        return (frame(read_table(Path(self.root, part.path))) for part in parts)


def _bucket(outcome: Outcome) -> int:
    return int(str(outcome.task.params["bucket"]))


def _groups(kind: str, rows: pl.DataFrame) -> list[Group]:
    name = LANGUAGES.names[0] if kind == LANGUAGE else SOURCES.names[0]
    return [Group(kind=kind, name=row.pop(name), **row) for row in rows.iter_rows(named=True)]


def _by_group(tables: Iterable[pl.DataFrame]) -> dict[tuple[str, str | None], tuple[Sample, ...]]:
    rows = pl.concat([frame(PAIRS.empty_table()), *tables]).sort("kind", "group", "sha1_git")
    found: dict[tuple[str, str | None], tuple[Sample, ...]] = {}
    for row in rows.iter_rows(named=True):
        key = (row.pop("kind"), row.pop("group"))
        found[key] = (*found.get(key, ()), Sample(**row))
    return found
