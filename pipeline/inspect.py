"""One analysis stage on a user's own files: Parquet in (`id`, `path`, `content`), Parquet out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from foundation.errors import ConfigError, UsageError
from foundation.storage import write_atomically
from stages import deduplication, languages, licences, quality, redaction

INPUT = pa.schema([("id", pa.string()), ("path", pa.string()), ("content", pa.binary())])

STAGES: Mapping[str, Callable[[pa.Table], pa.Table]] = MappingProxyType(
    {
        "languages": languages.inspect,
        "licences": licences.inspect,
        "redaction": redaction.inspect,
        "quality": quality.inspect,
        "duplicates": lambda table: deduplication.inspect(table, deduplication.Settings()),
    }
)


def inspect(stage: str, source: str | Path, target: str | Path) -> int:
    """Run `stage` on the rows of the Parquet file `source`, write its table to `target`; returns the rows written.

    Raises UsageError for an unknown stage, ConfigError when the input is unreadable or lacks a column.
    """
    if stage not in STAGES:
        raise UsageError(f"unknown stage {stage!r}", hint=f"one of {', '.join(sorted(STAGES))}")
    result = STAGES[stage](read_input(source))
    with write_atomically(target) as temp:
        pq.write_table(result, temp, compression="zstd")
    return int(result.num_rows)


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
