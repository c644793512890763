"""Where a statement holds: directories, sidecars and globs, worked out from paths with polars.

Paths are handled as text; bytes that are not UTF-8 become `\\xNN`, for this purpose only. A directory is
written without a slash at its end; the root is the empty string.
"""

from __future__ import annotations

import re

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

# Folders that keep the papers of the folder above them.
_PAPERS = (
    r"^(?:(.*?)/)??(?:[^/]+\.(?:dist-info|egg-info)(?:/.*)?|debian|\.reuse|META-INF(?:/maven(?:/.*)?)?"
    r"|(?i:li[cs]en[cs]es?))$"
)
_SINGLE_LICENCES = r"^(?:(.*)/)?(?i:li[cs]en[cs]es?)/([^/]+?)(?:\.txt|\.md|\.rst|\.html?)?$"


def as_text(paths: pl.Series) -> pl.Series:
    """Binary paths as strings; invalid UTF-8 backslash-escaped."""
    raw = paths.cast(pl.Binary).to_arrow().cast(pa.binary())
    strange = pc.fill_null(pc.match_substring_regex(raw, r"[\x80-\xff]"), fill_value=False)
    plain = pc.if_else(strange, pa.scalar(b"", pa.binary()), raw).cast(pa.string())
    decoded = [path.decode("utf-8", "backslashreplace") for path in raw.filter(strange).to_pylist()]
    if decoded:
        plain = pc.replace_with_mask(plain, strange, pa.array(decoded, pa.string()))
    return pl.Series(paths.name, plain, dtype=pl.String)


def directory(path: pl.Expr) -> pl.Expr:
    """The directory that holds `path`."""
    return (
        pl.when(path.str.contains("/", literal=True)).then(path.str.replace(r"(?s)/[^/]*$", "")).otherwise(pl.lit(""))
    )


def base_name(path: pl.Expr) -> pl.Expr:
    """The last part of `path`."""
    return path.str.replace(r"(?s)^.*/", "")


def place(path: pl.Expr) -> pl.Expr:
    """The directory that a statement in the file `path` is about: its own, or the one whose papers it lies among."""
    parent = directory(path)
    papers = parent.str.contains("(?s)" + _PAPERS)
    return pl.when(papers).then(parent.str.extract("(?s)" + _PAPERS, 1).fill_null("")).otherwise(parent)


def shelf_id(path: pl.Expr) -> pl.Expr:
    """The name of a text on a licence shelf (`LICENSES/MIT.txt` → `MIT`); null elsewhere."""
    return path.str.extract("(?s)" + _SINGLE_LICENCES, 2)


def tops(occurrences: pl.DataFrame) -> pl.DataFrame:
    """(origin, top): the single folder that holds all of an origin's files, as in source archives, else the root."""
    first = pl.col("text").str.extract(r"(?s)^([^/]+)/", 1)
    return occurrences.group_by("origin").agg(
        top=pl.when(first.is_null().any() | (first.n_unique() > 1)).then(pl.lit("")).otherwise(first.min())
    )


def nearest(directories: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """(origin, directory, place): the closest `place` of `known` (origin, place) at or above each directory.

    Directories without any are left out. One join a level of depth, over what is still open.
    """
    open_ = directories.select("origin", "directory", at="directory")
    marked = known.select("origin", at="place").unique().with_columns(hit=pl.lit(value=True))
    found = []
    while open_.height:
        joined = open_.join(marked, on=["origin", "at"], how="left", maintain_order="left")
        found.append(joined.filter(pl.col("hit")).select("origin", "directory", place="at"))
        left = joined.filter(pl.col("hit").is_null() & (pl.col("at") != ""))
        open_ = left.select("origin", "directory", at=directory(pl.col("at")))
    if not found:
        return directories.select("origin", "directory", place="directory").clear()
    return pl.concat(found)


def glob_pattern(glob: str, *, crosses: bool) -> str:
    """A DEP-5 or REUSE glob as an anchored regular expression; `crosses`: a single `*` matches `/` too (DEP-5)."""
    pattern, at = "", 0
    while at < len(glob):
        char = glob[at]
        if char == "\\" and at + 1 < len(glob):
            at += 1
            pattern += re.escape(glob[at])
        elif glob.startswith("**", at):
            at += 1
            pattern += ".*"
        elif char == "*":
            pattern += ".*" if crosses else "[^/]*"
        elif char == "?" and crosses:
            pattern += "."
        else:
            pattern += re.escape(char)
        at += 1
    return f"(?s)^{pattern}$"
