"""Name, version, reason codes and settings of the licence stage."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

NAME = "licences"
VERSION = "1"
"""Policy version: part of every memo key and task; raise it when an equal input may give another answer."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "licence_refused": "the effective licence's class is not among the classes that the recipe keeps",
        "no_licence": "no text, tag, manifest or directory says under which licence the file may be used",
    }
)
"""Reason codes of this stage → what they mean."""

LicenceClass = Literal["permissive", "non_permissive", "no_license"]


class Settings(BaseModel):
    """How the licence stage works; every field has a working default.

    keep: classes of which a file may be kept. read_headers: `everywhere`, or only in files that their path's
    licence would already let in (`where_path_allows`: cheaper, the same files are kept unless a header is
    freer than its directory). detection_timeout: seconds a notice, wall clock. max_notice_bytes: UTF-8 bytes of
    one notice that are read. use_declared: let the declared licence of the repository's metadata stand where
    nothing in the repository says anything. earliest_origin_decides: a content whose earliest known origin states a
    non-permissive licence keeps it, whatever later copies say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: tuple[LicenceClass, ...] = ("permissive",)
    read_headers: Literal["everywhere", "where_path_allows"] = "everywhere"
    detection_timeout: float = Field(default=120.0, gt=0, le=3600)
    max_notice_bytes: int = Field(default=262_144, ge=1_024, le=16_777_216)
    use_declared: bool = False
    earliest_origin_decides: bool = True
