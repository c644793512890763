"""Components too large for one task: resolved piece by piece in the total order, one piece after another.

Piece i is compared with what stayed of the pieces before it (read one piece at a time), then within
itself; the removals are those of one task over the whole component. Clusters may come out finer there:
a chain that leads only through two removed contents of different pieces is not looked for.
Memory: the texts of two pieces (`max_component` contents each) and, at the end, about 200 bytes a content
of the component.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from foundation.canonical import Json
from foundation.exchange import bucket_of, gather
from foundation.frames import frame
from foundation.tables import read_table
from foundation.tasks import Counts, Outcome, Part, Task, parts_of
from stages.deduplication.bands import run_bounds
from stages.deduplication.components import contract
from stages.deduplication.linking import cluster_runs, joined, match_earlier, select_runs
from stages.deduplication.schemas import DRAFT, GIANTS, GROUPED, NEAR, STAYING
from stages.deduplication.settings import Settings
from stages.deduplication.steps import Flow, Job, in_order, number, settings_of
from stages.deduplication.verify import comparable


def resolve_giants(
    flow: Flow, settings: Settings, *, giants: list[tuple[str, int]], pieces: tuple[Part, ...], buckets: int
) -> tuple[Part, ...]:
    """NEAR parts of the components `giants` (component, pieces), whose texts are the bucket files `pieces`.

    Steps: the largest number of pieces, plus one; the giants run side by side.
    """
    done: dict[str, list[Outcome]] = {component: [] for component, _ in giants}
    for piece in range(max((count for _, count in giants), default=0)):
        live = [component for component, count in giants if piece < count]
        jobs = [
            Job(
                f"{at:06d}",
                {"pieces": pieces, "staying": parts_of(done[component], "staying")},
                _piece_params(settings, f"{component}/{piece}", buckets),
            )
            for at, component in enumerate(live)
        ]
        outcomes = flow.step(f"piece-{piece:04d}", "giants:resolve_piece", ("draft", "staying"), jobs)
        for component, outcome in zip(live, outcomes, strict=True):
            done[component].append(outcome)
    jobs = [Job(f"{at:06d}", {"drafts": parts_of(done[name], "draft")}) for at, (name, _) in enumerate(giants)]
    return parts_of(flow.step("giants", "giants:join_pieces", ("near",), jobs), "near")


def read_giants(root: str, parts: tuple[Part, ...]) -> list[tuple[str, int]]:
    """(component, pieces) of every giant: at most one a `max_component` contents, so the driver may hold them."""
    found = [read_table(Path(root, part.path), columns=GIANTS.names) for part in parts]
    rows = [(str(row["component"]), int(row["pieces"])) for table in found for row in table.to_pylist()]
    return sorted(rows)


def _piece_params(settings: Settings, group: str, buckets: int) -> dict[str, Json]:
    bucket = int(bucket_of(pa.array([group]), buckets)[0])
    return {"settings": settings.model_dump(mode="json"), "group": group, "bucket": bucket}


def resolve_piece(task: Task) -> Counts:
    """DRAFT rows of one piece, and the contents that stay, with their texts."""
    settings = settings_of(task)
    every = frame(gather(task, "pieces", number(task, "bucket"), GROUPED))
    rows = in_order(every.filter(pl.col("group") == str(task.params["group"])), "component")
    contents, names = comparable(rows, settings), rows["sha1_git"]
    similarity, kept_name = np.zeros(rows.height), np.full(rows.height, None, dtype=object)
    kept = np.full(rows.height, -1, dtype=np.int64)
    for part in task.inputs["staying"]:
        earlier = frame(read_table(Path(task.root, part.path), columns=STAYING.names))
        open_rows = kept < 0
        match_earlier(earlier.height, joined(comparable(earlier, settings), contents), kept, similarity)
        _name(kept_name, earlier["sha1_git"], kept, open_rows)
    open_rows = kept < 0
    bounds, root = run_bounds(rows["component"]), np.empty(rows.height, dtype=np.int64)
    select_runs(bounds, contents, kept, similarity)
    cluster_runs(bounds, contents, root)
    _name(kept_name, names, kept, open_rows)
    draft = pl.DataFrame(
        {
            "sha1_git": names,
            "root": names.gather(root),
            "kept": pl.Series(kept_name.tolist(), dtype=pl.String),
            "jaccard": similarity,
        }
    )
    task.write("draft", draft.to_arrow(), DRAFT)
    task.write("staying", rows.filter(pl.Series(kept < 0)).select(STAYING.names).to_arrow(), STAYING)
    removed = int((kept >= 0).sum())
    return {"in": rows.height, "near_duplicate": removed, "earlier": removed - int((open_rows & (kept >= 0)).sum())}


def _name(
    kept_name: NDArray[np.object_], names: pl.Series, kept: NDArray[np.int64], open_rows: NDArray[np.bool_]
) -> None:
    """Name the kept content of the rows that were open and are not any more."""
    fresh = open_rows & (kept >= 0)
    kept_name[fresh] = names.gather(kept[fresh]).to_numpy()


def join_pieces(task: Task) -> Counts:
    """NEAR of one giant from the DRAFT rows of its pieces."""
    rows = frame(task.read("drafts", columns=DRAFT.names))
    links = pl.concat(
        [
            rows.select(node="sha1_git", other="root"),
            rows.drop_nulls("kept").select(node="sha1_git", other="kept"),
        ]
    )
    stars = contract(links)
    named = rows.join(stars, left_on="sha1_git", right_on="node", how="left").with_columns(
        cluster=pl.coalesce("other", "sha1_git"), jaccard=pl.when(pl.col("kept").is_not_null()).then("jaccard")
    )
    near = named.filter(pl.len().over("cluster") > 1).select(NEAR.names).sort("sha1_git")
    task.write("near", near.to_arrow(), NEAR)
    return {"in": rows.height, "clusters": near["cluster"].n_unique()}
