"""The manifest: everything a release states about itself, in one canonical JSON file.

Top-level keys: format, format_version, name, version, created_from, columns, funnel, shards, tables,
languages, licences, redactions, redacted, totals, merkle_root, documents, self_sha256. Releases made before it was
counted have no `redacted`.

Invariants, checked whenever a manifest is made or loaded:
- the funnel adds up at every stage (in = kept + dropped), stages of one unit chain (in = kept before),
  and the last stage keeps as many as the release has rows;
- shards are in path order, lie where their licence class and language say, and their rows, bytes and
  licence counts add up to the tables and totals;
- `tables` are in order, their parts lie where their number says, and they agree with each other and with the
  release, as `manifests.tables` says;
- spans by kind (`redactions`) and by detector (`redacted`) are equally many, in no more rows than there are;
- `merkle_root` covers every shard's and table part's path and SHA-256; `documents` the other files' SHA-256;
- `self_sha256` is the SHA-256 of the canonical JSON of all other keys, so that damage to the manifest
  shows without any other file;
- nothing in it comes from a clock: the same build gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self, cast

from pydantic import ValidationError, model_validator

from foundation.canonical import Json, canonical_json, merkle_root, readable_json, sha256_bytes
from foundation.errors import ConfigError, IntegrityError
from manifests.nouns import (
    Column,
    FunnelStage,
    LanguageTally,
    LicenceTally,
    Noun,
    Positive,
    Provenance,
    Redacted,
    Sha256,
    Shard,
    Totals,
    check_order,
    tally_languages,
    tally_licences,
    tally_totals,
)
from manifests.tables import Table, check_tables

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


class ManifestBody(Noun):
    """All that the release's documents are rendered from."""

    format: Literal["gristmill-release"] = "gristmill-release"
    format_version: Literal[3] = 3  # 2: repository tables; 3: tables of evidence
    name: str
    version: str
    created_from: Provenance
    columns: tuple[Column, ...]
    funnel: tuple[FunnelStage, ...]
    shards: tuple[Shard, ...]
    tables: tuple[Table, ...]
    languages: tuple[LanguageTally, ...]
    licences: tuple[LicenceTally, ...]
    redactions: dict[str, Positive]
    redacted: Redacted | None = None
    totals: Totals
    merkle_root: Sha256

    @model_validator(mode="after")
    def check_identity(self) -> Self:
        """Name and version are path-safe and well-formed."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} is not [A-Za-z0-9][A-Za-z0-9._-]*")
        if not _VERSION.fullmatch(self.version):
            raise ValueError(f"version {self.version!r} is not <major>.<minor>.<patch>")
        return self

    @model_validator(mode="after")
    def check_funnel_chains(self) -> Self:
        """A stage receives what the stage before it (of the same unit) kept; the last keeps the rows."""
        kept: dict[str, FunnelStage] = {}
        for stage in self.funnel:
            before = kept.get(stage.unit)
            if before and before.kept != stage.entered:
                raise ValueError(f"stage {stage.stage!r}: in {stage.entered} ≠ {before.kept} kept by {before.stage!r}")
            kept[stage.unit] = stage
        if self.funnel and self.funnel[-1].kept != self.totals.rows:
            last = self.funnel[-1]
            raise ValueError(f"stage {last.stage!r} kept {last.kept}, but the release has {self.totals.rows} rows")
        return self

    @model_validator(mode="after")
    def check_shards_and_tables(self) -> Self:
        """Shards are in path order; tables, totals and Merkle root are those of the shards."""
        check_order((shard.path for shard in self.shards), "shards")
        if merkle_root(data_files(self.shards, self.tables)) != self.merkle_root:
            raise ValueError("merkle_root is not the root over the shards and tables")
        if tally_languages(self.shards) != self.languages:
            raise ValueError("languages do not agree with shards")
        if tally_licences(self.shards) != self.licences:
            raise ValueError("licences do not agree with shards")
        if tally_totals(self.shards) != self.totals:
            raise ValueError("totals do not agree with shards")
        known = sum(item.language is not None for item in self.languages)
        check_tables(self.tables, rows=self.totals.rows, languages=known)
        return self

    @model_validator(mode="after")
    def check_redacted(self) -> Self:
        """Spans add up alike by kind and by detector."""
        if self.redacted is None:
            return self
        spans, found = sum(self.redactions.values()), self.redacted
        if sum(found.detectors.values()) != spans:
            raise ValueError(f"redacted.detectors do not add up to {spans} spans")
        if max(found.files, found.paths) > self.totals.rows or found.files > spans:
            raise ValueError(f"redacted: more files than there are rows ({self.totals.rows}) or spans ({spans})")
        return self

    def table(self, name: str) -> Table | None:
        """The table `name` (a key of foundation.layout.TABLES); None when the release is made without it."""
        return next((table for table in self.tables if table.name == name), None)


class Manifest(ManifestBody):
    """A whole manifest; `documents` maps every other file but SHA256SUMS and the manifest to its SHA-256."""

    documents: dict[str, Sha256]
    self_sha256: Sha256

    @model_validator(mode="after")
    def check_self_sha256(self) -> Self:
        """The manifest's own checksum covers all its other keys."""
        if _own_sha256(self) != self.self_sha256:
            raise ValueError("self_sha256 is not the checksum of the other keys")
        return self

    def to_json(self) -> dict[str, Json]:
        """The manifest as JSON values; `redacted` only where it was counted."""
        document = cast("dict[str, Json]", self.model_dump(mode="json"))
        if self.redacted is None:
            del document["redacted"]
        return document

    def to_bytes(self) -> bytes:
        """The bytes of manifest.json."""
        return readable_json(self.to_json())

    def checksums(self) -> dict[str, str]:
        """SHA-256 (hex) of every file that the manifest covers: path → digest, in path order."""
        return dict(sorted({**self.documents, **data_files(self.shards, self.tables)}.items()))

    def sizes(self) -> dict[str, int]:
        """Size in bytes of every shard and table part, by path."""
        parts = {part.path: part.bytes for table in self.tables for part in table.files}
        return {shard.path: shard.bytes for shard in self.shards} | parts

    def sums(self) -> bytes:
        """The bytes of SHA256SUMS (coreutils' format): every file but itself, in path order."""
        digests = {**self.checksums(), MANIFEST: sha256_bytes(self.to_bytes())}
        return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items())).encode()

    def schema_names(self) -> list[str]:
        """Names of the columns, in the shards' order."""
        return [column.name for column in self.columns]


def data_files(shards: Sequence[Shard], tables: Sequence[Table]) -> dict[str, str]:
    """SHA-256 (hex) by path of all that a release's Merkle root covers."""
    parts = {part.path: part.sha256 for table in tables for part in table.files}
    return {shard.path: shard.sha256 for shard in shards} | parts


def seal(body: ManifestBody, documents: Mapping[str, str]) -> Manifest:
    """The manifest of `body` with its documents' checksums and its own."""
    fields = {name: getattr(body, name) for name in ManifestBody.model_fields}
    draft = Manifest.model_construct(**fields, documents=dict(documents), self_sha256="")
    return Manifest(**fields, documents=dict(documents), self_sha256=_own_sha256(draft))


def parse_manifest(data: bytes, *, where: str) -> Manifest:
    """The manifest in `data`; IntegrityError names `where`, the key and what is wrong with it."""
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise IntegrityError(f"{where}: {first_problem(error)}", hint=_RESTORE) from None
    if manifest.to_bytes() != data:
        raise IntegrityError(f"{where}: not in canonical form (keys sorted, two spaces, no duplicates)", hint=_RESTORE)
    return manifest


def load_manifest(release: str | Path) -> Manifest:
    """The manifest of the release folder `release`; ConfigError if it is none, IntegrityError if damaged."""
    path = Path(release, MANIFEST)
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"{release} is not a release: it has no {MANIFEST}", hint="expected a folder releases/<name>/<version>"
        ) from None
    except OSError as error:
        raise IntegrityError(f"cannot read {path}: {error.strerror}", hint=_RESTORE) from error
    return parse_manifest(data, where=str(path))


def check_identity(name: str, version: str) -> None:
    """ConfigError unless `name` is path-safe and `version` is strictly `<major>.<minor>.<patch>`."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"release name {name!r} cannot be a folder",
            hint="use letters, digits, '.', '_' and '-'; the first a letter or digit",
        )
    if not _VERSION.fullmatch(version):
        raise ConfigError(f"release version {version!r} is not <major>.<minor>.<patch>", hint="for example 1.0.0")


def first_problem(error: ValidationError) -> str:
    """`key: message` of the first problem pydantic found, without the offending input."""
    problem = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message


_RESTORE = "the file is damaged; restore the release from a good copy, then run `gristmill release verify`"


def _own_sha256(manifest: Manifest) -> str:
    return sha256_bytes(canonical_json({key: item for key, item in manifest.to_json().items() if key != "self_sha256"}))
