"""Components too large for one task: resolved piece by piece in the total order, one piece after another.

Piece i is compared with what stayed of the pieces before it (read one piece at a time), then within
itself; the removals are those of one task over the whole component. Clusters may come out finer there:
a chain that leads only through two removed contents of different pieces is not looked for.
Memory: the texts of two pieces and, at the end, about 200 bytes a content of the component. Time: a piece reads
what stayed of all pieces before it; near copies leave next to nothing.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foundation.canonical import Json
from foundation.exchange import gather
from foundation.frames import frame
from foundation.tables import read_table
from foundation.tasks import Counts, Outcome, Part, Task, parts_of
from stages.deduplication.components import contract
from stages.deduplication.linking import Comparable, cluster_runs, match_earlier, select_runs
from stages.deduplication.schemas import DRAFT, GIANTS, GROUPED, NEAR, STAYING, sketched
from stages.deduplication.settings import Settings
from stages.deduplication.steps import Flow, Job, number, settings_of
from stages.deduplication.verify import comparable, group_bucket, ordered_texts


def resolve_giants(
    flow: Flow, settings: Settings, *, giants: list[tuple[int, int]], pieces: tuple[Part, ...], buckets: int
) -> tuple[Part, ...]:
    """NEAR parts of the components `giants` (component, pieces), whose texts are the bucket files `pieces`.

    Steps: the largest number of pieces, plus one; the giants run side by side.
    """
    done: dict[int, list[Outcome]] = {component: [] for component, _ in giants}
    for piece in range(max((count for _, count in giants), default=0)):
        live = [component for component, count in giants if piece < count]
        jobs = [
            Job(
                f"{at:06d}",
                {"pieces": pieces, "staying": parts_of(done[component], "staying")},
                _piece_params(settings, component, piece, buckets),
            )
            for at, component in enumerate(live)
        ]
        outcomes = flow.step(f"piece-{piece:04d}", "giants:resolve_piece", ("draft", "staying"), jobs)
        for component, outcome in zip(live, outcomes, strict=True):
            done[component].append(outcome)
    jobs = [Job(f"{at:06d}", {"drafts": parts_of(done[name], "draft")}) for at, (name, _) in enumerate(giants)]
    return parts_of(flow.step("giants", "giants:join_pieces", ("near",), jobs), "near")


def read_giants(root: str, parts: tuple[Part, ...]) -> list[tuple[int, int]]:
    """(component, pieces) of every giant: at most one for what fills a task, so the driver may hold them."""
    found = [read_table(Path(root, part.path), columns=GIANTS.names) for part in parts]
    rows = [(int(row["component"]), int(row["pieces"])) for table in found for row in table.to_pylist()]
    return sorted(rows)


def _piece_params(settings: Settings, component: int, piece: int, buckets: int) -> dict[str, Json]:
    bucket = group_bucket(component, piece, buckets)
    return {
        "settings": settings.model_dump(mode="json"),
        "component": str(component),
        "piece": piece,
        "bucket": bucket,
    }


def resolve_piece(task: Task) -> Counts:
    """DRAFT rows of one piece, and the contents that stay, with their texts."""
    settings = settings_of(task)
    piece = _piece(task, settings.permutations // 64)
    names = piece.rows["sha1_git"]
    similarity, kept_name = np.zeros(names.len()), np.full(names.len(), None, dtype=object)
    kept = np.full(names.len(), -1, dtype=np.int64)
    for part in task.inputs["staying"]:
        _match_part(_staying(task, part), piece, settings, found=(kept, kept_name, similarity))
    earlier, open_rows = int((kept >= 0).sum()), kept < 0
    bounds = np.array([0, names.len()], dtype=np.int64)
    contents, root = piece.comparable(settings), np.empty(names.len(), dtype=np.int64)
    select_runs(bounds, contents, kept, similarity)
    cluster_runs(bounds, contents, root)
    fresh = open_rows & (kept >= 0)
    kept_name[fresh] = names.gather(kept[fresh]).to_numpy()
    draft = {"sha1_git": names, "root": names.gather(root), "kept": kept_name.tolist(), "jaccard": similarity}
    task.write("draft", pl.DataFrame(draft, schema_overrides={"kept": pl.String}).to_arrow(), DRAFT)
    piece.write_staying(task, np.flatnonzero(kept < 0))
    return {"in": names.len(), "near_duplicate": int((kept >= 0).sum()), "earlier": earlier}


@dataclasses.dataclass(frozen=True)
class _Piece:
    """Contents of one component: rows (sha1_git, sketch …) and their texts, in the total order."""

    rows: pl.DataFrame
    texts: pa.LargeStringArray

    def comparable(self, settings: Settings) -> Comparable:
        """All of it as one run."""
        bounds = np.array([0, self.rows.height], dtype=np.int64)
        return comparable(self.rows, self.texts, bounds=bounds, settings=settings)

    def only(self, places: NDArray[np.int64]) -> _Piece:
        """The contents at `places`."""
        return _Piece(self.rows[places], self.texts.take(pa.array(places)))

    def write_staying(self, task: Task, places: NDArray[np.int64]) -> None:
        """Write the contents at `places` as output `staying`."""
        words = sum(name.startswith("sketch_") for name in self.rows.columns)
        stay, schema = self.only(places), sketched(STAYING, words)
        table = stay.rows.to_arrow().append_column("text", stay.texts)
        task.write("staying", table.select(schema.names), schema)


def _piece(task: Task, words: int) -> _Piece:
    every = gather(task, "pieces", number(task, "bucket"), sketched(GROUPED, words))
    component, piece = int(str(task.params["component"])), number(task, "piece")
    mine = pc.and_(pc.equal(every["component"], component), pc.equal(every["piece"], piece))
    return _Piece(*ordered_texts(every.filter(mine)))


def _staying(task: Task, part: Part) -> _Piece:
    """What stayed of one earlier piece."""
    table = read_table(Path(task.root, part.path))
    texts = pa.chunked_array(table["text"]).combine_chunks()
    return _Piece(frame(table.drop(["text"])), texts.chunk(0) if isinstance(texts, pa.ChunkedArray) else texts)


_Found: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.object_], NDArray[np.float64]]"


def _match_part(earlier: _Piece, piece: _Piece, settings: Settings, *, found: _Found) -> None:
    """Fill `found` (kept: not -1 any more, its name, the similarity) where `earlier` has the first similar one."""
    kept, kept_name, similarity = found
    still, names = np.flatnonzero(kept < 0), earlier.rows["sha1_git"]
    left = piece.only(still)
    rows = pl.concat([earlier.rows, left.rows.select(earlier.rows.columns)])
    both = _Piece(rows, pa.concat_arrays([earlier.texts, left.texts]))
    match, value = np.full(len(still), -1, dtype=np.int64), np.zeros(len(still))
    match_earlier(names.len(), both.comparable(settings), match, value)
    hit = match >= 0
    kept[still[hit]], similarity[still[hit]] = 0, value[hit]
    kept_name[still[hit]] = names.gather(match[hit]).to_numpy()


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
