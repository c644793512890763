"""The quality rules' thresholds: a strict reader of `thresholds.toml`, and what a recipe may override.

A limit is a number, or False for "not applied". Which one holds for a file, weakest first: the data
file's defaults, the recipe's `thresholds`, the data file's entry for the language, the recipe's for it.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import pydantic

from stages.languages.vocabulary import require

_DATA = Path(__file__).parent / "thresholds.toml"

LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "max_lines": "lines of a file",
        "max_mean_line": "mean characters of a line",
        "max_longest_line": "characters of the longest line",
        "min_alpha_fraction": "share of alphabetic characters",
        "min_alphanum_fraction": "share of alphanumeric characters",
        "max_encoded_match": "characters of one base64, hex or escape match",
        "max_encoded_fraction": "share of characters in such matches",
        "max_data_lines": "lines of a file in a data format",
        "min_visible_characters": "visible characters of an HTML file",
        "min_visible_fraction": "share of visible characters of an HTML file",
    }
)


def _limit_name(name: str) -> str:
    if name in LIMITS:
        return name
    near = difflib.get_close_matches(name, list(LIMITS), n=1, cutoff=0.0)
    raise ValueError(f"unknown limit {name!r}; did you mean {near[0]}?")


def _limit(value: object) -> float | bool:
    if value is False:
        return False
    if isinstance(value, int | float) and value is not True and 0 <= value < float("inf"):
        return float(value)
    raise ValueError(f"a limit is a number from 0 up, or false to switch it off; got {value!r}")


# A plain validator, since a union with Literal[False] would take 0 for False.
Limit = Annotated[float | bool, pydantic.PlainValidator(_limit)]
LimitName = Annotated[str, pydantic.AfterValidator(_limit_name)]
LanguageName = Annotated[str, pydantic.AfterValidator(require)]
Limits = Mapping[LimitName, Limit]


class TextNames(pydantic.BaseModel):
    """File names (lower case) under which Linguist's catch-all Text is kept: substrings and whole stems."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    contains: tuple[str, ...]
    stems: tuple[str, ...]


class Thresholds(pydantic.BaseModel):
    """The data file: a default for every limit, and what differs by language."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    defaults: Limits
    languages: Mapping[LanguageName, Limits]
    text_names: TextNames

    @pydantic.field_validator("defaults")
    @classmethod
    def _complete(cls, defaults: Limits) -> Limits:
        missing = sorted(set(LIMITS) - set(defaults))
        if missing:
            raise ValueError(f"no default for {', '.join(missing)}")
        return defaults


@functools.cache
def shipped() -> Thresholds:
    """The thresholds of `thresholds.toml`."""
    return Thresholds.model_validate(tomllib.loads(_DATA.read_text(encoding="utf-8")))


@dataclasses.dataclass(frozen=True)
class Resolved:
    """One limit after all overrides: its default and the languages where another value holds (None: off)."""

    default: float | None
    languages: Mapping[str, float | None]


def resolve(name: str, *, thresholds: Limits, languages: Mapping[str, Limits]) -> Resolved:
    """Limit `name` under the recipe's `thresholds` (every language) and `languages` (single ones)."""
    data = shipped()
    default = thresholds.get(name, data.defaults[name])
    own: dict[str, float | None] = {}
    for language in sorted({*data.languages, *languages}):
        for source in (languages.get(language, {}), data.languages.get(language, {})):
            if name in source:
                own[language] = _or_none(source[name])
                break
    return Resolved(_or_none(default), MappingProxyType(own))


def _or_none(limit: float | bool) -> float | None:
    return None if limit is False else float(limit)
