"""Release rows of one contents part; see the package."""

from __future__ import annotations

import hashlib

import polars as pl
import pyarrow as pa

from foundation import spdx
from foundation.errors import IntegrityError
from foundation.exchange import gather, scatter
from foundation.frames import arrow, frame
from foundation.schema import RELEASE, REPOSITORIES
from foundation.swhid import qualified_swhid
from foundation.tasks import Counts, Task
from stages.catalog import KNOWN_ALIASES, exclusions_of
from stages.contents.schemas import CONTENTS
from stages.decisions import KEPT
from stages.optout import gate

ROWS = pa.schema([("shard", pa.string()), *RELEASE])


def assemble(task: Task) -> Counts:
    """Worker: one contents part → `rows`, scattered by shard key; counts rows by `shard:<key>`."""
    part, bucket = int(str(task.params["part"])), int(str(task.params["kept_bucket"]))
    kept = frame(gather(task, "kept", bucket, KEPT)).filter(pl.col("part") == part)
    contents = frame(task.read("contents").cast(CONTENTS)).join(
        kept.select("sha1_git", "cluster"), on="sha1_git", how="inner", maintain_order="left"
    )
    repositories = frame(gather(task, "repositories", int(str(task.params["origin_bucket"])), REPOSITORIES))
    rows = contents.join(repositories.drop("reason", "evidence"), on="origin", how="inner", maintain_order="left")
    if rows.height != kept.height:
        raise IntegrityError(f"contents part {part} lost rows: {kept.height} kept, {rows.height} joined")
    release = release_rows(rows, share=str(task.params["slice"]))
    refuse_opted_out(task, release, repositories)
    buckets = int(str(task.params["buckets"]))
    scatter(task, "rows", arrow(release, ROWS), ROWS, key="shard", buckets=buckets)
    tally = release.group_by("shard").len().sort("shard")
    return {f"shard:{shard}": count for shard, count in tally.iter_rows()}


def refuse_opted_out(task: Task, release: pl.DataFrame, repositories: pl.DataFrame) -> None:
    """The last gate: IntegrityError if any row is one that an exclusion of this build names."""
    exclusions = exclusions_of(task)
    if exclusions is None:
        return
    known = frame(task.read("aliases").cast(KNOWN_ALIASES)) if task.inputs["aliases"] else None
    hit = gate(release.drop("shard"), exclusions, repositories=repositories, known=known)
    if hit.height:
        named = ", ".join(hit["exclusion_id"].unique().sort().head(5))
        raise IntegrityError(
            f"{hit.height} opted-out rows reached the release gate (exclusions {named})",
            hint="this is a bug of ours: nothing was published; please report it",
        )


def release_rows(rows: pl.DataFrame, *, share: str) -> pl.DataFrame:
    """ROWS for joined contents and repositories; `share` is the slice in the shard key."""
    text_paths = [path.decode("utf-8", "backslashreplace") for path in rows["path"]]
    escaped = [shown.encode() != path for shown, path in zip(text_paths, rows["path"], strict=True)]
    swhids = [
        qualified_swhid(sha1_git=content, origin=origin, snapshot=snapshot, anchor=anchor, path=path)
        for content, origin, snapshot, anchor, path in zip(
            rows["sha1_git"], rows["origin"], rows["snapshot"], rows["anchor"], text_paths, strict=True
        )
    ]
    licences = rows["licence_expression"].unique(maintain_order=True).drop_nulls().to_list()
    listed = {expression: list(spdx.identifiers(expression)) for expression in licences}
    named = rows.with_columns(
        pl.Series("path_text", text_paths, dtype=pl.String),
        pl.Series("swhid", swhids, dtype=pl.String),
        pl.Series("escaped", escaped, dtype=pl.Boolean),
        pl.Series(
            "detected_licenses",
            [listed.get(expression, []) for expression in rows["licence_expression"]],
            dtype=pl.List(pl.String),
        ),
    )
    return _with_row_hash(_renamed(named, share))


def _renamed(rows: pl.DataFrame, share: str) -> pl.DataFrame:
    name = pl.col("path_text").str.extract(r"([^/]*)$", 1)
    shard = pl.concat_str(pl.col("licence_class"), pl.lit("/"), pl.col("language").fill_null(""), pl.lit(f"/{share}"))
    return rows.select(
        shard=shard,
        blob_id="sha1",
        directory_id="root",
        path="path_text",
        content_id="sha1_git",
        detected_licenses="detected_licenses",
        license_type="licence_class",
        repo_name="repo_name",
        snapshot_id="snapshot",
        revision_id="revision",
        branch_name="branch",
        visit_date="visit_date",
        revision_date="revision_date",
        committer_date="committer_date",
        github_id="github_id",
        star_events_count="stars",
        fork_events_count="forks",
        gha_license_id="declared_licence",
        gha_event_created_at=pl.lit(None),
        gha_created_at="created_at",
        gha_language=pl.lit(None),
        src_encoding="encoding",
        language="language",
        is_vendor="vendored",
        is_generated="generated",
        length_bytes="length",
        extension=name.str.extract(r".\.([^.]+)$", 1).fill_null(""),
        content="text",
        content_sha256="text_sha256",
        sha256="sha256",
        swhid="swhid",
        origin="origin",
        path_raw=pl.when("escaped").then("path"),
        licence_expression="licence_expression",
        licence_source="licence_source",
        licence_evidence="licence_evidence",
        language_confidence="language_confidence",
        language_source="language_source",
        is_documentation="documentation",
        encoding_confidence="encoding_confidence",
        num_lines="num_lines",
        avg_line_length="avg_line_length",
        max_line_length="max_line_length",
        alpha_fraction="alpha_fraction",
        alphanum_fraction="alphanum_fraction",
        encoded_fraction="encoded_fraction",
        redactions="redactions",
        path_redactions="path_redactions",
        occurrences="occurrences",
        cluster="cluster",
    )


def _with_row_hash(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with `row_sha256`: SHA-256 over the NUL-joined columns that name a row."""
    named = (rows[name].fill_null("") for name in ("swhid", "content_sha256", "licence_expression", "language"))
    digests = [hashlib.sha256("\x00".join(values).encode()).hexdigest() for values in zip(*named, strict=True)]
    return rows.with_columns(pl.Series("row_sha256", digests, dtype=pl.String))
