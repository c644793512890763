"""What the guard found, as data and as words: `guard.json`, the short form, and the refusal.

`guard.json` is canonical: settings, how many groups were judged, over the limit, listed and quarantined, every
language's loss, and the groups over the limit, worst first, with samples. Names and paths in it are strangers'
text as data; in lines for people they are shortened and control characters escaped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from foundation.canonical import Json
from foundation.errors import AnswerIsNo
from stages.decisions.limits import GuardSettings

SHOWN_GROUPS = 10
_LONGEST = 160


@dataclasses.dataclass(frozen=True)
class Sample:
    """One removed content (sha1_git, place), the kept one that it resembles, and the exact Jaccard of the two."""

    sha1_git: str
    origin: str
    path: bytes
    reason: str
    kept: str
    kept_origin: str
    kept_path: bytes
    jaccard: float

    @property
    def same_name(self) -> bool:
        """Whether both paths end in the same file name."""
        return self.path.rsplit(b"/", 1)[-1] == self.kept_path.rsplit(b"/", 1)[-1]

    def to_json(self) -> dict[str, Json]:
        """The same as JSON; path bytes that are not UTF-8 are backslash-escaped, as in a release."""
        paths = {"path": _text(self.path), "kept_path": _text(self.kept_path)}
        return {**dataclasses.asdict(self), **paths, "same_name": self.same_name}

    def line(self) -> str:
        """`origin:path like origin:path (Jaccard, name)` for people."""
        alike = "exact copy" if self.reason == "exact_duplicate" else f"Jaccard {self.jaccard:.3f}"
        named = "same file name" if self.same_name else "other file name"
        dropped, kept = (f"{o}:{_text(p)}" for o, p in ((self.origin, self.path), (self.kept_origin, self.kept_path)))
        return f"{shown(dropped)} like {shown(kept)} ({alike}, {named})"


@dataclasses.dataclass(frozen=True)
class Group:
    """One language or source (`kind`; `name` null: undecided language) and what deduplication removed of it."""

    kind: str
    name: str | None
    contents: int
    removed: int
    near: int
    bytes: int
    removed_bytes: int
    samples: tuple[Sample, ...] = ()

    @property
    def loss(self) -> float:
        """Removed contents over contents."""
        return self.removed / self.contents

    @property
    def loss_bytes(self) -> float:
        """Removed bytes over bytes; 0 without any."""
        return self.removed_bytes / self.bytes if self.bytes else 0.0

    def counts(self) -> dict[str, Json]:
        """Everything but the samples, as JSON; losses to six places."""
        document = {key: value for key, value in dataclasses.asdict(self).items() if key != "samples"}
        exact = self.removed - self.near
        return {**document, "exact": exact, "loss": round(self.loss, 6), "loss_bytes": round(self.loss_bytes, 6)}

    def line(self, limit: float) -> str:
        """The loss for people."""
        name = "of no certain name" if self.name is None else shown(self.name)
        how = f"{self.removed - self.near:,} exact and {self.near:,} near duplicates"
        return (
            f"{self.kind} {name}: {self.loss:.2%} of {self.contents:,} contents ({how}), "
            f"{self.loss_bytes:.2%} of their bytes; the recipe allows {limit:.2%}"
        )


@dataclasses.dataclass(frozen=True)
class Report:
    """The guard's answer: `judged` and `over` count groups by kind, `groups` lists those over the limit, worst first.

    All languages over their limit are listed and the worst sources up to a bound; `quarantined` counts contents.
    """

    settings: GuardSettings
    judged: Mapping[str, int]
    over: Mapping[str, int]
    languages: tuple[Group, ...]
    groups: tuple[Group, ...]
    quarantined: int = 0

    @property
    def exceeded(self) -> int:
        """How many groups are over their limit, listed or not."""
        return sum(self.over.values())

    def limit(self, kind: str) -> float:
        """The largest loss that a group of this kind may have."""
        return self.settings.max_language_loss if kind == "language" else self.settings.max_source_loss

    def to_json(self) -> dict[str, Json]:
        """The whole report."""
        groups: list[Json] = [
            {**group.counts(), "limit": self.limit(group.kind), "samples": [each.to_json() for each in group.samples]}
            for group in self.groups
        ]
        languages: list[Json] = [group.counts() for group in self.languages]
        return {**self.totals(), "listed": len(groups), "groups": groups, "languages": languages}

    def totals(self) -> dict[str, Json]:
        """Settings and counts alone: no stranger's name is in it."""
        settings: dict[str, Json] = self.settings.model_dump(mode="json")
        return {
            "settings": settings,
            "judged": dict(self.judged),
            "over": dict(self.over),
            "quarantined": self.quarantined,
        }

    def short(self) -> dict[str, Json]:
        """The counts and the worst groups, without samples."""
        worst: list[Json] = [
            {**group.counts(), "limit": self.limit(group.kind)} for group in self.groups[:SHOWN_GROUPS]
        ]
        return {**self.totals(), "worst": worst}

    def summary(self) -> str:
        """One line for people."""
        judged = _counted(self.judged)
        if not self.exceeded:
            return f"guard: {judged} judged, none lost more to deduplication than the recipe allows"
        over = _counted({kind: count for kind, count in self.over.items() if count})
        held = f"; {self.quarantined:,} contents quarantined" if self.settings.on_excess == "quarantine" else ""
        return f"guard: {judged} judged, {over} lost more to deduplication than the recipe allows{held}"

    def lines(self, *, samples: bool = True) -> Iterator[str]:
        """The worst groups for people, with their samples."""
        for group in self.groups[:SHOWN_GROUPS]:
            yield f"  {group.line(self.limit(group.kind))}"
            if samples:
                yield from (f"    {sample.line()}" for sample in group.samples)
        if self.exceeded > SHOWN_GROUPS:
            yield f"  and {self.exceeded - SHOWN_GROUPS:,} more"

    def refusal(self, path: Path) -> AnswerIsNo:
        """The error that ends a build; `path` is where the whole report lies.

        AnswerIsNo, not a fault: nothing is damaged or half done, a check said no (exit 1).
        """
        message = "\n".join([self.summary(), *self.lines(), f"all of it is in {path}; no shard was cut"])
        return AnswerIsNo(
            message,
            hint="look at the samples. If they should go: raise max_language_loss or max_source_loss in [guard]. "
            'If unsure: on_excess = "quarantine" holds them back for review. If they should stay: raise the '
            "threshold in [deduplication]. Then build again with --rerun-changed; finished work is used again",
        )


def shown(text: str) -> str:
    """`text` on a terminal: control characters escaped, the middle of a long one left out."""
    plain = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST // 2]}…{plain[-_LONGEST // 2 :]}"


def _counted(groups: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}{'' if count == 1 else 's'}" for kind, count in groups.items())


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
