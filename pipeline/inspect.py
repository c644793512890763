"""One analysis stage on a user's own files: Parquet in (`id`, `path`, `content`), Parquet out.

`duplicates` can also write the pairs behind its answer: PAIRS, see `stages.deduplication.schemas`. What is written
is written whole or not at all, both files together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from foundation.errors import ConfigError, UsageError
from foundation.storage import write_atomically
from stages import deduplication, languages, licences, quality, redaction

INPUT = pa.schema([("id", pa.string()), ("path", pa.string()), ("content", pa.binary())])

DUPLICATES = "duplicates"
STAGES: Mapping[str, Callable[[pa.Table], pa.Table]] = MappingProxyType(
    {
        "languages": languages.inspect,
        "licences": licences.inspect,
        "redaction": redaction.inspect,
        "quality": quality.inspect,
        DUPLICATES: lambda table: deduplication.inspect(table, deduplication.Settings()),
    }
)


def inspect(
    stage: str,
    source: str | Path,
    target: str | Path,
    *,
    pairs: str | Path | None = None,
    threshold: float | None = None,
) -> int:
    """Run `stage` on the rows of the Parquet file `source`, write its table to `target`; returns the rows written.

    `pairs` (a file to write: a, b, jaccard) and `threshold` (exact Jaccard, default 0.7) are for duplicates alone.
    Raises UsageError for an unknown stage, an option of another stage, an impossible threshold, or one file named
    twice; ConfigError when the input is unreadable or lacks a column.
    """
    if stage not in STAGES:
        raise UsageError(f"unknown stage {stage!r}", hint=f"one of {', '.join(sorted(STAGES))}")
    for option, value in (("--pairs", pairs), ("--threshold", threshold)):
        if value is not None and stage != DUPLICATES:
            raise UsageError(f"{option} is not for the stage {stage!r}", hint=f"it belongs to {DUPLICATES!r}")
    _refuse_one_file_twice({"IN": source, "OUT": target, "--pairs": pairs})
    if stage != DUPLICATES:
        return _write({target: STAGES[stage](read_input(source))})
    settings = _settings(threshold)
    if pairs is None:
        return _write({target: deduplication.inspect(read_input(source), settings)})
    rows, found = deduplication.inspect_pairs(read_input(source), settings)
    return _write({target: rows, pairs: found})


def _settings(threshold: float | None) -> deduplication.Settings:
    if threshold is None:
        return deduplication.Settings()
    try:
        return deduplication.Settings(threshold=threshold)
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(
            f"--threshold {threshold:g}: {problem}", hint="give an exact Jaccard above 0 and at most 1, such as 0.7"
        ) from None


def _refuse_one_file_twice(files: Mapping[str, str | Path | None]) -> None:
    seen: dict[Path, str] = {}
    for name, file in files.items():
        if file is not None and (other := seen.setdefault(Path(file).resolve(), name)) != name:
            raise UsageError(f"{other} and {name} are one file: {file}", hint="name another file to write")


def _write(results: Mapping[str | Path, pa.Table]) -> int:
    """Write each table, all or none of them; returns the rows of the first."""
    with contextlib.ExitStack() as stack:
        for target, table in results.items():
            pq.write_table(table, stack.enter_context(write_atomically(target)), compression="zstd")
    return int(next(iter(results.values())).num_rows)


def read_input(source: str | Path) -> pa.Table:
    """INPUT's columns from `source`; paths may be text or bytes, contents bytes or text."""
    try:
        table = pq.read_table(source)
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"cannot read {source}: {error}", hint="expected a Parquet file") from error
    missing = [name for name in INPUT.names if name not in table.column_names]
    if missing:
        raise ConfigError(f"{source} lacks the columns {missing}", hint="expected id, path and content (binary)")
    ids = table["id"].cast(pa.string())
    return pa.table(
        {
            "id": ids,
            "path": table["path"].cast(pa.binary()),
            "content": table["content"].cast(pa.large_binary()),
        }
    )
