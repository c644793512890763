"""The first wave: contents whose names say that they state a licence.

Worker `read_statements`: one row group of NOTICE_WORK → `statements` (STATEMENTS), scattered by origin: what each
licence file, manifest or README in each repository states; and the notices themselves (see `notices`). A content is
fetched once whatever the number of paths that point at it; one that cannot be fetched states nothing (the second wave
reports it).
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from foundation.exchange import scatter
from foundation.frames import arrow, frame
from foundation.tasks import Counts, Task
from stages import decoding, licences
from stages.catalog import NOTICE_WORK
from stages.catalog.sources import store_of
from stages.contents.batch import flat
from stages.contents.fetching import fetch_contents
from stages.contents.notices import resolved, write_notices

STATEMENTS = pa.schema([("origin", pa.string()), ("path", pa.binary()), *licences.STATED])


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
    rows = work.select("sha1_git", "origin", "path", file_kind="kind").join(
        stated, on=["sha1_git", "file_kind"], how="inner"
    )
    scatter(
        task, "statements", arrow(rows, STATEMENTS), STATEMENTS, key="origin", buckets=int(str(task.params["buckets"]))
    )
    write_notices(task, kept)
    return {"contents": contents.height, "notices": notices.num_rows, "statements": rows.height}
