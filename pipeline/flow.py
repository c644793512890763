"""The flow: catalog → licence statements → contents → duplicates → decisions → shards, as one sequence of task waves.

Each function takes parts and returns parts; nothing here reads a row. The order of the waves is the order of
DESIGN's mission; what each one does lies in its stage.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from archive.reader import Archive
from foundation.canonical import Json
from foundation.exchange import bucket_of, buckets_present
from foundation.tables import group_count
from foundation.tasks import Outcome, Part, Runner, Task, parts_of
from pipeline.recipe import Recipe
from stages import catalog, contents, decisions, deduplication, licences, redaction, shards
from stages.contents.statements import SECRETS
from stages.decisions import Report as GuardReport
from stages.shards import Listing, ReleaseTable

READ_BYTES = 8 << 20
READ_CONTENTS = 1500
SHARD_BUCKETS = 1024  # more than there are languages, so that a shard reads little but its own rows


@dataclasses.dataclass(frozen=True)
class Shard:
    """One finished shard file: its part, licence class and language (null: undecided), in release order."""

    part: Part
    licence_class: str
    language: str | None
    slice: int


@dataclasses.dataclass(frozen=True)
class Flowed:
    """Everything a build has made: the tables, the shards, and what to count."""

    catalog: catalog.Catalog
    placed: tuple[Part, ...]
    contents: tuple[Part, ...]
    notices: tuple[Part, ...]  # licence notices, for the review
    decisions: tuple[Part, ...]
    shards: tuple[Shard, ...]
    tables: Mapping[str, ReleaseTable]  # the tables that are shipped beside the shards, by name
    tally: Mapping[str, int]  # decisions by `stage/reason`
    raw_bytes: int
    guard: GuardReport  # what each language and source lost, held against the recipe's limits


@dataclasses.dataclass(frozen=True)
class Flow:
    """What every wave shares: the runner, the build's root, the recipe, and where the archive is."""

    run: Runner
    root: str
    recipe: Recipe
    archive: Archive
    as_of: str | None
    exclusions_sha256: str
    context: Mapping[str, Json]
    overrides: Part | None = None  # what people said of licence notices (`licences.OVERRIDES`)

    def task(
        self,
        worker: str,
        version: str,
        folder: str,
        *,
        partition: str,
        outputs: tuple[str, ...],
        inputs: Mapping[str, Sequence[Part]],
        params: Mapping[str, Json],
    ) -> Task:
        """A task of this build."""
        return Task(
            worker=f"stages.{worker}",
            version=version,
            root=self.root,
            folder=folder,
            partition=partition,
            outputs=outputs,
            inputs={name: tuple(parts) for name, parts in inputs.items()},
            params=params,
            context=dict(self.context),
        )

    def everything(self, metadata: Part | None) -> Flowed:
        """Run the whole flow; see the module."""
        made = catalog.make_catalog(
            self.run,
            self.archive,
            root=self.root,
            settings=self.recipe.catalog,
            redacting=self.recipe.redaction,
            metadata=metadata,
            as_of=self.as_of,
            exclusions_sha256=self.exclusions_sha256,
            context=self.context,
        )
        stated = self._statements(made)
        outcomes = self._placed(made, parts_of(stated, "statements"))
        placed = parts_of(outcomes, "placed")
        work, early = self._chosen(made, placed)
        read = self._read(made, work)
        weighed = contents.weigh_copies(
            self.run,
            root=self.root,
            copies=parts_of(read, "copies"),
            settings=self.recipe.licences,
            buckets=made.buckets,
        )
        exact, near = self._duplicates(read, weighed)
        decided = self._decided(made, early, read, exact, near, refused=weighed.refused)
        guarded = decisions.guard(
            self.run,
            root=self.root,
            settings=self.recipe.guard,
            decided=decided,
            verdicts=parts_of(read, "verdicts"),
            buckets=made.buckets,
        )
        tally = _tally(guarded.outcomes)
        assembled = self._assembled(made, read, decided, tally["kept_bytes"])
        cut = self._cut(assembled)
        tables = self._evidence(made, parts_of(outcomes, "texts"), parts_of(stated, "texts"), assembled, cut)
        if self.recipe.release.repository_paths:
            listing = self._listing(made, placed, guarded.outcomes, exact)
            tables["paths"] = ReleaseTable(listing.parts, listing.paths)
            tables["repositories"] = ReleaseTable(listing.parts, listing.repositories)
        return Flowed(
            catalog=made,
            placed=placed,
            contents=_every(read, "contents"),
            notices=parts_of([*stated, *read], "notices"),
            decisions=parts_of(guarded.outcomes, "decisions"),
            shards=cut,
            tables=tables,
            tally={name: count for name, count in tally.items() if "/" in name},
            raw_bytes=sum(outcome.counts["raw_bytes"] for outcome in read),
            guard=guarded.report,
        )

    def _statements(self, made: catalog.Catalog) -> list[Outcome]:
        read_by = self.recipe.licences.reading_params()
        params: dict[str, Json] = {
            "buckets": made.buckets,
            "max_bytes": self.recipe.catalog.max_bytes,
            "text_redaction": text_redaction(self.recipe),
            licences.NAME: read_by,
            **self._stages("redaction"),
        }
        tasks = [
            self.task(
                "contents.statements:read_statements",
                contents.VERSION,
                "licences/statements",
                partition=f"{number:06d}",
                outputs=("statements", "texts", "notices"),
                inputs={"notices": (part,), **self._overrides()},
                params=params,
            )
            for number, part in enumerate(self._row_groups(made.notices))
        ]
        return self.run("licences: licence files", tasks)

    def _placed(self, made: catalog.Catalog, statements: tuple[Part, ...]) -> list[Outcome]:
        tasks = [
            self.task(
                "contents.placing:place",
                contents.VERSION,
                "licences/placed",
                partition=f"{bucket:05d}",
                outputs=("placed", "texts"),
                inputs={
                    "occurrences": made.occurrences,
                    "statements": statements,
                    "repositories": made.repositories,
                },
                params={"bucket": bucket, "buckets": made.buckets, **self._stages("licences", "redaction")},
            )
            for bucket in buckets_present(self.root, made.occurrences)
        ]
        return self.run("licences: paths", tasks)

    def _chosen(self, made: catalog.Catalog, placed: tuple[Part, ...]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        tasks = [
            self.task(
                "contents.choosing:choose",
                contents.VERSION,
                "contents/chosen",
                partition=f"{bucket:05d}",
                outputs=("work", "early"),
                inputs={"placed": placed, "contents": (made.contents[bucket],) if bucket in made.contents else ()},
                params={"bucket": bucket, "buckets": made.buckets, **self._stages("licences")},
            )
            for bucket in buckets_present(self.root, placed)
        ]
        outcomes = self.run("contents: choose", tasks)
        packing = [
            self.task(
                "contents.choosing:pack",
                contents.VERSION,
                "contents/work",
                partition=f"{bucket:05d}",
                outputs=("work",),
                inputs={"work": parts_of(outcomes, "work")},
                params={"bucket": bucket, "group_bytes": READ_BYTES, "group_contents": READ_CONTENTS},
            )
            for bucket in buckets_present(self.root, parts_of(outcomes, "work"))
        ]
        return parts_of(self.run("contents: pack", packing), "work"), parts_of(outcomes, "early")

    def _read(self, made: catalog.Catalog, work: tuple[Part, ...]) -> list[Outcome]:
        params = {
            "buckets": made.buckets,
            "max_bytes": self.recipe.catalog.max_bytes,
            **self._stages("licences", "languages", "quality", "redaction"),
            "deduplication": _signing(self.recipe.deduplication),
        }
        tasks = [
            self.task(
                "contents.reading:read",
                contents.VERSION,
                "contents/read",
                partition=f"{number:06d}",
                outputs=("contents", "candidates", "verdicts", "copies", "notices"),
                inputs={"work": (part,), **self._overrides()},
                params={**params, "part": number, "origin_bucket": _bucket_in_name(part)},
            )
            for number, part in enumerate(self._row_groups(work))
        ]
        return self.run("contents: read", tasks)

    def _duplicates(
        self, read: Sequence[Outcome], weighed: contents.Weighed
    ) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        settings, candidates = self.recipe.deduplication, parts_of(read, "candidates")
        if not candidates:
            return (), ()
        exact = deduplication.exact_duplicates(
            self.run,
            root=self.root,
            folder="deduplication/exact",
            candidates=candidates,
            excluded=weighed.refused,
            yielding=weighed.yielding,
        )
        if not settings.near:
            return exact, ()
        near = deduplication.near_duplicates(
            self.run,
            root=self.root,
            folder="deduplication/near",
            candidates=candidates,
            texts=_every(read, "contents"),
            settings=settings,
            excluded=exact + weighed.refused,
        )
        return exact, near

    def _decided(
        self,
        made: catalog.Catalog,
        early: tuple[Part, ...],
        read: Sequence[Outcome],
        exact: tuple[Part, ...],
        near: tuple[Part, ...],
        *,
        refused: tuple[Part, ...],
    ) -> list[Outcome]:
        verdicts = parts_of(read, "verdicts")
        clusters = self._rebucketed(made, "NEAR", near, key="sha1_git")
        copies = self._copies(made, self._rebucketed(made, "EXACT", exact, key="kept"), clusters)
        inputs = {"early": early, "verdicts": verdicts, "refused": refused, "copies": copies, "near": clusters}
        tasks = [
            self.task(
                "decisions.deciding:decide",
                decisions.VERSION,
                "decisions",
                partition=f"{bucket:05d}",
                outputs=("decisions", "kept"),
                inputs=inputs,
                params={"bucket": bucket, "buckets": made.buckets},
            )
            for bucket in sorted({*buckets_present(self.root, early), *buckets_present(self.root, verdicts)})
        ]
        return self.run("decisions", tasks)

    def _copies(self, made: catalog.Catalog, exact: tuple[Part, ...], near: tuple[Part, ...]) -> tuple[Part, ...]:
        tasks = [
            self.task(
                "decisions.deciding:follow",
                decisions.VERSION,
                "decisions/copies",
                partition=f"{bucket:05d}",
                outputs=("copies",),
                inputs={"exact": exact, "near": near},
                params={"bucket": bucket, "buckets": made.buckets},
            )
            for bucket in buckets_present(self.root, exact)
        ]
        return parts_of(self.run("decisions: duplicates", tasks), "copies")

    def _rebucketed(self, made: catalog.Catalog, schema: str, parts: tuple[Part, ...], *, key: str) -> tuple[Part, ...]:
        tasks = [
            self.task(
                "decisions.deciding:rebucket",
                decisions.VERSION,
                f"decisions/{schema.lower()}",
                partition=f"{number:06d}",
                outputs=("rows",),
                inputs={"rows": (part,)},
                params={"schema": schema, "key": key, "buckets": made.buckets},
            )
            for number, part in enumerate(parts)
        ]
        return parts_of(self.run("decisions: duplicates", tasks), "rows")

    def _assembled(
        self, made: catalog.Catalog, read: Sequence[Outcome], decided: Sequence[Outcome], kept_bytes: int
    ) -> list[Outcome]:
        slices = min(made.buckets, max(1, -(-kept_bytes // self.recipe.release.shard_bytes)))
        kept = parts_of(decided, "kept")
        part_buckets = _buckets_of_parts(len(read), made.buckets)
        tasks = [
            self.task(
                "shards.assembling:assemble",
                shards.VERSION,
                "shards/rows",
                partition=f"{number:06d}",
                outputs=("rows",),
                inputs={
                    "contents": (outcome.parts["contents"],),
                    "kept": kept,
                    "repositories": made.repositories,
                    "aliases": made.aliases,
                },
                params={
                    "part": number,
                    "kept_bucket": part_buckets[number],
                    "origin_bucket": outcome.task.params["origin_bucket"],
                    "slice": f"{int(str(outcome.task.params['origin_bucket'])) * slices // made.buckets:05d}",
                    "buckets": SHARD_BUCKETS,
                    "exclusions": self.exclusions_sha256,
                },
            )
            for number, outcome in enumerate(read)
        ]
        return self.run("release: rows", tasks)

    def _cut(self, assembled: Sequence[Outcome]) -> tuple[Shard, ...]:
        names = sorted({key.removeprefix("shard:") for outcome in assembled for key in outcome.counts})
        rows, release = parts_of(assembled, "rows"), self.recipe.release
        tasks = [
            self.task(
                "shards.cutting:cut",
                shards.VERSION,
                "shards/cut",
                partition=f"{number:06d}",
                outputs=("shard",),
                inputs={"rows": rows},
                params={
                    "shard": name,
                    "bucket": _bucket_of_name(name, SHARD_BUCKETS),
                    "row_group_bytes": release.row_group_bytes,
                    "row_group_rows": release.row_group_rows,
                },
            )
            for number, name in enumerate(names)
        ]
        outcomes = self.run("release: shards", tasks)
        return tuple(_shard(name, outcome) for name, outcome in zip(names, outcomes, strict=True))

    def _evidence(
        self,
        made: catalog.Catalog,
        stated: tuple[Part, ...],
        texts: tuple[Part, ...],
        assembled: Sequence[Outcome],
        cut: Sequence[Shard],
    ) -> dict[str, ReleaseTable]:
        credited = shards.Credited(
            buckets=made.buckets,
            rows=parts_of(assembled, "rows"),
            stated=stated,
            texts=texts,
            languages=tuple(sorted({shard.language for shard in cut if shard.language is not None})),
        )
        return shards.list_evidence(self.run, credited, root=self.root, context=self.context)

    def _listing(
        self, made: catalog.Catalog, placed: tuple[Part, ...], decided: Sequence[Outcome], exact: tuple[Part, ...]
    ) -> Listing:
        sources = shards.Sources(
            buckets=made.buckets,
            placed=placed,
            decisions={int(str(each.task.params["bucket"])): each.parts["decisions"] for each in decided},
            exact=exact,
            repositories=made.repositories,
            aliases=made.aliases,
            exclusions_sha256=self.exclusions_sha256,
        )
        return shards.list_repositories(self.run, sources, root=self.root, context=self.context)

    def _stages(self, *names: str) -> dict[str, Json]:
        given = {name: getattr(self.recipe, name).model_dump(mode="json") for name in names}
        return given | ({licences.NAME: self.recipe.licences.params()} if licences.NAME in given else {})

    def _overrides(self) -> dict[str, tuple[Part, ...]]:
        return {"overrides": (self.overrides,)} if self.overrides else {}

    def _row_groups(self, parts: Sequence[Part]) -> list[Part]:
        return [part.only(group) for part in parts for group in range(group_count(Path(self.root, part.path)))]


def funnel_of(tally: Mapping[str, int]) -> list[dict[str, Json]]:
    """The funnel from decisions by `stage/reason`: stage, in, kept, dropped by reason; in the order of the flow."""
    order = (
        catalog.NAME,
        "optout",
        contents.NAME,
        "languages",
        "quality",
        licences.NAME,
        deduplication.NAME,
        decisions.NAME,
    )
    entering = sum(tally.values())
    rows: list[dict[str, Json]] = []
    for stage in order:
        dropped = {name.split("/", 1)[1]: n for name, n in sorted(tally.items()) if name.split("/", 1)[0] == stage}
        leaving = entering - sum(dropped.values())
        rows.append({"stage": stage, "in": entering, "kept": leaving, "dropped": dropped})
        entering = leaving
    return rows


def _signing(settings: deduplication.Settings) -> dict[str, Json]:
    """The settings that signatures depend on, the rest made neutral: another threshold must not read bytes again."""
    chosen = deduplication.Settings(threshold=1, permutations=settings.permutations, seed=settings.seed)
    return chosen.model_dump(mode="json")


def text_redaction(recipe: Recipe) -> dict[str, Json]:
    """How licence texts are redacted: secrets always, the rest when the recipe says so."""
    settings = recipe.redaction
    asked = settings.kinds if recipe.release.licence_texts == "redacted" else ()
    kinds = tuple(sorted({*asked, *SECRETS}))
    return redaction.Settings.model_validate({**settings.model_dump(), "kinds": kinds}).model_dump(mode="json")


def _every(outcomes: Sequence[Outcome], output: str) -> tuple[Part, ...]:
    """The parts of `output`, empty ones too, so that ordinals stay true."""
    return tuple(outcome.parts[output] for outcome in outcomes)


def _tally(outcomes: Sequence[Outcome]) -> dict[str, int]:
    tally: dict[str, int] = {"kept_bytes": 0}
    for outcome in outcomes:
        for name, count in outcome.counts.items():
            tally[name] = tally.get(name, 0) + count
    return dict(sorted(tally.items()))


def _shard(name: str, outcome: Outcome) -> Shard:
    licence_class, rest = name.split("/", 1)
    language, share = rest.rsplit("/", 1)
    return Shard(outcome.parts["shard"], licence_class, language or None, int(share))


def _bucket_in_name(part: Part) -> int:
    """The origin bucket that a packed work file holds: its partition."""
    return int(Path(part.path).stem.rsplit("-", 1)[1])


def _buckets_of_parts(count: int, buckets: int) -> list[int]:
    import pyarrow as pa

    return [int(number) for number in bucket_of(pa.array(range(count), pa.int64()), buckets)]


def _bucket_of_name(name: str, buckets: int) -> int:
    import pyarrow as pa

    return int(bucket_of(pa.array([name], pa.string()), buckets)[0])
