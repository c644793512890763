"""The first wave: contents whose names say that they state a licence.

Worker `read_statements`: one row group of NOTICE_WORK → `statements` (STATEMENTS), scattered by origin: what each
licence file, manifest or README in each repository states; and `texts` (NOTICE_TEXTS), scattered by text_sha256: the
texts of licence files, which a release must hand on. They are legal notices, names and addresses included: of what
redaction finds, only what the parameter `text_redaction` lists is replaced, secrets always. The notices themselves
leave too (see `notices`). A content is fetched once whatever the number of paths that point at it; one that cannot be
fetched states nothing (the second wave reports it).
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from foundation.canonical import sha256_bytes
from foundation.exchange import scatter
from foundation.frames import arrow, frame
from foundation.tasks import Counts, Task
from stages import decoding, licences, redaction
from stages.catalog import NOTICE_WORK
from stages.catalog.sources import store_of
from stages.contents.batch import flat
from stages.contents.fetching import fetch_contents
from stages.contents.notices import resolved, write_notices

STATEMENTS = pa.schema(
    [
        ("origin", pa.string()),
        ("path", pa.binary()),
        *licences.STATED,
        ("text_sha256", pa.string()),  # of the licence file's text, as UTF-8; null where the file is none
        ("copyrights", pa.list_(pa.string())),  # lines of that text that name a holder; null with it
    ]
)

# What is credited for a licence file's text, its path redacted; scattered by origin.
STATED_TEXTS = pa.schema([STATEMENTS.field(name) for name in ("origin", "path", "text_sha256", "copyrights")])

# One row a distinct text of a licence file, several times where several tasks have read it.
NOTICE_TEXTS = pa.schema(
    [("text_sha256", pa.string()), ("copyrights", pa.list_(pa.string())), ("text", pa.large_string())]
)

SECRETS: tuple[redaction.Kind, ...] = ("KEY", "PASSWORD")
"""What is never handed on, be it in a legal notice."""
_TEXT_KINDS = ("licence_file", "licenses_folder", "dot_license")
_NOTICE_MANIFEST = rb"(?:^|/)(?:REUSE\.toml|\.reuse/dep5|debian/copyright)$"  # manifests that are notices themselves


def read_statements(task: Task) -> Counts:
    """Worker: see the module."""
    work = frame(task.read("notices").cast(NOTICE_WORK))
    contents = work.unique("sha1_git", keep="first", maintain_order=True).sort("sha1_git")
    fetched = fetch_contents(store_of(task.context), contents, max_bytes=int(str(task.params["max_bytes"])))
    decoded = decoding.decode(flat(fetched["data"]))
    texts = contents.select("sha1_git").hstack([pl.Series("text", decoded["text"].to_pylist(), dtype=pl.String)])
    named = work.sort("sha1_git", "kind", "path", "origin").unique(
        ["sha1_git", "kind"], keep="first", maintain_order=True
    )
    readable = named.join(texts, on="sha1_git", how="inner").filter(pl.col("text").is_not_null())
    notices = licences.notices_of_files(
        readable.select("sha1_git", "path", "kind", "text").to_arrow(compat_level=pl.CompatLevel.oldest()),
        settings=licences.Settings.model_validate(task.params["licences"]),
    )
    detections, kept = resolved(task, notices)
    stated = licences.stated(frame(notices), detections)
    handed_on = licence_texts(readable, redaction.Settings.model_validate(task.params["text_redaction"]))
    rows = (
        work.select("sha1_git", "origin", "path", file_kind="kind")
        .join(stated, on=["sha1_git", "file_kind"], how="inner")
        .join(handed_on.drop("text"), on=["sha1_git", "file_kind"], how="left", maintain_order="left")
    )
    buckets = int(str(task.params["buckets"]))
    scatter(task, "statements", arrow(rows, STATEMENTS), STATEMENTS, key="origin", buckets=buckets)
    distinct = handed_on.unique("text_sha256", keep="first", maintain_order=True).sort("text_sha256")
    scatter(task, "texts", arrow(distinct, NOTICE_TEXTS), NOTICE_TEXTS, key="text_sha256", buckets=buckets)
    write_notices(task, kept)
    return {"contents": contents.height, "notices": notices.num_rows, "statements": rows.height}


def licence_texts(files: pl.DataFrame, settings: redaction.Settings) -> pl.DataFrame:
    """`sha1_git`, `file_kind` and NOTICE_TEXTS of those `files` (sha1_git, path, kind, text) that are licence texts."""
    paths = pa.chunked_array([files["path"].to_arrow().cast(pa.binary())])
    notice = pl.Series(pc.match_substring_regex(paths, _NOTICE_MANIFEST.decode()).to_pylist(), dtype=pl.Boolean)
    chosen = files.filter(pl.col("kind").is_in(list(_TEXT_KINDS)) | ((pl.col("kind") == "manifest") & notice))
    named = flat(chosen["path"].to_arrow()).cast(pa.binary())
    texts = redaction.redact(flat(chosen["text"].to_arrow()).cast(pa.large_string()), named, settings=settings)["text"]
    shown = texts.to_pylist()
    return chosen.select("sha1_git", file_kind="kind").with_columns(
        pl.Series("text_sha256", [sha256_bytes(text.encode()) for text in shown], dtype=pl.String),
        pl.Series("copyrights", [licences.copyright_lines(text) for text in shown], dtype=pl.List(pl.String)),
        pl.Series("text", shown, dtype=pl.String),
    )
