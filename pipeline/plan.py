"""The plan of a build: what would run, over what, what an earlier run left that can be used again, and why."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

from archive.orc import stripes
from archive.tables import SPECS
from foundation.canonical import Json, differing_fields
from foundation.exchange import bucket_count
from pipeline.build import Request, exclusions_of, identity_of, open_requested
from pipeline.policies import STAGES
from pipeline.recipe import Recipe
from stages.catalog.flow import ORC_BYTES_PER_BUCKET
from stages.catalog.sources import SOURCES
from stages.deduplication import banding, banding_curve
from stages.licences import policy_summary


def plan_of(
    recipe: Recipe,
    *,
    out: Path,
    archive: str = "",
    as_of: dt.date | None = None,
    exclusions: Path | None = None,
) -> dict[str, Json]:
    """The plan as JSON. A bucket on S3 is not contacted; a local archive is opened and counted."""
    request = Request(recipe=recipe, out=out, archive=archive or recipe.archive.uri, as_of=as_of, exclusions=exclusions)
    excluded = exclusions_of(request)
    local = bool(request.archive) and not request.archive.startswith("s3://")
    day = request.as_of_day
    return {
        "recipe": recipe.identity(),
        "release": f"{recipe.release.name}@{recipe.release.version}",
        "target": str(request.releases / recipe.release.name / recipe.release.version),
        "archive": {"uri": request.archive or None, "contacted": local, **(_tables(request) if local else {})},
        "as_of": day.isoformat() if day else None,
        "registry": {"sequence": excluded.sequence, "exclusions": len(excluded.entries)},
        "stages": [_stage(request, stage.NAME, stage.VERSION) for stage in STAGES],
        "policy": _policy(recipe),
        "copies": _copies(recipe),
        "near_duplicates": _near(recipe),
        "guard": recipe.guard.model_dump(mode="json"),
        "reuse": _reuse(request, identity_of(request, open_requested(request), excluded) if local else None),
    }


def plan_text(plan: Mapping[str, Json]) -> str:
    """The plan for people."""
    lines = [f"release  {plan['release']}", f"target   {plan['target']}", f"archive  {_line(plan['archive'])}"]
    lines += [f"as of    {plan['as_of'] or 'the newest visits'}", f"opt-outs {_line(plan['registry'])}"]
    lines += [f"policy   {_line(plan['policy'])}"]
    lines += [f"copies   {_line(plan['copies'])}", "", "stages:"]
    stages, near = plan["stages"], plan["near_duplicates"]
    if isinstance(stages, list):
        lines += [f"  {_line(stage)}" for stage in stages]
    if isinstance(near, dict):
        curve = near.pop("curve", None)
        lines += ["", f"near duplicates: {_line(near)}"]
        if isinstance(curve, list):
            lines += ["  " + "  ".join(f"J={pair[0]:.2f}:{pair[1]:.3f}" for pair in curve)]
    lines += ["", f"guard:   {_line(plan['guard'])}"]
    return "\n".join([*lines, "", f"re-use:  {plan['reuse']}", "nothing was built"])


def _line(value: Json) -> str:
    if isinstance(value, Mapping):
        return "  ".join(f"{key} {_line(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_line, value))
    return str(value)


def _tables(request: Request) -> dict[str, Json]:
    opened = open_requested(request)
    counted: dict[str, Json] = {
        table: {
            "files": len(opened.files(table)),
            "stripes": sum(len(stripes(opened.store, info.key)) for info in opened.files(table)),
            "bytes": sum(info.size for info in opened.files(table)),
        }
        for table in sorted(SPECS)
        if opened.files(table) and table in SOURCES
    }
    volume = sum(info.size for table in SOURCES for info in opened.files(table))
    buckets = bucket_count(volume, bytes_each=ORC_BYTES_PER_BUCKET)
    return {"export": opened.export, "tables": counted, "partitions": buckets}


def _stage(request: Request, name: str, version: str) -> dict[str, Json]:
    folder = request.root / name
    finished = sum(1 for _ in folder.rglob(".record-*.json")) if folder.is_dir() else 0
    return {"stage": name, "policy": version, "finished_tasks": finished}


def _policy(recipe: Recipe) -> dict[str, Json]:
    settings = recipe.licences
    reviewed: dict[str, Json] = {"overrides": len(settings.overrides)} if settings.overrides else {}
    return {**policy_summary(settings), **reviewed}


def _copies(recipe: Recipe) -> dict[str, Json]:
    settings = recipe.licences
    witnesses = "what is read and refused for a non-permissive licence"
    if not settings.seeks_witnesses:
        witnesses = "not looked for"
    elif settings.read_headers == "where_path_allows" and "non_permissive" not in settings.keep:
        witnesses = "none, since read_headers = where_path_allows leaves unread what a path's licence refuses"
    return {"policy": settings.copies, "compare": settings.compare_copies, "witnesses": witnesses}


def _near(recipe: Recipe) -> dict[str, Json]:
    settings = recipe.deduplication
    if not settings.near:
        return {"near": False}
    chosen = banding(settings)
    return {
        "threshold": settings.threshold,
        "recall_at_threshold": settings.recall,
        "permutations": settings.permutations,
        "rows": chosen.rows,
        "bands": chosen.bands,
        "curve": [[jaccard, round(chance, 4)] for jaccard, chance in banding_curve(settings)],
    }


def _reuse(request: Request, identity: Mapping[str, Json] | None) -> str:
    path = request.root / "build.json"
    if not path.is_file():
        return "nothing: this build folder is new"
    if identity is None:
        return "decided when the archive is opened"
    changed = differing_fields(json.loads(path.read_bytes()), identity)
    if changed:
        return "refused without --rerun-changed, since the request differs: " + "; ".join(changed[:8])
    return "every finished task: the request is the one that the folder was begun with"
