"""Name, version, reason codes and settings of the licence stage."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

NAME = "licences"
VERSION = "2"
"""Policy version: part of every memo key and task; raise it when an equal input may give another answer."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "licence_refused": "the effective licence's class is not among the classes that the recipe keeps",
        "no_licence": "no text, tag, manifest or directory says under which licence the file may be used",
    }
)
"""Reason codes of this stage → what they mean."""

LicenceClass = Literal["permissive", "non_permissive", "no_license"]


CopyPolicy = Literal["earliest_origin", "any_copy", "best_copy"]


class Settings(BaseModel):
    """How the licence stage works; every field has a working default.

    keep: classes of which a file may be kept. read_headers: `everywhere`, or only in files that their path's
    licence would already let in (`where_path_allows`: cheaper, the same files are kept unless a header is
    freer than its directory). detection_timeout: seconds a notice, wall clock. max_notice_bytes: UTF-8 bytes of
    one notice that are read. use_declared: let the declared licence of the repository's metadata stand where
    nothing in the repository says anything. copies: whose licence holds for a file that lies in several places, if no
    header of its own settles it: `earliest_origin`, the best copy's unless the earliest dated one is strictly earlier
    and non-permissive; `any_copy`, a non-permissive one of any copy; `best_copy`, the best copy's in the total order.
    compare_copies: `identical`, copies are the same bytes; `redacted`, also files whose text is the same once it is
    redacted; `body`, also files whose text is the same but for the comments at its head, so that another licence header
    does not help. Only what is read is compared: what `where_path_allows` or another rule leaves unread is no witness.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: tuple[LicenceClass, ...] = ("permissive",)
    read_headers: Literal["everywhere", "where_path_allows"] = "everywhere"
    detection_timeout: float = Field(default=120.0, gt=0, le=3600)
    max_notice_bytes: int = Field(default=262_144, ge=1_024, le=16_777_216)
    use_declared: bool = False
    copies: CopyPolicy = "earliest_origin"
    compare_copies: Literal["identical", "redacted", "body"] = "body"

    @model_validator(mode="before")
    @classmethod
    def _no_older_key(cls, given: Any) -> Any:
        if isinstance(given, dict) and "earliest_origin_decides" in given:
            meant = "earliest_origin" if given["earliest_origin_decides"] is not False else "best_copy"
            raise ValueError(f'earliest_origin_decides has become a choice: write copies = "{meant}" instead')
        return given

    @property
    def seeks_witnesses(self) -> bool:
        """Whether contents of other bytes may say something of a file."""
        return self.compare_copies != "identical" and self.copies != "best_copy"
