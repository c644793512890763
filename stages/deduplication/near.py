"""Near duplicates: the flow from signatures to verified, named removals.

signed → bands → edges → components → groups → texts → NEAR. Every arrow is an exchange, and every step
is resumable task by task:

1. candidates, less what is excluded, leave as `members` (by node) and band keys (`bands`);
2. contents of one band bucket that look alike are linked (`edges`, in each bucket a spanning forest);
3. components of the edges (one task, or large-star / small-star rounds);
4. contents with an edge are grouped by component, their texts are brought together;
5. within a component every pair is compared exactly and the total order decides who stays.

Invariants: a removed content names a kept one whose exact Jaccard is at or above the threshold; the rows
depend on the sets of candidates, exclusions and texts and on the settings alone. A pair at the threshold
shares no band with chance at most 1 − recall (sketches included).
Cost a content: its signature read once, `bands` × 48 bytes, its text once if it has a candidate. No step
holds more than one bucket; the driver holds part descriptors, counts and the names of giant components.
"""

from __future__ import annotations

import dataclasses

from foundation.canonical import Json
from foundation.errors import InternalError
from foundation.tasks import Outcome, Part, Runner, parts_of
from stages.deduplication.components import connect
from stages.deduplication.giants import read_giants, resolve_giants
from stages.deduplication.settings import Settings, banding
from stages.deduplication.steps import (
    BUCKET_BYTES,
    MOST_FILES,
    Flow,
    Job,
    counted,
    each_bucket,
    ranges_of,
    rows_of,
)
from stages.deduplication.verify import PIECE_SHINGLES

_NODE_BYTES = 600  # a member or an edge's end, as frames hold them
_BAND_BYTES = 200
_PLACED_BYTES = 600
_SHINGLE_BYTES = 48  # of a content in memory while it is compared: text, number, table


@dataclasses.dataclass(frozen=True)
class Found:
    """NEAR parts, and PAIRS parts when they were asked for."""

    near: tuple[Part, ...] = ()
    pairs: tuple[Part, ...] = ()


def near_duplicates(
    run: Runner,
    *,
    root: str,
    folder: str,
    candidates: tuple[Part, ...],
    texts: tuple[Part, ...],
    settings: Settings,
    excluded: tuple[Part, ...] = (),
    bucket_bytes: int = BUCKET_BYTES,
) -> tuple[Part, ...]:
    """NEAR parts for CANDIDATES less those named in `excluded` (EXACT, or any table with `sha1_git` and `text_part`).

    `texts[candidate.text_part]` must hold a candidate's text (TEXTS; a part may be one row group); a
    text that is not there raises InternalError, since a removal could not be verified.
    """
    return search(
        Flow(run, root, folder, bucket_bytes), settings, candidates=candidates, texts=texts, excluded=excluded
    ).near


def search(
    flow: Flow,
    settings: Settings,
    *,
    candidates: tuple[Part, ...],
    texts: tuple[Part, ...],
    excluded: tuple[Part, ...] = (),
    pairs: bool = False,
) -> Found:
    """As `near_duplicates`; with `pairs`, also every verified pair within a component (quadratic in it)."""
    if not settings.near or not rows_of(candidates):
        return Found()
    buckets = flow.buckets(rows_of(candidates), _NODE_BYTES)
    banded = _band(flow, settings, candidates, excluded, buckets=buckets, text_parts=len(texts))
    linked = _link(flow, settings, banded, buckets)
    stars = connect(flow, parts_of(linked, "edges"), buckets=buckets)
    if not stars:
        return Found()
    planned, groups = _plan(flow, settings, stars=stars, banded=banded, text_parts=len(texts))
    giants = read_giants(flow.root, parts_of(planned, "giants"))
    collected = _collect(flow, settings, planned, texts, groups)
    params: dict[str, Json] = {"settings": settings.model_dump(mode="json"), "pairs": pairs}
    jobs = each_bucket(groups, {"whole": parts_of(collected, "whole")}, params)
    resolved = flow.step("near", "verify:resolve", ("near", "pairs"), jobs)
    near = parts_of(resolved, "near") + resolve_giants(
        flow, settings, giants=giants, pieces=parts_of(collected, "pieces"), buckets=groups
    )
    return Found(near, parts_of(resolved, "pairs"))


def _band(
    flow: Flow,
    settings: Settings,
    candidates: tuple[Part, ...],
    excluded: tuple[Part, ...],
    *,
    buckets: int,
    text_parts: int,
) -> list[Outcome]:
    spread = ranges_of(text_parts, MOST_FILES)
    dropped = flow.step("excluded", "bands:scatter_excluded", ("dropped",), flow.numbered(excluded, "excluded", spread))
    params: dict[str, Json] = {
        **spread,
        "settings": settings.model_dump(mode="json"),
        "buckets": buckets,
        "band_buckets": flow.buckets(rows_of(candidates) * banding(settings).bands, _BAND_BYTES),
    }
    inputs = {"dropped": parts_of(dropped, "dropped")}
    jobs = [
        Job(job.partition, {**job.inputs, **inputs}, params) for job in flow.numbered(candidates, "candidates", params)
    ]
    return flow.step("bands", "bands:make_bands", ("members", "bands"), jobs)


def _link(flow: Flow, settings: Settings, banded: list[Outcome], buckets: int) -> list[Outcome]:
    params: dict[str, Json] = {"settings": settings.model_dump(mode="json"), "node_buckets": buckets}
    count = int(str(banded[0].task.params["band_buckets"]))
    jobs = each_bucket(count, {"bands": parts_of(banded, "bands")}, params)
    return flow.step("edges", "bands:link_bands", ("edges",), jobs)


def _plan(
    flow: Flow, settings: Settings, *, stars: tuple[Part, ...], banded: list[Outcome], text_parts: int
) -> tuple[list[Outcome], int]:
    """The outcomes of `plan_groups`, and how many buckets the groups' texts need."""
    components = flow.buckets(rows_of(stars), _PLACED_BYTES)
    chosen: dict[str, Json] = {"settings": settings.model_dump(mode="json")}
    buckets = int(str(banded[0].task.params["buckets"]))
    inputs = {"edges": stars, "members": parts_of(banded, "members")}
    jobs = each_bucket(buckets, inputs, {**chosen, "buckets": components})
    placed = flow.step("placed", "verify:place", ("placed",), jobs)
    wanted = counted(placed, "candidates")
    params: dict[str, Json] = {
        **chosen,
        **ranges_of(text_parts, flow.buckets(wanted, _PLACED_BYTES)),
        "piece_shingles": max(1, min(PIECE_SHINGLES, 4 * flow.bucket_bytes // _SHINGLE_BYTES)),
    }
    jobs = each_bucket(components, {"placed": parts_of(placed, "placed")}, params)
    planned = flow.step("groups", "verify:plan_groups", ("wanted", "giants"), jobs)
    return planned, flow.buckets(counted(placed, "shingles"), _SHINGLE_BYTES)


def _collect(
    flow: Flow, settings: Settings, planned: list[Outcome], texts: tuple[Part, ...], groups: int
) -> list[Outcome]:
    params: dict[str, Json] = {
        "settings": settings.model_dump(mode="json"),
        **{name: planned[0].task.params[name] for name in ("span", "part_buckets")},
        "buckets": groups,
    }
    wanted = parts_of(planned, "wanted")
    jobs = [
        Job(f"{first:06d}", {"texts": run, "wanted": wanted}, {**params, "first_part": first})
        for first, run in flow.runs(texts, flow.bucket_bytes // 16)
    ]
    collected = flow.step("texts", "verify:collect_texts", ("whole", "pieces"), jobs)
    missing = rows_of(wanted) - counted(collected, "found")
    if missing:
        raise InternalError(
            f"deduplication: {missing} candidate texts are not in the part of `texts` that `text_part` names",
            hint="text_part counts the parts of `texts` from 0, in the order given",
        )
    return collected
