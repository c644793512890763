"""Repository metadata: the optional Parquet file beside an archive, as Gristmill reads it.

Output (METADATA_SCHEMA), one row a row of the file, in its order:
    url              string       as the file spells it; null when only full_name is given
    github_id        int64        the forge's numeric id
    full_name        string       owner/name today
    former_names     list<string> names it had before
    default_branch   string
    stars, forks     int64
    fork_of          string
    created_at       timestamp[us, UTC]
    declared_licence string       SPDX id the forge states (`gha_license_spdx` is the same column's older name)
Only `url` or `full_name` must be there; other columns may be absent (null), more columns are ignored.
"""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from foundation.errors import ConfigError
from foundation.schema import TIMESTAMP
from foundation.storage import S3Settings, open_store

METADATA_SCHEMA = pa.schema(
    [
        ("url", pa.string()),
        ("github_id", pa.int64()),
        ("full_name", pa.string()),
        ("former_names", pa.list_(pa.string())),
        ("default_branch", pa.string()),
        ("stars", pa.int64()),
        ("forks", pa.int64()),
        ("fork_of", pa.string()),
        ("created_at", TIMESTAMP),
        ("declared_licence", pa.string()),
    ]
)

FILE_NAME = "repositories.parquet"
_ALIASES = {"declared_licence": ("declared_licence", "gha_license_spdx")}


def read_metadata(uri: str, *, s3: S3Settings | None = None) -> pa.Table:
    """The repositories file at `uri` (a path, `file://` or `s3://`), as METADATA_SCHEMA.

    Raises ConfigError naming the file, and the column where one has another type than declared.
    """
    data = read_bytes(uri, s3=s3)
    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"{uri} is not a readable Parquet file: {error}", hint=_hint()) from error
    if not {"url", "full_name"} & set(table.column_names):
        raise ConfigError(f"{uri} has neither column url nor full_name, but {table.column_names}", hint=_hint())
    return pa.table([_column(table, field, uri) for field in METADATA_SCHEMA], schema=METADATA_SCHEMA)


def read_bytes(uri: str, *, s3: S3Settings | None = None) -> bytes:
    """The file's bytes; ConfigError if there is none."""
    folder, _, name = uri.rpartition("/")
    try:
        return open_store(folder or ("/" if uri.startswith("/") else "."), s3=s3).read(name)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no metadata file {uri}", hint="check the path, or leave it out") from error


def _column(table: pa.Table, field: pa.Field, uri: str) -> pa.ChunkedArray | pa.Array:
    for name in _ALIASES.get(field.name, (field.name,)):
        if name in table.column_names:
            return _cast(table[name], field, f"{uri}: column {name}")
    return pa.nulls(table.num_rows, field.type)


def _cast(column: pa.ChunkedArray, field: pa.Field, where: str) -> pa.ChunkedArray:
    kind = column.type
    if kind == field.type or pa.types.is_null(kind):
        return column.cast(field.type)
    try:
        if _alike(kind, field.type):
            return column.cast(field.type)
    except pa.ArrowException as error:
        raise ConfigError(f"{where} does not fit {field.type}: {error}", hint=_hint()) from error
    raise ConfigError(f"{where} is {kind}, expected {field.type}", hint=_hint())


def _alike(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether `found` differs from `wanted` in width or encoding only; text is never taken for a number."""
    types = pa.types
    if types.is_dictionary(found):
        return _alike(found.value_type, wanted)
    if types.is_list(wanted):
        return (types.is_list(found) or types.is_large_list(found)) and _alike(found.value_type, wanted.value_type)
    if types.is_string(wanted):
        return bool(types.is_string(found) or types.is_large_string(found) or types.is_string_view(found))
    if types.is_timestamp(wanted):
        return bool(types.is_timestamp(found) or types.is_date(found))
    return bool(types.is_integer(wanted) and types.is_integer(found))


def _hint() -> str:
    fields = ", ".join(f"{field.name} {field.type}" for field in METADATA_SCHEMA)
    return f"expected columns, all optional but url or full_name: {fields}"
