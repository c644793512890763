"""Publishing: staged shards and tables become `releases/<name>/<version>/`, at once or not at all.

The release is assembled in `releases/<name>/.tmp-<version>/` (shards are hard-linked there, or copied
when staging is on another file system), every file and folder is synced, children before parents, and
one rename publishes it. Staging is left as it is, so that a build that is killed afterwards finds its
finished shards again.

Invariants: a version that exists is never changed; the same facts and shards give the same bytes;
after a kill at any moment the version is either absent or whole, and the same call finishes the work.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from pydantic import JsonValue, ValidationError

from foundation.canonical import Json, differing_fields, fingerprint, merkle_root, sha256_bytes
from foundation.errors import ConflictError, IntegrityError, InternalError, StorageError, UsageError
from foundation.layout import SHARD_PATH, TABLE_PATH, TABLES
from foundation.schema import RELEASE
from foundation.storage import write_atomic
from foundation.storage.atomic import TEMP_PREFIX, storage_error
from manifests.documents import render
from manifests.manifest import (
    MANIFEST,
    SUMS,
    Manifest,
    ManifestBody,
    check_identity,
    data_files,
    first_problem,
    load_manifest,
    seal,
)
from manifests.nouns import (
    FunnelStage,
    Provenance,
    Redacted,
    Registry,
    Shard,
    tally_languages,
    tally_licences,
    tally_totals,
)
from manifests.summary import Redactions, columns_of, summarise, total
from manifests.tables import Table, tables_of
from manifests.verify import verify

_LOCK = ".publish.lock"
_LINK_REFUSED = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES)


@dataclasses.dataclass(frozen=True)
class ReleaseFacts:
    """What a build knows of its release and the shards do not say.

    `archive` is the archive's identity, `parameters` free-form (shingle definition …): JSON objects.
    `funnel` is in the order of the flow; its last stage keeps the release's rows. `checksums`, when
    given, maps the path of each shard and table part to the SHA-256 its writer recorded. `table_parts`
    is the number of parts of each table that the release has beside its shards (foundation.layout.TABLES).
    """

    name: str
    version: str
    recipe: Mapping[str, Json]
    archive: Mapping[str, Json]
    tools: Mapping[str, str]
    registry_sequence: int
    registry_log_head: str
    policies: Mapping[str, str]
    funnel: Sequence[FunnelStage]
    parameters: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    checksums: Mapping[str, str] | None = None
    table_parts: Mapping[str, int] = dataclasses.field(default_factory=dict)


def publish(staging: Path, releases: Path, facts: ReleaseFacts) -> Path:
    """Publish what is staged; returns the folder `releases/<name>/<version>`.

    Staged are the shards `staging/data/**.parquet` and, for each of `facts.table_parts`, the parts of that table
    `staging/<table>/*.parquet`.

    An identical version that exists already is returned as it is. Raises ConfigError for a name or
    version that cannot be, ConflictError when the version exists with other bytes or is being
    published, IntegrityError when a shard or the existing version is damaged, StorageError when the disk refuses,
    InternalError when the counts do not add up.
    """
    check_identity(facts.name, facts.version)
    home = Path(releases, facts.name)
    target, candidate = home / facts.version, home / f"{TEMP_PREFIX}{facts.version}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            _remove(candidate)
            try:
                manifest = _assemble(Path(staging), candidate, facts)
                if target.is_dir() and any(target.iterdir()):
                    _check_identical(target, manifest)
                else:
                    candidate.rename(target)
                    _sync(home)
                    _sync(home.parent)
            finally:
                _remove(candidate)
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(error, target) from error
    return target


def _assemble(staging: Path, candidate: Path, facts: ReleaseFacts) -> Manifest:
    """Fill `candidate` with the whole release and sync it."""
    paths, listed = _staged_shards(staging), _staged_tables(staging, wanted=facts.table_parts)
    candidate.mkdir()
    for path in (*paths, *listed):
        _link_or_copy(staging / path, candidate / path)
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        found = list(pool.map(lambda path: summarise(candidate / path, path), paths))
    shards = tuple(shard for shard, _ in found)
    tables = tables_of(candidate, listed, facts.table_parts)
    _check_checksums(data_files(shards, tables), facts.checksums)
    body = _body(facts, shards, tables, total(counts for _, counts in found))
    documents = render(body)
    manifest = seal(body, {path: sha256_bytes(data) for path, data in documents.items()})
    for path, data in {**documents, MANIFEST: manifest.to_bytes(), SUMS: manifest.sums()}.items():
        write_atomic(candidate / path, data)
    _sync_tree(candidate)
    return manifest


def _staged_shards(staging: Path) -> list[str]:
    """Paths of the staged shards, sorted; hidden files (records, temp files) are not part of a release."""
    if not staging.is_dir():
        raise UsageError(f"no staged shards at {staging}", hint="run the build again: it writes them first")
    return _staged(staging, "data", SHARD_PATH, what="shard")


def _staged_tables(staging: Path, *, wanted: Collection[str]) -> list[str]:
    """Paths of the staged parts of tables, sorted; InternalError when there is one of a table that is not `wanted`."""
    found = [path for table in TABLES for path in _staged(staging, table, TABLE_PATH, what="part of a table")]
    strange = [path for path in found if path.partition("/")[0] not in wanted]
    if strange:
        table = strange[0].partition("/")[0]
        raise InternalError(f"{strange[0]!r} is staged in {staging}, but the release is to have no table {table!r}")
    return found


def _staged(staging: Path, folder: str, pattern: re.Pattern[str], *, what: str) -> list[str]:
    found = []
    for path in (staging / folder).rglob("*"):
        relative = path.relative_to(staging).as_posix()
        if path.name.startswith(".") or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink() or not path.is_file() or not pattern.fullmatch(relative):
            raise InternalError(f"{relative!r} in {staging} is no {what}", hint="remove the folder and build again")
        found.append(relative)
    return sorted(found)


def _body(
    facts: ReleaseFacts, shards: tuple[Shard, ...], tables: tuple[Table, ...], redactions: Redactions
) -> ManifestBody:
    recipe = cast("dict[str, JsonValue]", dict(facts.recipe))
    try:
        return ManifestBody(
            name=facts.name,
            version=facts.version,
            created_from=Provenance(
                recipe=recipe,
                recipe_fingerprint=fingerprint(facts.recipe),
                archive=cast("dict[str, JsonValue]", dict(facts.archive)),
                tools=dict(facts.tools),
                registry=Registry(sequence=facts.registry_sequence, log_head=facts.registry_log_head),
                policies=dict(facts.policies),
                parameters=cast("dict[str, JsonValue]", dict(facts.parameters)),
            ),
            columns=columns_of(RELEASE),
            funnel=tuple(facts.funnel),
            shards=shards,
            tables=tables,
            languages=tally_languages(shards),
            licences=tally_licences(shards),
            redactions=dict(redactions.kinds),
            redacted=Redacted(files=redactions.files, paths=redactions.paths, detectors=dict(redactions.detectors)),
            totals=tally_totals(shards),
            merkle_root=merkle_root(data_files(shards, tables)),
        )
    except ValidationError as error:
        raise InternalError(f"the release's manifest would be wrong: {first_problem(error)}") from error


def _check_checksums(found: Mapping[str, str], expected: Mapping[str, str] | None) -> None:
    if expected is None:
        return
    wrong = sorted(path for path in {*found, *expected} if found.get(path) != expected.get(path))
    if wrong:
        raise IntegrityError(
            f"staged files are not what was written: {', '.join(wrong[:5])} ({len(wrong)} in all)",
            hint="remove the staging folder and run the build again",
        )


def _check_identical(target: Path, manifest: Manifest) -> None:
    """ConflictError unless `target` is this very release, IntegrityError if it is but is damaged."""
    found = load_manifest(target)
    if found != manifest:
        lines = differing_fields(found.to_json(), manifest.to_json())
        raise ConflictError(
            f"release {manifest.name}@{manifest.version} exists with other content: " + "; ".join(lines[:5]),
            hint="releases are immutable: give the recipe a new version",
        )
    problems = verify(target).problems
    if problems:
        raise IntegrityError(
            f"release {target} exists and is damaged: {problems[0].file} ({problems[0].kind})",
            hint="run `gristmill release verify` on it, remove it, and build again",
        )


def _link_or_copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _LINK_REFUSED:
            raise
        shutil.copyfile(source, target)


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the release's lock; the kernel drops it when the process ends, however it ends."""
    with open(home / _LOCK, "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(f"{home} is being published to", hint="wait for the other build to end") from None
        yield


def _remove(candidate: Path) -> None:
    if candidate.exists():
        shutil.rmtree(candidate)


def _sync_tree(folder: Path) -> None:
    """fsync every file and folder below `folder` and itself, children first."""
    for root, _, files in os.walk(folder, topdown=False):
        for name in files:
            _sync(Path(root, name))
        _sync(Path(root))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
