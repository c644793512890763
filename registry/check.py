"""Is this covered? One origin, path or content against an exclusion list.

The scalar twin of `stages.optout`, for look-ups without the catalog: it knows only the names and numbers
it is given, so a fork or a former name is found only if the question mentions it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from foundation.errors import UsageError
from foundation.exclusions import Exclusion, ExclusionList
from foundation.globs import path_matches
from foundation.origins import name_key, origin_key
from foundation.swhid import content_swhid, parse_core
from registry.selectors import DEFAULT_HOST, clip


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked: an origin URL, further full names it has or had, its numbers, a path in it, a content."""

    origin: str | None = None
    names: tuple[str, ...] = ()
    owner_id: int | None = None
    repository_id: int | None = None
    path: bytes | None = None
    swhid: str | None = None


def covering(question: Question, exclusions: ExclusionList) -> tuple[Exclusion, ...]:
    """The exclusions that cover what is asked, in the list's order; empty when it may be used."""
    url = _key(question.origin) if question.origin else ""
    host = url.split("/")[0]
    keys = {url, *(f"{host}/{name_key(name)}" for name in question.names)} if url else set()
    return tuple(entry for entry in exclusions.entries if _covers(entry, question, host=host, keys=keys))


def _key(origin: str) -> str:
    """Origin key of an address, or of a bare `owner/name` on the default forge."""
    key = origin_key(origin)
    addressed = "://" in origin or "." in key.split("/", maxsplit=1)[0]
    return key if addressed else f"{DEFAULT_HOST}/{name_key(origin.strip().removeprefix('@'))}"


def _covers(entry: Exclusion, question: Question, *, host: str, keys: set[str]) -> bool:
    if entry.kind == "content":
        return question.swhid == entry.swhid
    if not keys or entry.host != host:
        return False
    if entry.kind == "host":
        return True
    named = {f"{host}/{name}" for name in entry.names}
    if entry.kind == "owner":
        below = any(key == name or key.startswith(f"{name}/") for key in keys for name in named)
        return below or (entry.owner_id is not None and entry.owner_id == question.owner_id)
    same = bool(named & keys) or (entry.repository_id is not None and entry.repository_id == question.repository_id)
    if entry.kind == "repository" or not same:
        return same
    return question.path is not None and path_matches(str(entry.glob), question.path)


def question_about(
    target: str,
    *,
    path: bytes | str | None = None,
    names: Sequence[str] = (),
    owner_id: int | None = None,
    repository_id: int | None = None,
) -> Question:
    """A question about an origin (URL or `owner/name`) or a SWHID, whose `origin` and `path` qualifiers count too."""
    if not target.startswith("swh:"):
        return make_question(origin=target, path=path, names=names, owner_id=owner_id, repository_id=repository_id)
    core, *rest = target.split(";")
    pairs = (part.partition("=") for part in rest)
    said = {key: value.replace("%3B", ";").replace("%25", "%") for key, _, value in pairs}
    return make_question(
        origin=said.get("origin"),
        path=said.get("path") if path is None else path,
        swhid=core,
        names=names,
        owner_id=owner_id,
        repository_id=repository_id,
    )


def make_question(
    *,
    origin: str | None = None,
    path: bytes | str | None = None,
    swhid: str | None = None,
    names: Sequence[str] = (),
    owner_id: int | None = None,
    repository_id: int | None = None,
) -> Question:
    """A checked question; UsageError when it asks nothing, or a path or names without an origin."""
    if not origin and not swhid:
        raise UsageError("nothing to check", hint="give an origin, or a content's SWHID")
    if not origin and (path is not None or names or owner_id is not None or repository_id is not None):
        raise UsageError("a path, name or number needs its origin", hint="give the origin as well")
    content = None
    if swhid:
        kind, digits = parse_core(swhid)
        if kind != "cnt":
            raise UsageError(f"not a content: {clip(swhid)!r}", hint="expected swh:1:cnt:<40 hex digits>")
        content = content_swhid(digits)
    raw = path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
    return Question(
        origin=origin,
        names=tuple(names),
        owner_id=owner_id,
        repository_id=repository_id,
        path=raw.lstrip(b"/") if raw is not None else None,
        swhid=content,
    )
