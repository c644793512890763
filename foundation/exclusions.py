"""Exclusions: what the opt-out registry exports and a build honours.

The file is one line of canonical JSON:

    {"format": "gristmill-exclusions", "version": 1, "sequence": n, "log_head": hex, "entries": [...], "sha256": hex}

`sequence` names the registry's state, `log_head` is the hash of its log entry of that sequence (64
zeros at 0), `entries` are ordered by id, and `sha256` is over the canonical JSON of all the rest. Equal
states give equal bytes. The reader accepts only what the writer writes: anything else is a ConfigError
that names the file and the key. The file holds account and repository names: it is not for publication.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from foundation.canonical import Json, canonical_json, fingerprint
from foundation.errors import ConfigError, UsageError
from foundation.globs import glob_regex
from foundation.origins import name_key
from foundation.storage import write_atomic

FORMAT = "gristmill-exclusions"
FORMAT_VERSION = 1
KINDS = ("host", "owner", "repository", "path", "content")  # from the broadest to the narrowest
NO_HASH = "0" * 64  # the log's head before its first entry
MAX_NAME = 512  # characters of one full name

Kind = Literal["host", "owner", "repository", "path", "content"]
Purpose = Literal["redistribute", "train"]
PURPOSES: tuple[Purpose, ...] = ("redistribute", "train")
NumericId = Annotated[int, Field(gt=0, lt=2**63)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_HOST = re.compile(r"(?!www\.)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?(:(?!(22|80|443|9418)$)[1-9][0-9]{0,4})?")
_SWHID = re.compile(r"swh:1:cnt:[0-9a-f]{40}")
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
# Which optional fields a kind needs; `names` and ids are spelled out in `_shape`.
_FIELDS: dict[str, set[str]] = {
    "host": {"host"},
    "owner": {"host", "names"},
    "repository": {"host", "names"},
    "path": {"host", "names", "glob"},
    "content": {"swhid"},
}
_ID_OF = {"owner": "owner_id", "repository": "repository_id", "path": "repository_id"}


class Selector(BaseModel):
    """What someone asks to leave out.

    `host` is the forge (`github.com`); `names` the full names on it in comparable form (see
    `foundation.origins.name_key`), the current one first, then former ones; the numeric ids are the
    forge's; `glob` a path glob (`foundation.globs`); `swhid` a content's core SWHID. `purposes` are the
    uses refused, sorted; refusing either one excludes from builds.
    """

    model_config = _STRICT

    kind: Kind
    host: str | None = None
    owner_id: NumericId | None = None
    repository_id: NumericId | None = None
    names: tuple[str, ...] = ()
    glob: str | None = None
    swhid: str | None = None
    include_forks: bool = False
    include_future: bool = True
    purposes: tuple[Purpose, ...] = PURPOSES

    @model_validator(mode="after")
    def _shape(self) -> Self:
        for field in ("host", "names", "glob", "swhid"):
            if bool(getattr(self, field)) != (field in _FIELDS[self.kind]):
                raise ValueError(
                    f"{field}: {'missing' if field in _FIELDS[self.kind] else 'not allowed'} for kind {self.kind}"
                )
        for field in ("owner_id", "repository_id"):
            if getattr(self, field) is not None and _ID_OF.get(self.kind) != field:
                raise ValueError(f"{field}: not allowed for kind {self.kind}")
        if self.include_forks and self.kind == "content":
            raise ValueError("include_forks: not allowed for kind content, which is excluded everywhere")
        if not self.include_future and self.kind not in ("host", "owner"):
            raise ValueError(f"include_future: cannot be false for kind {self.kind}")
        if not self.purposes or tuple(sorted(set(self.purposes))) != self.purposes:
            raise ValueError(f"purposes: expected some of {list(PURPOSES)}, sorted, each once")
        self._spelling()
        return self

    def _spelling(self) -> None:
        if self.host is not None and not _HOST.fullmatch(self.host):
            raise ValueError("host: expected a lower-case host name such as github.com")
        if self.swhid is not None and not _SWHID.fullmatch(self.swhid):
            raise ValueError("swhid: expected swh:1:cnt:<40 lower-case hex digits>")
        for name in self.names:
            if not name or len(name) > MAX_NAME or not name.isprintable() or name_key(name) != name:
                raise ValueError(f"names: {name!r} is not in comparable form (lower case, no slash at either end)")
        if len(set(self.names)) != len(self.names):
            raise ValueError("names: the same name twice")
        if self.glob is not None:
            try:
                glob_regex(self.glob)
            except UsageError as error:
                raise ValueError(f"glob: {error.message}") from error


class Exclusion(Selector):
    """A selector in force: `state` is held (being examined, already honoured) or effective.

    `effective_sequence` is the log sequence at which it became effective, null while held. `cutoff`
    (ISO-8601 UTC, seconds) is set only when `include_future` is false: repositories first seen later are
    not covered.
    """

    id: Annotated[str, Field(pattern=r"^optout-[1-9][0-9]{0,17}$")]
    state: Literal["held", "effective"]
    effective_sequence: NumericId | None = None
    cutoff: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")] | None = None

    @model_validator(mode="after")
    def _state(self) -> Self:
        if (self.state == "effective") != (self.effective_sequence is not None):
            raise ValueError("effective_sequence: must be set if and only if the state is effective")
        if self.include_future == (self.cutoff is not None):
            raise ValueError("cutoff: must be set if and only if include_future is false")
        return self

    @property
    def number(self) -> int:
        """The number in the id, by which entries are ordered."""
        return int(self.id.removeprefix("optout-"))


class ExclusionList(BaseModel):
    """The exclusions in force at `sequence` of the registry whose log entry of that sequence has hash `log_head`."""

    model_config = _STRICT

    sequence: Annotated[int, Field(ge=0, lt=2**63)]
    log_head: Sha256
    entries: tuple[Exclusion, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        numbers = [entry.number for entry in self.entries]
        if numbers != sorted(set(numbers)):
            raise ValueError("entries: expected ascending ids, each once")
        if (self.sequence == 0) != (self.log_head == NO_HASH) or (self.sequence == 0 and self.entries):
            raise ValueError("sequence: 0 stands for the empty registry, with a log_head of 64 zeros and no entries")
        if any((entry.effective_sequence or 0) > self.sequence for entry in self.entries):
            raise ValueError("entries: an effective_sequence lies after the list's sequence")
        return self

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) that names this list; equal to the file's `sha256`."""
        return fingerprint(self._document())

    def _document(self) -> dict[str, Json]:
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "sequence": self.sequence,
            "log_head": self.log_head,
            "entries": [entry.model_dump(mode="json") for entry in self.entries],
        }

    def to_bytes(self) -> bytes:
        """The exclusions file's bytes: canonical JSON and a final newline."""
        return canonical_json({**self._document(), "sha256": self.sha256}) + b"\n"


EMPTY = ExclusionList(sequence=0, log_head=NO_HASH)


class _File(BaseModel):
    model_config = _STRICT

    format: Literal["gristmill-exclusions"]
    version: Literal[1]
    sha256: Sha256
    sequence: int
    log_head: str
    entries: tuple[Exclusion, ...]


def parse_exclusions(data: bytes, *, name: str) -> ExclusionList:
    """The list in `data`; ConfigError naming `name` and the key for anything the writer would not have written."""
    hint = "export the exclusions again with `gristmill optout export`"
    try:
        file = _File.model_validate_json(data)
        found = ExclusionList(sequence=file.sequence, log_head=file.log_head, entries=file.entries)
    except ValidationError as error:
        raise ConfigError(f"{name}: {describe(error)}", hint=hint) from error
    if found.sha256 != file.sha256:
        raise ConfigError(
            f"{name}: sha256: expected {found.sha256}, found {file.sha256}: the file was changed", hint=hint
        )
    if found.to_bytes() != data:
        raise ConfigError(f"{name}: not in canonical form (spacing, order or repeated keys)", hint=hint)
    return found


def read_exclusions(path: str | Path) -> ExclusionList:
    """The list in the file at `path`; ConfigError if it is missing, unreadable or not exactly as written."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read exclusions file {path}: {error.strerror}",
            hint="make one with `gristmill optout export --out FILE`",
        ) from error
    return parse_exclusions(data, name=str(path))


def write_exclusions(path: str | Path, exclusions: ExclusionList) -> None:
    """Write the exclusions file atomically; StorageError if it cannot be written."""
    write_atomic(path, exclusions.to_bytes())


def describe(error: ValidationError) -> str:
    """The first problem of a pydantic error as `key: what`, without the offending value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what
