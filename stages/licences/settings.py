"""Name, version, reason codes and settings of the licence stage."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from foundation import spdx
from foundation.canonical import Json
from foundation.errors import ConfigError
from stages.licences.acceptance import known_licence, read_test
from stages.licences.compatibility import inbound_of
from stages.licences.overrides import Override

NAME = "licences"
VERSION = "3"
"""Policy version: part of every memo key and task; raise it when an equal input may give another answer."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "licence_refused": "the effective licence fails a test of the recipe's policy: its classes, allow-list, "
        "expression test or compatibility",
        "no_licence": "no text, tag, manifest or directory says under which licence the file may be used",
    }
)
"""Reason codes of this stage → what they mean."""

LicenceClass = Literal["permissive", "non_permissive", "no_license"]
CopyPolicy = Literal["earliest_origin", "any_copy", "best_copy"]


MAX_OVERRIDES = 10_000
"""Entries of an overrides file: they are part of the recipe, which every release carries."""

_Read = TypeVar("_Read")


def _checked(read: Callable[[str], _Read], text: str) -> _Read:
    """`read(text)`; a licence that is not known becomes a ValueError with the nearest name."""
    try:
        return read(text)
    except ConfigError as error:
        raise ValueError(f"{error.message}; {error.hint}" if error.hint else error.message) from None


class Settings(BaseModel):
    """How the licence stage works; every field has a working default.

    keep: classes of which a file may be kept. allow: licence ids that suffice to comply with the file's expression;
    empty is no such test. test: an SPDX expression that the file's must be within; `permissive` may stand in it.
    compatible_with: one licence into whose works the file may go by OSADL's compatibility matrix.
    overrides_must_match: make an override whose notice no file contains an error instead of a warning.
    read_headers: `everywhere`, or only in files that their path's licence would already let in (`where_path_allows`:
    cheaper, the same files are kept unless a header is freer than its directory). detection_timeout: seconds a
    notice, wall clock. max_notice_bytes: UTF-8 bytes of one notice that are read. use_declared: let the declared
    licence of the repository's metadata stand where nothing in the repository says anything. copies: whose licence
    holds for a file that lies in several places, if no header of its own settles it: `earliest_origin`, the best
    copy's unless the earliest dated one is strictly earlier and non-permissive; `any_copy`, a non-permissive one of
    any copy; `best_copy`, the best copy's in the total order. compare_copies: `identical`, copies are the same bytes;
    `redacted`, also files whose text is the same once it is redacted; `body`, also files whose text is the same but for
    the comments at its head, so that another licence header does not help. Only what is read is compared: what
    `where_path_allows` or another rule leaves unread is no witness.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: tuple[LicenceClass, ...] = ("permissive",)
    allow: tuple[str, ...] = ()
    test: str = ""
    compatible_with: str = ""
    overrides: tuple[Override, ...] = Field(default=(), max_length=MAX_OVERRIDES)
    overrides_must_match: bool = False
    read_headers: Literal["everywhere", "where_path_allows"] = "everywhere"
    detection_timeout: float = Field(default=120.0, gt=0, le=3600)
    max_notice_bytes: int = Field(default=262_144, ge=1_024, le=16_777_216)
    use_declared: bool = False
    copies: CopyPolicy = "earliest_origin"
    compare_copies: Literal["identical", "redacted", "body"] = "body"

    @field_validator("allow")
    @classmethod
    def _licences(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({_checked(known_licence, name) for name in given}))

    @field_validator("test")
    @classmethod
    def _expression(cls, given: str) -> str:
        return _checked(read_test, given).text if given.strip() else ""

    @field_validator("compatible_with")
    @classmethod
    def _outbound(cls, given: str) -> str:
        if not given.strip():
            return ""
        name = _checked(known_licence, given)
        _checked(inbound_of, name)
        return name

    @field_validator("overrides")
    @classmethod
    def _one_a_notice(cls, given: tuple[Override, ...]) -> tuple[Override, ...]:
        ordered = sorted(given, key=lambda entry: entry.notice)
        if twice := [one.notice for one, other in itertools.pairwise(ordered) if one.notice == other.notice]:
            raise ValueError(f"the notice {twice[0]} is given twice; keep one entry")
        return tuple(ordered)

    @model_validator(mode="after")
    def _nothing_in_vain(self) -> Self:
        asked = [("allow", name) for name in self.allow]
        asked += [("test", name) for name in sorted(read_test(self.test).ids)] if self.test else []
        for key, name in asked:
            if (found := spdx.licence_class(name)) not in self.keep:
                listed = ", ".join(f'"{each}"' for each in (*self.keep, found))
                raise ValueError(
                    f"{key} names {name}, which is {found}, but keep lets no such licence pass; "
                    f"write keep = [{listed}] or leave it out"
                )
        return self

    @model_validator(mode="before")
    @classmethod
    def _no_older_key(cls, given: Any) -> Any:
        if isinstance(given, dict) and "earliest_origin_decides" in given:
            meant = "earliest_origin" if given["earliest_origin_decides"] is not False else "best_copy"
            raise ValueError(f'earliest_origin_decides has become a choice: write copies = "{meant}" instead')
        return given

    def params(self) -> dict[str, Json]:
        """The settings as a task's parameters: without overrides, which tasks read from a table of their own."""
        document: dict[str, Json] = self.model_dump(mode="json", exclude={"overrides", "overrides_must_match"})
        return document

    def reading_params(self) -> dict[str, Json]:
        """Of `params`, what the statements of files depend on: another policy must not read them again."""
        document: dict[str, Json] = self.model_dump(mode="json", include={"max_notice_bytes", "detection_timeout"})
        return document

    @property
    def seeks_witnesses(self) -> bool:
        """Whether contents of other bytes may say something of a file."""
        return self.compare_copies != "identical" and self.copies != "best_copy"
