"""Small archives and git repositories, made on the spot and always with the same ids."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

from dulwich.objects import Blob, Commit, Tag, Tree
from dulwich.repo import Repo

from archive import ingest

VISIT_DATE = dt.datetime(2025, 6, 1, 12, 0, tzinfo=dt.UTC)
COMMIT_SECONDS = 1_700_000_000
AUTHOR = b"Ada Example <ada@example.org>"

Files = Mapping[str | bytes, "bytes | tuple[int, bytes]"]


def make_git_repository(
    path: Path,
    files: Files,
    *,
    branch: str = "main",
    bare: bool = False,
    detached: bool = False,
    tag: str | None = None,
    remote: str | None = None,
    message: bytes = b"first\n",
    seconds: int = COMMIT_SECONDS,
    offset_minutes: int = 120,
    parents: Sequence[bytes] = (),
) -> bytes:
    """A git repository at `path` with one commit of `files`; returns the commit's id (hex).

    A value of `files` is the bytes of a plain file, or (git mode, bytes); for mode 0o160000 (submodule)
    the bytes are the 40 hex digits of the revision. With `tag`, HEAD is detached at an annotated tag.
    """
    path.mkdir(parents=True, exist_ok=True)
    repo = Repo.init_bare(str(path)) if bare else Repo.init(str(path))
    with repo:
        commit = Commit()
        commit.tree = write_tree(repo, files)
        commit.parents = list(parents)
        commit.author = commit.committer = AUTHOR
        commit.author_time = commit.commit_time = seconds
        commit.author_timezone = commit.commit_timezone = offset_minutes * 60
        commit.message = message
        repo.object_store.add_object(commit)
        ref = b"refs/heads/" + branch.encode()
        repo.refs[ref] = commit.id
        repo.refs.set_symbolic_ref(b"HEAD", ref)
        if tag is not None:
            made = Tag()
            made.name, made.message, made.tagger = tag.encode(), b"release\n", AUTHOR
            made.tag_time, made.tag_timezone = seconds, 0
            made.object = (Commit, commit.id)
            repo.object_store.add_object(made)
            (Path(repo.controldir()) / "HEAD").write_bytes(made.id + b"\n")
        elif detached:
            (Path(repo.controldir()) / "HEAD").write_bytes(commit.id + b"\n")
        if remote is not None:
            config = repo.get_config()
            config.set((b"remote", b"origin"), b"url", remote.encode())
            config.write_to_path()
        return commit.id


def write_tree(repo: Repo, files: Files) -> bytes:
    """Store the trees of `files` in `repo`; returns the root's id (hex)."""
    children: dict[bytes, dict[bytes, bytes | tuple[int, bytes]]] = {}
    tree = Tree()
    for key, value in files.items():
        name = key.encode() if isinstance(key, str) else key
        first, slash, rest = name.partition(b"/")
        if slash:
            children.setdefault(first, {})[rest] = value
            continue
        mode, data = value if isinstance(value, tuple) else (0o100644, value)
        if mode == 0o160000:
            tree.add(first, mode, data)
            continue
        blob = Blob.from_string(data)
        repo.object_store.add_object(blob)
        tree.add(first, mode, blob.id)
    for first, below in children.items():
        tree.add(first, 0o040000, write_tree(repo, below))
    repo.object_store.add_object(tree)
    return tree.id


def make_archive(
    folder: Path,
    repositories: Mapping[str, Files],
    *,
    visit_date: dt.datetime = VISIT_DATE,
    branch: str = "main",
    export_name: str = "2025-06-01",
) -> Path:
    """An archive at `folder/archive` with one git visit of each origin of `repositories`; returns its path.

    Called again on the same folder with a later date it adds visits.
    """
    sources: dict[str, str] = {}
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    earlier = sum(1 for _ in (folder / "sources").iterdir())
    for number, (origin, files) in enumerate(sorted(repositories.items()), earlier):
        path = folder / "sources" / f"{number:06}"
        make_git_repository(path, files, branch=branch)
        sources[str(path)] = origin
    out = folder / "archive"
    report = ingest(list(sources), out, visit_date=visit_date, origins=sources, export_name=export_name)
    assert not report.failed, report.failed
    return out
