"""The catalog as a flow of tasks: archive → repositories, occurrences, contents, licence-bearing work."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from archive.reader import Archive
from foundation.canonical import Json
from foundation.errors import InternalError
from foundation.exchange import bucket_count, buckets_present
from foundation.tasks import Outcome, Part, Runner, Task, parts_of
from stages import redaction
from stages.catalog.settings import VERSION, Settings
from stages.catalog.sources import SOURCES, scatter_tables

ORC_BYTES_PER_BUCKET = 1 << 30


@dataclasses.dataclass(frozen=True)
class Catalog:
    """The catalog's tables as parts, and the number of buckets that all of them share."""

    buckets: int
    repositories: tuple[Part, ...]  # REPOSITORIES, one bucket file an output, by origin
    occurrences: tuple[Part, ...]  # OCCURRENCES, bucket files by origin
    contents: Mapping[int, Part]  # KNOWN, by bucket of sha1_git
    notices: tuple[Part, ...]  # NOTICE_WORK, row groups sized for one task
    aliases: tuple[Part, ...]  # KNOWN_ALIASES: names that opted-out repositories answer to


@dataclasses.dataclass(frozen=True)
class Walker:
    """What every catalog task shares."""

    run: Runner
    root: str
    buckets: int
    settings: Settings
    as_of: str | None
    context: Mapping[str, Json]
    exclusions_sha256: str

    def tasks(
        self,
        worker: str,
        step: str,
        *,
        outputs: tuple[str, ...],
        inputs: Mapping[str, Sequence[Part]],
        over: Sequence[int],
        params: Mapping[str, Json] | None = None,
    ) -> list[Task]:
        """One task a bucket of `over`, with the parameters `params` beside those that all have."""
        return [
            Task(
                worker=f"stages.catalog.{worker}",
                version=VERSION,
                root=self.root,
                folder=f"catalog/{step}",
                partition=f"{bucket:05d}",
                outputs=outputs,
                inputs={name: tuple(parts) for name, parts in inputs.items()},
                params={
                    "bucket": bucket,
                    "buckets": self.buckets,
                    "settings": self.settings.model_dump(mode="json"),
                    "as_of": self.as_of,
                    "exclusions": self.exclusions_sha256,
                    **(params or {}),
                },
                context=dict(self.context),
            )
            for bucket in over
        ]

    def each(
        self,
        worker: str,
        step: str,
        *,
        outputs: tuple[str, ...],
        name: str,
        parts: Sequence[Part],
        also: Mapping[str, Sequence[Part]] | None = None,
        params: Mapping[str, Json] | None = None,
    ) -> list[Task]:
        """One task a part of input `name`, each with the inputs `also` and the parameters `params` too."""
        made = []
        for number, part in enumerate(parts):
            inputs = {name: (part,), **(also or {})}
            made += self.tasks(worker, step, outputs=outputs, inputs=inputs, over=[number], params=params)
        return made

    def present(self, *parts: Sequence[Part]) -> list[int]:
        """The buckets that occur in any of `parts`."""
        return sorted({bucket for each in parts for bucket in buckets_present(self.root, each)})


@dataclasses.dataclass(frozen=True)
class _Placed:
    """The settled repositories, those that an exclusion covers, and what the latter answer to."""

    repositories: tuple[Part, ...]
    covered: tuple[Part, ...]
    aliases: tuple[Part, ...]


def make_catalog(
    run: Runner,
    archive: Archive,
    *,
    root: str,
    settings: Settings,
    redacting: redaction.Settings,
    metadata: Part | None,
    as_of: str | None,
    exclusions_sha256: str,
    context: Mapping[str, Json],
) -> Catalog:
    """Build the catalog of `archive`; see the package's modules for each step."""
    volume = sum(info.size for table in SOURCES for info in archive.files(table))
    walker = Walker(
        run=run,
        root=root,
        buckets=bucket_count(volume, bytes_each=ORC_BYTES_PER_BUCKET),
        settings=settings,
        as_of=as_of,
        context=context,
        exclusions_sha256=exclusions_sha256,
    )
    tables = scatter_tables(run, archive, root=root, buckets=walker.buckets, context=context, tables=list(SOURCES))
    selected = _select(walker, tables, metadata)
    repositories = _resolve(walker, tables, selected)
    known = _aliases(walker, repositories)
    placed, covered = _place(walker, repositories, known, redacting)
    found = _walk(walker, tables, placed)
    return _describe(walker, tables, found, _Placed(placed, covered, known))


def _select(walker: Walker, tables: Mapping[str, tuple[Part, ...]], metadata: Part | None) -> tuple[Part, ...]:
    named: tuple[Part, ...] = ()
    if metadata is not None:
        tasks = walker.tasks(
            "visits:scatter_metadata", "metadata", outputs=("rows",), inputs={"metadata": (metadata,)}, over=[0]
        )
        named = parts_of(walker.run("catalog: metadata", tasks), "rows")
    keyed_tasks = walker.tasks(
        "visits:scatter_by_url",
        "urls",
        outputs=("rows",),
        inputs={"statuses": tables["origin_visit_status"], "origins": tables["origin"]},
        over=walker.present(tables["origin_visit_status"], tables["origin"]),
    )
    keyed = parts_of(walker.run("catalog: origins", keyed_tasks), "rows")
    tasks = walker.tasks(
        "visits:select_visits",
        "visits",
        outputs=("repositories",),
        inputs={"rows": keyed, "metadata": named},
        over=walker.present(keyed),
    )
    return parts_of(walker.run("catalog: visits", tasks), "repositories")


def _resolve(walker: Walker, tables: Mapping[str, tuple[Part, ...]], selected: tuple[Part, ...]) -> tuple[Part, ...]:
    heads = walker.tasks(
        "heads:resolve_heads",
        "heads",
        outputs=("targets",),
        inputs={"repositories": selected, "branches": tables["snapshot_branch"]},
        over=walker.present(selected),
    )
    pending = parts_of(walker.run("catalog: heads", heads), "targets")
    resolved: list[Part] = []
    for hop in range(8):
        if not pending:
            return tuple(resolved)
        tasks = walker.tasks(
            "heads:resolve_targets",
            f"targets-{hop}",
            outputs=("resolved", "pending"),
            inputs={"targets": pending, "revisions": tables["revision"], "releases": tables["release"]},
            over=walker.present(pending),
        )
        outcomes = walker.run("catalog: revisions", tasks)
        resolved += parts_of(outcomes, "resolved")
        pending = parts_of(outcomes, "pending")
    raise InternalError("release chains did not settle although their hops are bounded")


def _place(
    walker: Walker, resolved: tuple[Part, ...], known: tuple[Part, ...], redacting: redaction.Settings
) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """(repositories, the covered ones), with opt-outs applied and nothing private in their names."""
    tasks = walker.each(
        "place:place",
        "repositories",
        outputs=("repositories", "covered"),
        name="repositories",
        parts=resolved,
        also={"known": known},
        params={redaction.NAME: redacting.model_dump(mode="json")},
    )
    outcomes = walker.run("catalog: repositories", tasks)
    return parts_of(outcomes, "repositories"), parts_of(outcomes, "covered")


def _aliases(walker: Walker, resolved: tuple[Part, ...]) -> tuple[Part, ...]:
    """What covered repositories answer to, grown over all partitions until a round adds nothing."""
    known: tuple[Part, ...] = ()
    rows = -1
    for turn in range(64):
        if not walker.context.get("exclusions"):
            return ()
        step = f"aliases-{turn:02d}"
        tasks = walker.each(
            "place:aliases", step, outputs=("aliases",), name="repositories", parts=resolved, also={"known": known}
        )
        found = parts_of(walker.run("catalog: opt-outs", tasks), "aliases")
        if not found:
            return ()
        merge = walker.tasks(
            "place:merge_aliases", f"{step}-all", outputs=("aliases",), inputs={"aliases": found}, over=[0]
        )
        known = parts_of(walker.run("catalog: opt-outs", merge), "aliases")
        if len(resolved) == 1 or known[0].rows == rows:
            return known
        rows = known[0].rows
    raise InternalError("opt-out names did not settle in 64 rounds")


def _walk(walker: Walker, tables: Mapping[str, tuple[Part, ...]], repositories: tuple[Part, ...]) -> tuple[Part, ...]:
    tasks = walker.each("walk:start", "level-000", outputs=("frontier",), name="repositories", parts=repositories)
    frontier = parts_of(walker.run("catalog: walk", tasks), "frontier")
    found: list[Part] = []
    for level in range(1, walker.settings.max_depth + 2):
        if not frontier:
            break
        tasks = walker.tasks(
            "walk:expand",
            f"level-{level:03d}",
            outputs=("found", "frontier"),
            inputs={
                "frontier": frontier,
                "entries": tables["directory_entry"],
                "directories": tables["directory"],
            },
            over=walker.present(frontier),
        )
        outcomes = walker.run("catalog: walk", tasks)
        found += parts_of(outcomes, "found")
        frontier = parts_of(outcomes, "frontier")
    return tuple(found)


def _describe(
    walker: Walker,
    tables: Mapping[str, tuple[Part, ...]],
    found: tuple[Part, ...],
    placed: _Placed,
) -> Catalog:
    tasks = walker.tasks(
        "describe:describe",
        "contents",
        outputs=("occurrences", "contents", "notices"),
        inputs={
            "found": found,
            "contents": tables["content"],
            "skipped": tables["skipped_content"],
            "covered": placed.covered,
        },
        over=walker.present(found),
    )
    outcomes: list[Outcome] = walker.run("catalog: contents", tasks)
    return Catalog(
        buckets=walker.buckets,
        repositories=placed.repositories,
        occurrences=parts_of(outcomes, "occurrences"),
        contents={int(str(o.task.params["bucket"])): o.parts["contents"] for o in outcomes},
        notices=parts_of(outcomes, "notices"),
        aliases=placed.aliases,
    )
