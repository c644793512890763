"""Contents of a work table, fetched and verified; the one place where a build reads bytes of code."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from archive.contents import fetch
from foundation.storage import Store


def fetch_contents(store: Store, rows: pl.DataFrame, *, max_bytes: int) -> pa.Table:
    """`data` (large_binary, null on failure) and `problem` (null, or a reason code) for each row of `rows`.

    Rows are WORK-like (sha1, sha1_git, alternatives). When the first sha1 fails, the alternatives are
    tried in order, so that a damaged twin costs nothing but a fetch.
    """
    fetched = fetch(store, rows["sha1"].to_list(), expected=rows["sha1_git"].to_list(), max_bytes=max_bytes)
    result = fetched.select(["data", "problem"])
    failed = [at for at, problem in enumerate(result["problem"].to_pylist()) if problem is not None]
    retries = {at: rows["alternatives"][at].to_list() for at in failed if rows["alternatives"][at] is not None}
    return _with_alternatives(store, rows, result, {at: found for at, found in retries.items() if found}, max_bytes)


def _with_alternatives(
    store: Store, rows: pl.DataFrame, result: pa.Table, retries: Mapping[int, list[str]], max_bytes: int
) -> pa.Table:
    if not retries:
        return result
    data, problems = result["data"].to_pylist(), result["problem"].to_pylist()
    for at, alternatives in retries.items():
        for sha1 in alternatives:
            again = fetch(store, [sha1], expected=[rows["sha1_git"][at]], max_bytes=max_bytes)
            if again["problem"][0].as_py() is None:
                data[at], problems[at] = again["data"][0].as_py(), None
                break
    return pa.table({"data": pa.array(data, pa.large_binary()), "problem": pa.array(problems, pa.string())})
