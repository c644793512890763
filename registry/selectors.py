"""Intake: from what people type to a selector, strictly, with an echo of what was understood.

Addresses are normalised where only one reading is possible (URLs, `@name`, case, `.git`, final slashes);
everything else is refused with a hint. Nothing typed is ever evaluated: it is compared, or stored as data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pydantic import ValidationError

from foundation.errors import UsageError
from foundation.exclusions import KINDS, PURPOSES, Selector, describe
from foundation.globs import glob_regex
from foundation.origins import name_key, origin_key
from foundation.swhid import parse_core

MAX_TEXT = 2048  # characters of an address as typed
MAX_FORMER_NAMES = 100
DEFAULT_HOST = "github.com"
# Forges on which every repository has an owner and many people live.
SHARED_FORGES = frozenset(
    {"bitbucket.org", "codeberg.org", "framagit.org", "git.sr.ht", "gitee.com", "github.com", "gitlab.com"}
    | {"launchpad.net", "salsa.debian.org", "sourceforge.net"}
)
# GitHub: "may only contain alphanumeric characters or single hyphens", at most 39; `_` in managed users' suffix.
_GITHUB_OWNER = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38})")
_GITHUB_REPOSITORY = re.compile(r"[a-z0-9._-]{1,100}")
_EVERYTHING = frozenset({"*", "all", "any", "everything", "all repos", "all repositories"})
_PLACEHOLDERS = frozenset(
    {
        "username",
        "user",
        "owner",
        "org",
        "your-username",
        "yourname",
        "your-name",
        "your_username",
        "repo",
        "repository",
    }
    | {"owner/repo", "username/repo", "user/repo", "owner/repository", "username/repository", "owner/name"}
)
_INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")


def parse_selector(
    kind: str,
    text: str,
    *,
    host: str | None = None,
    glob: str | None = None,
    owner_id: int | None = None,
    repository_id: int | None = None,
    former_names: Sequence[str] = (),
    include_forks: bool = False,
    include_future: bool = True,
    purposes: Sequence[str] = PURPOSES,
) -> Selector:
    """The selector that `kind` (host, owner, repository, path, content) and `text` name.

    `text` is a name (`landley`, `landley/toybox`), an address (URL or `git@host:path`), a host or a
    content's SWHID; names without a host are on `host` (default github.com). Raises UsageError with a
    hint for anything that has more than one reading or none.
    """
    if kind not in KINDS:
        raise UsageError(f"unknown kind {clip(kind)!r}", hint=f"one of {', '.join(KINDS)}")
    if unknown := sorted(set(purposes) - set(PURPOSES)):
        raise UsageError(f"unknown purpose {clip(unknown[0])!r}", hint=f"some of {', '.join(PURPOSES)}")
    if glob is not None:
        glob_regex(glob)
    fields: dict[str, object] = {
        "kind": kind,
        "owner_id": owner_id,
        "repository_id": repository_id,
        "glob": glob,
        "include_forks": include_forks,
        "include_future": include_future,
        "purposes": tuple(sorted(set(purposes))),
    }
    if kind == "content":
        fields["swhid"] = _content(text)
        if former_names or host:
            raise UsageError("a content has no host and no former names", hint="leave them out")
    elif kind == "host":
        fields["host"] = _site(text)
    else:
        numbered = owner_id is not None or repository_id is not None
        place, name = _name(kind, text, host=host, numbered=numbered)
        if len(former_names) > MAX_FORMER_NAMES:
            raise UsageError(f"{len(former_names)} former names, at most {MAX_FORMER_NAMES} are allowed")
        former = [_name(kind, one, host=place, numbered=numbered)[1] for one in former_names]
        fields |= {"host": place, "names": tuple(dict.fromkeys([name, *former]))}
    try:
        return Selector.model_validate(fields)
    except ValidationError as error:
        raise UsageError(f"selector refused: {describe(error)}") from error


def brief(selector: Selector) -> str:
    """The selector in a few words, for lists."""
    if selector.kind == "content":
        return str(selector.swhid)
    name = "/".join([str(selector.host), *selector.names[:1]])
    forks = " and forks" if selector.include_forks else ""
    return f"{name}{forks}: {selector.glob}" if selector.glob else f"{name}{forks}"


def understood(selector: Selector) -> str:
    """The selector in one English sentence, for the requester to confirm."""
    forks = " and their forks" if selector.include_forks else ""
    known_as = f" (also known as {', '.join(selector.names[1:])})" if selector.names[1:] else ""
    number = selector.owner_id or selector.repository_id
    numbered = f" with number {number}" if number else ""
    name = f"{selector.host}/{selector.names[0]}{known_as}{numbered}" if selector.names else selector.host
    future = "current and future repositories" if selector.include_future else "repositories that exist today"
    what = {
        "host": f"all {future} on {name}{forks}",
        "owner": f"all {future} of {name}{forks}",
        "repository": f"the repository {name}{forks}",
        "path": f"the files {selector.glob} of the repository {name}{forks}",
        "content": f"the content {selector.swhid}, wherever it occurs",
    }[selector.kind]
    return f"Leave out {what}; refused uses: {', '.join(selector.purposes)}."


def refuse_invisible(text: str, what: str) -> None:
    """UsageError if `text` holds a control, format (bidirectional, zero-width), unassigned or surrogate character."""
    for char in text:
        if unicodedata.category(char) in _INVISIBLE:
            raise UsageError(
                f"{what} holds the invisible character U+{ord(char):04X}", hint="type it instead of pasting"
            )


def clip(text: str) -> str:
    """`text` short enough for a message."""
    return text if len(text) <= 80 else text[:77] + "…"


def _content(text: str) -> str:
    trimmed = _plain(text, "SWHID")
    if re.fullmatch(r"[0-9a-fA-F]{40}", trimmed):
        raise UsageError(
            "40 hex digits may be a git id or a SHA-1 of the bytes",
            hint=f"if it is a git id: swh:1:cnt:{trimmed.lower()}",
        )
    kind, digits = parse_core(trimmed)
    if kind != "cnt":
        raise UsageError(f"swh:1:{kind} is not a content", hint="give the SWHID of a file: swh:1:cnt:<40 hex digits>")
    return f"swh:1:cnt:{digits}"


def _site(text: str) -> str:
    key = origin_key(_plain(text, "host").rstrip("/"))
    if "/" in key or "." not in key:
        raise UsageError(f"{clip(text)!r} is not a host", hint="a host is for instance git.example.org")
    if key in SHARED_FORGES:
        raise UsageError(f"{key} is home to many people", hint="name the owner or the repository instead")
    return key


def _plain(text: str, what: str) -> str:
    """`text` without white space around; refused when empty, too long, or with anything invisible or blank inside."""
    if len(text) > MAX_TEXT:
        raise UsageError(f"{what} has {len(text)} characters, at most {MAX_TEXT} are allowed")
    trimmed = text.strip()
    refuse_invisible(trimmed, what)
    if not trimmed:
        raise UsageError(f"{what} is empty")
    if re.search(r"\s", trimmed):
        raise UsageError(
            f"{clip(trimmed)!r} holds a space", hint=f"one {what} a request, for instance landley or landley/toybox"
        )
    return trimmed


def _name(kind: str, text: str, *, host: str | None, numbered: bool) -> tuple[str, str]:
    """Host and comparable full name of the owner or repository that `text` names."""
    trimmed = _plain(text, "owner name" if kind == "owner" else "repository name")
    found_host, name = _split(trimmed, host)
    if name in _EVERYTHING:
        raise UsageError(f"{clip(trimmed)!r} does not say whose", hint="owner NAME excludes all repositories of NAME")
    if name in _PLACEHOLDERS and not numbered:
        raise UsageError(
            f"{clip(trimmed)!r} looks like a form's placeholder", hint="if it is really called so, add its numeric id"
        )
    parts = name.split("/")
    if parts[-1] in _EVERYTHING and not numbered:
        raise UsageError(
            f"{clip(name)!r} would be something called {parts[-1]!r}", hint=f"for all of the owner's: owner {parts[0]}"
        )
    if any(char in name for char in "?#%&\\<>\"'`|*:;,=()[]{}$!^") or ".." in parts:
        raise UsageError(f"{clip(trimmed)!r} is not a name", hint="a name is for instance landley or landley/toybox")
    _check_parts(kind, found_host, parts)
    return found_host, name


def _split(text: str, host: str | None) -> tuple[str, str]:
    """Host and name in a full address, or a bare name on `host`."""
    if host is not None:
        host = origin_key(_plain(host, "host"))
    key = origin_key(text)
    first = key.split("/")[0]
    addressed = "://" in text or re.match(r"[^/@\s]+@[^/:]+:", text) or ("/" in key and re.search(r"[.:]", first))
    if not addressed:
        return host or DEFAULT_HOST, name_key(text.removeprefix("@"))
    if host not in (None, first):
        raise UsageError(f"the address is on {clip(first)}, not on {clip(str(host))}", hint="leave out --host")
    path = key[len(first) :].lstrip("/")
    if first in SHARED_FORGES:
        path = name_key(path.split("?")[0])  # `?tab=repositories` and the like
        if first == "github.com":
            path = re.sub(r"^(?:orgs|users)/([^/]+)(?:/(?:repositories|followers)?)?$", r"\1", path)
    if not path:
        raise UsageError(f"{clip(text)!r} is a whole site", hint="add the owner or repository, or use kind host")
    return first, path


def _check_parts(kind: str, host: str, parts: list[str]) -> None:
    """UsageError when the name cannot be an owner's or a repository's on this host."""
    shown = clip("/".join(parts))
    if kind == "owner":
        if host == "github.com" and len(parts) > 1:
            raise UsageError(
                f"{shown!r} is not an owner",
                hint=f"for all of the owner's: owner {parts[0]}; for one: repository {shown}",
            )
    elif host in SHARED_FORGES and len(parts) < 2:
        raise UsageError(f"{shown!r} names no repository", hint=f"OWNER/NAME; for all of the owner's: owner {parts[0]}")
    if host != "github.com":
        return
    if len(parts) > 2:
        raise UsageError(
            f"{shown!r} leads inside a repository",
            hint=f"repository {'/'.join(parts[:2])}, or path {'/'.join(parts[:2])} with --glob for some of its files",
        )
    if not _GITHUB_OWNER.fullmatch(parts[0]) or not all(_GITHUB_REPOSITORY.fullmatch(part) for part in parts[1:]):
        raise UsageError(f"{shown!r} is not a name on github.com", hint="letters, digits, '-', '_' and '.' only")
