"""The repository tables as a flow of tasks: occurrences and decisions → `paths` and `repositories`; see `pointing`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from foundation.canonical import Json
from foundation.exchange import buckets_present
from foundation.tasks import Outcome, Part, Runner, Task, parts_of

VERSION = "2"
PART_ROWS = 1 << 20  # paths in one part, about: some 700 MB in the worker that sorts them, 35 MB on disk


@dataclasses.dataclass(frozen=True)
class Sources:
    """What the repository tables are made from, all but the archive's own: see `pipeline.flow` for each.

    `placed` (PLACED) is bucketed by sha1_git, `repositories` (REPOSITORIES) by origin, `decisions` given by bucket
    of sha1_git; `exact` (EXACT) is in any order. `exclusions_sha256` names the exclusions in the tasks' context.
    """

    buckets: int
    placed: tuple[Part, ...]
    decisions: Mapping[int, Part]
    exact: tuple[Part, ...]
    repositories: tuple[Part, ...]
    aliases: tuple[Part, ...]
    exclusions_sha256: str


@dataclasses.dataclass(frozen=True)
class Listing:
    """The released tables: the number of parts that origins are hashed into, and each table's parts that have rows."""

    parts: int
    paths: Mapping[int, Part]
    repositories: Mapping[int, Part]


@dataclasses.dataclass(frozen=True)
class _Flow:
    run: Runner
    root: str
    context: Mapping[str, Json]

    def step(
        self,
        step: str,
        outputs: tuple[str, ...],
        jobs: Mapping[int, Mapping[str, Sequence[Part]]],
        *,
        key: str,
        params: Mapping[str, Json],
        worker: str = "",
    ) -> list[Outcome]:
        """One task for each of `jobs` (number → inputs); the number is its parameter `key`."""
        tasks = [
            Task(
                worker=f"stages.shards.pointing:{worker or step}",
                version=VERSION,
                root=self.root,
                folder=f"shards/pointers/{step}",
                partition=f"{number:05d}",
                outputs=outputs,
                inputs={name: tuple(parts) for name, parts in inputs.items()},
                params={**params, key: number},
                context=dict(self.context),
            )
            for number, inputs in sorted(jobs.items())
        ]
        return self.run("release: repositories", tasks)

    def spread(self, schema: str, parts: Sequence[Part], *, key: str, buckets: int) -> tuple[Part, ...]:
        """`parts` of a table, bucketed by `key`."""
        jobs = {number: {"rows": (part,)} for number, part in enumerate(parts)}
        params: dict[str, Json] = {"schema": schema, "key": key, "buckets": buckets}
        return parts_of(
            self.step(f"spread-{schema.lower()}", ("rows",), jobs, key="number", params=params, worker="spread"), "rows"
        )


def list_repositories(
    run: Runner, sources: Sources, *, root: str, context: Mapping[str, Json], part_rows: int = PART_ROWS
) -> Listing:
    """Make the repository tables; how many parts they have follows from the occurrences alone.

    Bytes moved: see `pointing`. Every wave resumes from its finished tasks; the driver holds descriptors.
    """
    flow = _Flow(run, root, context)
    parts = max(1, -(-sum(part.rows for part in sources.placed) // part_rows))
    paths = _point(flow, sources, _pointers(flow, sources), parts)
    repositories = flow.spread("REPOSITORIES", sources.repositories, key="origin", buckets=parts)
    jobs = {
        number: {"paths": paths, "repositories": repositories, "aliases": sources.aliases}
        for number in buckets_present(root, paths)
    }
    params: dict[str, Json] = {"parts": parts, "exclusions": sources.exclusions_sha256}
    outcomes = flow.step("list_part", ("paths", "repositories"), jobs, key="part", params=params)
    found = {
        output: {int(str(o.task.params["part"])): o.parts[output] for o in outcomes if o.parts[output].rows}
        for output in ("paths", "repositories")
    }
    return Listing(parts, found["paths"], found["repositories"])


def _pointers(flow: _Flow, sources: Sources) -> tuple[Part, ...]:
    """POINTERS of every duplicate, bucketed by sha1_git."""
    params: dict[str, Json] = {"buckets": sources.buckets}
    exact = flow.spread("EXACT", sources.exact, key="sha1_git", buckets=sources.buckets)
    jobs = {bucket: {"decisions": (part,), "exact": exact} for bucket, part in sources.decisions.items()}
    sought = parts_of(flow.step("seek", ("sought",), jobs, key="bucket", params=params), "sought")
    followed = {
        bucket: {"sought": sought, "decisions": _decisions(sources, bucket)}
        for bucket in buckets_present(flow.root, sought)
    }
    return parts_of(flow.step("resolve", ("pointers",), followed, key="bucket", params=params), "pointers")


def _point(flow: _Flow, sources: Sources, pointers: tuple[Part, ...], parts: int) -> tuple[Part, ...]:
    """RELEASE_PATHS of every occurrence, bucketed by origin into `parts`."""
    jobs = {
        bucket: {"placed": sources.placed, "decisions": _decisions(sources, bucket), "pointers": pointers}
        for bucket in buckets_present(flow.root, sources.placed)
    }
    outcomes = flow.step("point", ("paths",), jobs, key="bucket", params={"parts": parts})
    return parts_of(outcomes, "paths")


def _decisions(sources: Sources, bucket: int) -> tuple[Part, ...]:
    return (sources.decisions[bucket],) if bucket in sources.decisions else ()
