"""A selection of a release: which shards to read, which rows of them, which columns.

Shards are chosen by the manifest alone, never by looking into folders. Rows come in the order of the
shards' paths, then in their order in the shard: a total order that every run repeats.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import polars as pl

from foundation import spdx
from foundation.canonical import sha256_file
from foundation.errors import IntegrityError, UsageError
from manifests.manifest import Manifest
from manifests.names import check_columns, glob_matches, nearest
from manifests.nouns import Shard
from manifests.tables import TableFile

NO_LANGUAGE_ALIAS = "none"
_HINT = "run `gristmill release verify` to list all damage, then restore those files"

Expressions: TypeAlias = "dict[str, set[str | None]]"


@dataclasses.dataclass(frozen=True)
class Selection:
    """Rows of a release: `shards` to read, `predicate` on their rows (None: all), `columns` to return."""

    root: Path
    manifest: Manifest
    shards: tuple[Shard, ...]
    predicate: pl.Expr | None
    columns: tuple[str, ...]
    checked: bool

    @property
    def rows(self) -> int:
        """Rows of the chosen shards, before the predicate."""
        return sum(shard.rows for shard in self.shards)

    def lazy(self) -> pl.LazyFrame:
        """The selection as one lazy frame; every chosen shard's bytes are checked before this returns."""
        if not self.shards:
            return self._empty()
        return self._narrow([self._path(shard) for shard in self.shards]).select(self.columns)

    def count(self) -> int:
        """How many rows match; reads only the predicate's columns."""
        if self.predicate is None or not self.shards:
            return self.rows
        paths = [self._path(shard) for shard in self.shards]
        counted = _collect(self._narrow(paths).select(pl.len()))
        self._recheck(self.shards)
        return int(counted.item())

    def frames(self, *, limit: int | None = None) -> Iterator[pl.DataFrame]:
        """The matching rows, one frame a shard, `limit` in all; memory is one shard's matching rows.

        Bytes are checked before a shard is read, and that they are the same file after it.
        """
        left = limit
        for shard in self.shards:
            if left is not None and left <= 0:
                return
            rows = self._narrow([self._path(shard)]).select(self.columns)
            found = _collect(rows if left is None else rows.head(left))
            self._recheck((shard,))
            left = None if left is None else left - found.height
            if found.height:
                yield found

    def where(self, predicate: pl.Expr, *, origins: Sequence[str] | None = None) -> Selection:
        """The same, narrowed by a predicate of the caller's; `origins` skips shards that can hold none of them."""
        both = predicate if self.predicate is None else self.predicate & predicate
        shards = self.shards
        if origins is not None:
            shards = tuple(
                shard for shard in shards if any(shard.min_origin <= item <= shard.max_origin for item in origins)
            )
        return dataclasses.replace(self, shards=shards, predicate=both)

    def collect(self, *, limit: int | None = None) -> pl.DataFrame:
        """All matching rows (at most `limit`) as one frame."""
        frames = list(self.frames(limit=limit))
        return pl.concat(frames) if frames else self._empty().collect()

    def _narrow(self, paths: Sequence[Path]) -> pl.LazyFrame:
        scanned = pl.scan_parquet(list(paths), glob=False, hive_partitioning=False)
        return scanned if self.predicate is None else scanned.filter(self.predicate)

    def _path(self, shard: Shard) -> Path:
        path = self.root / shard.path
        if self.checked:
            check_shard(path, shard)
        return path

    def _recheck(self, shards: Iterable[Shard]) -> None:
        for shard in shards:
            self._path(shard)

    def _empty(self) -> pl.LazyFrame:
        from foundation.frames import frame
        from foundation.schema import RELEASE

        return frame(RELEASE.empty_table()).lazy().select(self.columns)


def choose(
    root: Path,
    manifest: Manifest,
    *,
    languages: Sequence[str] | None,
    licences: Sequence[str] | None,
    repositories: Sequence[str] | None,
    columns: Sequence[str] | None,
    checked: bool,
) -> Selection:
    """The selection that the given names ask for; None asks for all. UsageError for unknown names."""
    names = manifest.schema_names()
    chosen = check_columns(names if columns is None else columns, names)
    shards = manifest.shards
    predicates: list[pl.Expr] = []
    if languages is not None:
        wanted = {resolve_language(name, manifest) for name in languages}
        shards = tuple(shard for shard in shards if shard.language in wanted)
    if licences is not None:
        expressions = matching_expressions(licences, manifest)
        shards = tuple(shard for shard in shards if _shares(shard, expressions))
        predicates += _licence_predicate(expressions, shards)
    if repositories is not None:
        shards = shards if repositories else ()
        predicates += _any([glob_matches("repo_name", glob) for glob in repositories])
    predicate = functools.reduce(pl.Expr.and_, predicates) if predicates else None
    return Selection(root, manifest, shards, predicate, chosen, checked)


def resolve_language(name: str, manifest: Manifest) -> str | None:
    """The manifest's spelling of a language, letter case ignored; `none` is the undecided rows (null)."""
    known = {item.language.casefold(): item.language for item in manifest.languages if item.language is not None}
    if name.casefold() in known:
        return known[name.casefold()]
    undecided = any(item.language is None for item in manifest.languages)
    if undecided and name.casefold() == NO_LANGUAGE_ALIAS:
        return None
    options = [*known.values(), *([NO_LANGUAGE_ALIAS] if undecided else [])]
    raise UsageError(f"no language {name!r} in {manifest.name}@{manifest.version}", hint=nearest(name, options))


def matching_expressions(licences: Sequence[str], manifest: Manifest) -> Expressions:
    """The expressions of the manifest that any of the licence queries accepts, by licence class."""
    queries = [spdx.query(text) for text in licences]
    accepted: Expressions = defaultdict(set)
    for item in manifest.licences:
        if any(query.matches(item.expression, item.license_type) for query in queries):
            accepted[item.license_type].add(item.expression)
    return dict(accepted)


def _shares(shard: Shard, accepted: Expressions) -> bool:
    wanted = accepted.get(shard.license_type, set())
    return any(item.expression in wanted for item in shard.licences)


def _licence_predicate(accepted: Expressions, shards: Sequence[Shard]) -> list[pl.Expr]:
    """No predicate when the chosen shards hold accepted expressions only."""
    if all(item.expression in accepted[shard.license_type] for shard in shards for item in shard.licences):
        return []
    either = []
    for kind, expressions in sorted(accepted.items()):
        named = pl.Series(sorted(name for name in expressions if name is not None), dtype=pl.String).implode()
        matches = pl.col("licence_expression").is_in(named).fill_null(value=None in expressions)
        either.append((pl.col("license_type") == kind) & matches)
    return _any(either)


def _any(predicates: Sequence[pl.Expr]) -> list[pl.Expr]:
    return [functools.reduce(pl.Expr.or_, predicates)] if predicates else []


def check_shard(path: Path, shard: Shard | TableFile) -> None:
    """IntegrityError unless the file holds exactly the manifest's bytes; hashed once while it is unchanged."""
    try:
        stat = path.stat()
        identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        _check_bytes(path, identity, shard.sha256)
    except OSError as error:
        raise IntegrityError(f"cannot read {path}: {error.strerror}", hint=_HINT) from error


@functools.lru_cache(maxsize=1 << 16)
def _check_bytes(path: Path, identity: tuple[int, ...], expected: str) -> None:
    """Remembers files found whole; `identity` changes whenever the file does."""
    del identity
    found = sha256_file(path)
    if found != expected:
        raise IntegrityError(f"{path} is damaged: its SHA-256 is {found}, the manifest says {expected}", hint=_HINT)


def _collect(rows: pl.LazyFrame) -> pl.DataFrame:
    try:
        return rows.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise IntegrityError(f"cannot read the release: {type(error).__name__}: {error}", hint=_HINT) from error
