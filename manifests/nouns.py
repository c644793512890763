"""What a manifest is made of: provenance, funnel stages, shards and tallies, as frozen strict models.

Counts are rows unless a name says bytes. `bytes` of a tally are those of the original contents
(`length_bytes`), as read from the archive; `bytes` of a shard is the size of its file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from foundation.canonical import Json, fingerprint
from foundation.layout import SHARD_PATH, language_slug

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
LicenseType = Literal["permissive", "non_permissive", "no_license"]


class Noun(BaseModel):
    """Base of every model here: frozen, strict about types, refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_name=True, serialize_by_alias=True)


class Registry(Noun):
    """The state of the opt-out registry that the release honours: sequence number and head of its log."""

    sequence: Count
    log_head: str


class Provenance(Noun):
    """What the release was made from; `parameters` is free-form (shingle definition, thresholds …)."""

    recipe: dict[str, JsonValue]
    recipe_fingerprint: Sha256
    archive: dict[str, JsonValue]
    tools: dict[str, str]
    registry: Registry
    policies: dict[str, str]
    parameters: dict[str, JsonValue]

    @model_validator(mode="after")
    def check_recipe_fingerprint(self) -> Self:
        """The fingerprint is that of the recipe."""
        if fingerprint(cast("Json", self.recipe)) != self.recipe_fingerprint:
            raise ValueError("recipe_fingerprint is not the fingerprint of recipe")
        return self


class FunnelStage(Noun):
    """How many `unit`s entered a stage (`in` in JSON), were kept, and were dropped, by reason code."""

    stage: str
    unit: str = "contents"
    entered: Count = Field(validation_alias="in", serialization_alias="in")
    kept: Count
    dropped: dict[str, Positive]

    @model_validator(mode="after")
    def check_counts_add_up(self) -> Self:
        """in = kept + all dropped."""
        dropped = sum(self.dropped.values())
        if self.entered != self.kept + dropped:
            raise ValueError(f"stage {self.stage!r}: in {self.entered} ≠ kept {self.kept} + dropped {dropped}")
        return self


class Column(Noun):
    """One column of every shard: name and Arrow type as text."""

    name: str
    type: str


class ExpressionCount(Noun):
    """Rows and bytes of original contents under one licence expression of a shard (null: none was found)."""

    expression: str | None
    rows: Positive
    bytes: Count


class Shard(Noun):
    """One Parquet file: `bytes` is its size, `source_bytes` the sum of its rows' `length_bytes`.

    All rows share `language` and `license_type`.
    """

    path: str
    sha256: Sha256
    rows: Positive
    bytes: Positive
    source_bytes: Count
    language: str | None
    license_type: LicenseType
    min_origin: str
    max_origin: str
    licences: tuple[ExpressionCount, ...]

    @model_validator(mode="after")
    def check_path_and_rows(self) -> Self:
        """The path says licence class and language, and the licence counts are in order and add up."""
        found = SHARD_PATH.fullmatch(self.path)
        if not found or found.group(1) != self.license_type or found.group(2) != language_slug(self.language):
            raise ValueError(f"{self.path!r} is no place for {self.license_type}, language {self.language!r}")
        counted = (sum(item.rows for item in self.licences), sum(item.bytes for item in self.licences))
        if counted != (self.rows, self.source_bytes):
            raise ValueError(f"{self.path}: licences do not add up to {self.rows} rows, {self.source_bytes} bytes")
        check_order((null_first(item.expression) for item in self.licences), f"{self.path}: licences")
        return self


class LanguageTally(Noun):
    """Rows and bytes of original contents (sum of `length_bytes`) in one language (null: undecided)."""

    language: str | None
    rows: Positive
    bytes: Count


class LicenceTally(Noun):
    """Rows and bytes of original contents under one licence expression and class."""

    expression: str | None
    license_type: LicenseType
    rows: Positive
    bytes: Count


class Totals(Noun):
    """`bytes` of original contents, `file_bytes` of the shards on disk."""

    shards: Count
    rows: Count
    bytes: Count
    file_bytes: Count


class Redacted(Noun):
    """What redaction did: rows with a span in their text, rows with one in their path, spans of texts by detector."""

    files: Count
    paths: Count
    detectors: dict[str, Positive]


def tally_languages(shards: Sequence[Shard]) -> tuple[LanguageTally, ...]:
    """Rows and bytes by language, null first, then by name."""
    rows: Counter[str | None] = Counter()
    size: Counter[str | None] = Counter()
    for shard in shards:
        rows[shard.language] += shard.rows
        size[shard.language] += shard.source_bytes
    ordered = sorted(rows, key=null_first)
    return tuple(LanguageTally(language=name, rows=rows[name], bytes=size[name]) for name in ordered)


def tally_licences(shards: Sequence[Shard]) -> tuple[LicenceTally, ...]:
    """Rows and bytes by licence expression (null first) and class."""
    rows: Counter[tuple[str | None, LicenseType]] = Counter()
    size: Counter[tuple[str | None, LicenseType]] = Counter()
    for shard in shards:
        for item in shard.licences:
            rows[item.expression, shard.license_type] += item.rows
            size[item.expression, shard.license_type] += item.bytes
    ordered = sorted(rows, key=lambda key: (null_first(key[0]), key[1]))
    return tuple(
        LicenceTally(expression=key[0], license_type=key[1], rows=rows[key], bytes=size[key]) for key in ordered
    )


def tally_totals(shards: Sequence[Shard]) -> Totals:
    """What `shards` add up to."""
    return Totals(
        shards=len(shards),
        rows=sum(shard.rows for shard in shards),
        bytes=sum(shard.source_bytes for shard in shards),
        file_bytes=sum(shard.bytes for shard in shards),
    )


def null_first(text: str | None) -> str:
    """A sort key for names of which one may be null."""
    return "" if text is None else "\x01" + text


def check_order(names: Iterable[str], what: str) -> None:
    """ValueError unless `names` are ascending and distinct."""
    listed = list(names)
    if listed != sorted(set(listed)):
        raise ValueError(f"{what} are not sorted and distinct")
