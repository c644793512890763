"""Near duplicates: the flow from signatures to verified, named removals.

signed → bands → edges → components → groups → texts → NEAR. Every arrow is an exchange, and every step
is resumable task by task:

1. candidates and exclusions meet by content (`members`), band keys leave (`bands`);
2. contents of one band bucket that look alike are linked (`edges`, in each bucket a spanning forest);
3. components of the edges (one task, or large-star / small-star rounds);
4. contents with an edge are grouped by component, their texts are brought together;
5. within a component every pair is compared exactly and the total order decides who stays.

Invariants: a removed content names a kept one whose exact Jaccard is at or above the threshold; the rows
depend on the sets of candidates, exclusions and texts and on the settings alone. A pair at the threshold
shares no band with chance at most 1 − recall (sketches included).
Cost a content: its signature once, `bands` × 90 bytes, its text once if it has a candidate. No step
holds more than one bucket; the driver holds part descriptors, counts and the names of giant components.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from foundation.canonical import Json
from foundation.errors import InternalError
from foundation.tasks import Outcome, Part, Runner, parts_of
from stages.deduplication.components import connect
from stages.deduplication.giants import read_giants, resolve_giants
from stages.deduplication.settings import Settings, banding
from stages.deduplication.steps import BUCKET_BYTES, Flow, Job, counted, each_bucket, numbered, rows_of

_MEMBER_BYTES = 4_000  # a candidate with its signature and its band rows, as frames hold them
_BAND_BYTES = 300
_PLACED_BYTES = 600
_TEXT_FACTOR = 12  # a text's sets and copies in memory against its bytes on disk


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
    """NEAR parts for CANDIDATES less those named in `excluded` (EXACT, or any table with `sha1_git`).

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
    buckets = flow.buckets(rows_of(candidates), _MEMBER_BYTES)
    banded = _band(flow, settings, candidates, excluded, buckets)
    linked = _link(flow, settings, banded, buckets)
    stars = connect(flow, parts_of(linked, "edges"), buckets=buckets)
    if not stars:
        return Found()
    planned, groups = _plan(flow, settings, stars=stars, banded=banded, texts=texts)
    giants = read_giants(flow.root, parts_of(planned, "giants"))
    collected = _collect(flow, planned, texts, groups)
    params: dict[str, Json] = {"settings": settings.model_dump(mode="json"), "pairs": pairs}
    jobs = each_bucket(groups, {"whole": parts_of(collected, "whole")}, params)
    resolved = flow.step("near", "verify:resolve", ("near", "pairs"), jobs)
    near = parts_of(resolved, "near") + resolve_giants(
        flow, settings, giants=giants, pieces=parts_of(collected, "pieces"), buckets=groups
    )
    return Found(near, parts_of(resolved, "pairs"))


def _band(
    flow: Flow, settings: Settings, candidates: tuple[Part, ...], excluded: tuple[Part, ...], buckets: int
) -> list[Outcome]:
    signed = flow.step(
        "signed", "bands:scatter_candidates", ("signed",), numbered(candidates, "candidates", {"buckets": buckets})
    )
    dropped = flow.step(
        "excluded", "bands:scatter_excluded", ("dropped",), numbered(excluded, "excluded", {"buckets": buckets})
    )
    params: dict[str, Json] = {
        "settings": settings.model_dump(mode="json"),
        "band_buckets": _band_buckets(flow, settings, rows_of(candidates)),
    }
    inputs = {"signed": parts_of(signed, "signed"), "dropped": parts_of(dropped, "dropped")}
    return flow.step("bands", "bands:make_bands", ("members", "bands"), each_bucket(buckets, inputs, params))


def _band_buckets(flow: Flow, settings: Settings, rows: int) -> int:
    return flow.buckets(rows * banding(settings).bands, _BAND_BYTES)


def _link(flow: Flow, settings: Settings, banded: list[Outcome], buckets: int) -> list[Outcome]:
    params: dict[str, Json] = {"settings": settings.model_dump(mode="json"), "node_buckets": buckets}
    count = int(str(banded[0].task.params["band_buckets"]))
    jobs = each_bucket(count, {"bands": parts_of(banded, "bands")}, params)
    return flow.step("edges", "bands:link_bands", ("edges",), jobs)


def _plan(
    flow: Flow, settings: Settings, *, stars: tuple[Part, ...], banded: list[Outcome], texts: tuple[Part, ...]
) -> tuple[list[Outcome], int]:
    """The outcomes of `plan_groups`, and how many buckets the groups' texts need."""
    components = flow.buckets(rows_of(stars), _PLACED_BYTES)
    jobs = [
        Job(
            f"{bucket:06d}",
            {"edges": stars, "members": (outcome.parts["members"],)},
            {"bucket": bucket, "buckets": components},
        )
        for bucket, outcome in enumerate(banded)
    ]
    placed = flow.step("placed", "verify:place", ("placed",), jobs)
    wanted = sum(outcome.counts["candidates"] for outcome in placed)
    params: dict[str, Json] = {
        "settings": settings.model_dump(mode="json"),
        "part_buckets": min(len(texts), flow.buckets(wanted, _PLACED_BYTES)),
    }
    jobs = each_bucket(components, {"placed": parts_of(placed, "placed")}, params)
    planned = flow.step("groups", "verify:plan_groups", ("wanted", "giants"), jobs)
    return planned, flow.buckets(wanted, _text_bytes(texts) * _TEXT_FACTOR)


def _text_bytes(texts: Sequence[Part]) -> int:
    """Mean bytes on disk of one text; files named by several parts count once."""
    files = {part.path: part for part in texts}
    return 1 + sum(part.bytes for part in files.values()) // max(1, rows_of(list(files.values())))


def _collect(flow: Flow, planned: list[Outcome], texts: tuple[Part, ...], groups: int) -> list[Outcome]:
    part_buckets = planned[0].task.params["part_buckets"]
    jobs = [
        Job(
            f"{index:06d}",
            {"texts": (part,), "wanted": parts_of(planned, "wanted")},
            {"text_part": index, "part_buckets": part_buckets, "buckets": groups},
        )
        for index, part in enumerate(texts)
    ]
    collected = flow.step("texts", "verify:collect_texts", ("whole", "pieces"), jobs)
    missing = rows_of(parts_of(planned, "wanted")) - counted(collected, "found")
    if missing:
        raise InternalError(
            f"deduplication: {missing} candidate texts are not in the part of `texts` that `text_part` names",
            hint="text_part counts the parts of `texts` from 0, in the order given",
        )
    return collected
