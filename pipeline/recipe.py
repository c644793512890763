"""The recipe: everything that determines a build, as frozen typed models.

What is written in a recipe is identity: it is recorded in the release and compared when a build is resumed.
What only says where or how fast (workers, addresses, archive location, endpoints) is not, and comes
from the command line or `[archive]`. Keys that a model does not know are refused.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal, Self

import pydantic

from foundation.canonical import Json, fingerprint
from foundation.storage import S3Settings
from stages.catalog import Settings as CatalogSettings
from stages.decisions import GuardSettings
from stages.deduplication import Settings as DeduplicationSettings
from stages.languages import Settings as LanguageSettings
from stages.licences import Settings as LicenceSettings
from stages.quality import Settings as QualitySettings
from stages.redaction import Settings as RedactionSettings

NAME_PATTERN = r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$"
VERSION_PATTERN = r"^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$"


class Section(pydantic.BaseModel):
    """Base of every table of a recipe: frozen, unknown keys refused."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class S3Section(Section):
    """How to reach an S3 archive. Times are seconds."""

    endpoint: str = ""  # URL of an S3-compatible service; empty: AWS
    region: str = "us-east-1"  # of the bucket
    anonymous: bool = False  # send unsigned requests, for public buckets
    connect_timeout: float = pydantic.Field(default=5.0, gt=0)  # to open a connection
    read_timeout: float = pydantic.Field(default=20.0, gt=0)  # without a byte arriving
    attempts: int = pydantic.Field(default=8, ge=1, le=100)  # of one request, the first included

    def settings(self) -> S3Settings:
        """The same as storage's own settings."""
        return S3Settings(**self.model_dump())


class ArchiveSection(Section):
    """Which archive is read; `--archive` and `--as-of` on the command line win."""

    uri: str = ""  # folder or s3://bucket[/prefix]
    export: str = ""  # name of the graph export; empty: the newest
    as_of: dt.date | None = None  # the latest full visit not after the end of this day (UTC)
    metadata: str = ""  # Parquet file of repository metadata; empty: repositories.parquet next to the archive
    s3: S3Section | None = None

    @pydantic.model_validator(mode="after")
    def _s3_needs_a_bucket(self) -> Self:
        if self.s3 is not None and self.uri and not self.uri.startswith("s3://"):
            raise ValueError(f"[archive.s3] is given but uri = {self.uri!r} is not s3://; remove one of them")
        return self


class OptOutSection(Section):
    """Which opt-outs the release honours; `--exclusions` on the command line wins."""

    exclusions: str = ""  # a file written by `gristmill optout export`
    minimum_sequence: int = pydantic.Field(default=0, ge=0)  # refuse an older state of the registry


class ReleaseSection(Section):
    """What the release is called and how it is cut. Sizes are bytes of text."""

    name: Annotated[str, pydantic.Field(pattern=NAME_PATTERN)]  # folder under releases/ and builds/
    version: Annotated[str, pydantic.Field(pattern=VERSION_PATTERN)]  # a published one is never overwritten
    title: str = ""  # what the release is called in words
    shard_bytes: int = pydantic.Field(default=256 << 20, ge=1 << 20)  # of one file, about
    row_group_bytes: int = pydantic.Field(default=8 << 20, ge=1 << 16)  # at most, one row aside
    row_group_rows: int = pydantic.Field(default=1000, ge=1)  # at most
    licence_texts: Literal["verbatim", "redacted"] = "verbatim"  # found licence texts as they are (secrets apart)
    repository_paths: bool = True  # ship what stands for every path, so that whole repositories can be rebuilt


class Recipe(Section):
    """A whole build. The sections after `release` are the stages' own settings, with their defaults."""

    release: ReleaseSection
    archive: ArchiveSection = ArchiveSection()
    optout: OptOutSection = OptOutSection()
    catalog: CatalogSettings = CatalogSettings()
    licences: LicenceSettings = LicenceSettings()
    languages: LanguageSettings = LanguageSettings()
    quality: QualitySettings = QualitySettings()
    redaction: RedactionSettings = RedactionSettings()
    deduplication: DeduplicationSettings = DeduplicationSettings()
    guard: GuardSettings = GuardSettings()

    def identity(self) -> dict[str, Json]:
        """The recipe as JSON without what only says where things are."""
        document: dict[str, Json] = self.model_dump(mode="json")
        document["archive"] = {
            key: value for key, value in self.archive.model_dump(mode="json").items() if key in ("export", "as_of")
        }
        document["optout"] = {"minimum_sequence": self.optout.minimum_sequence}
        return document

    def fingerprint(self) -> str:
        """SHA-256 (hex) of `identity()`."""
        return fingerprint(self.identity())


def is_version(text: str) -> bool:
    """Whether `text` is `major.minor.patch`."""
    return re.fullmatch(VERSION_PATTERN, text) is not None
