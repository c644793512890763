"""Ids equal those of swh.model and git, for directories, git repositories, releases and snapshots."""

import os
import random
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swh.model import model
from swh.model.from_disk import Directory

from archive import ingest, open_archive, verify
from archive.objects import Branch, Entry, directory_id, hashes_of, parse_tree, release_manifest, snapshot_id
from archive.orc import read_table
from archive.tables import SPECS
from foundation.swhid import git_object_id
from tests.support.archives import VISIT_DATE, make_git_repository

NAME = st.binary(min_size=1, max_size=12).filter(
    lambda name: not {0, 47} & set(name) and name not in (b".", b"..", b".git")
)
HEX = st.binary(min_size=20, max_size=20).map(bytes.hex)


def rows(path, table):
    archive = open_archive(str(path))
    return read_table(archive.store, archive.files(table), table=table, columns=SPECS[table].schema.names).to_pylist()


def only_root(path):
    (branch,) = [row for row in rows(path, "snapshot_branch") if row["name"] == b"HEAD"]
    assert branch["target_type"] == "directory"
    return branch["target"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    entries=st.dictionaries(
        st.lists(NAME, min_size=1, max_size=3).map(b"/".join),
        st.tuples(st.sampled_from(["file", "executable", "link", "folder"]), st.binary(max_size=40)),
        max_size=10,
    )
)
def test_a_folder_has_the_id_that_swh_model_gives_it(entries, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    source = os.fsencode(folder / "source")
    os.mkdir(source)
    for name, (kind, data) in entries.items():
        path = os.path.join(source, name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if kind == "folder":
                os.makedirs(path, exist_ok=True)
            elif kind == "link":
                os.symlink(data.replace(b"\0", b"") or b"x", path)
            else:
                with open(path, "xb") as stream:
                    stream.write(data)
                os.chmod(path, 0o755 if kind == "executable" else 0o640)
        except (FileExistsError, NotADirectoryError):
            continue
    report = ingest([folder / "source"], folder / "archive", visit_date=VISIT_DATE)
    assert report.sources[0].status == "full" and not report.sources[0].notes
    expected = Directory.from_disk(path=source, max_content_length=None)
    assert only_root(folder / "archive") == expected.hash.hex()
    assert verify(open_archive(str(folder / "archive"))).sound


def test_content_hashes_equal_swh_models():
    for size in (0, 1, 10_000):
        data = random.Random(size).randbytes(size)
        expected = model.Content.from_data(data)
        found = hashes_of(data)
        for name in ("sha1", "sha1_git", "sha256", "blake2s256"):
            assert getattr(found, name) == getattr(expected, name).hex()


@given(
    st.dictionaries(
        NAME, st.tuples(st.sampled_from([0o100644, 0o100755, 0o120000, 0o040000, 0o160000]), HEX), max_size=8
    )
)
def test_directory_ids_and_parsing_are_git_s(entries):
    made = [Entry(name, mode, target) for name, (mode, target) in entries.items()]
    expected = model.Directory(
        entries=tuple(
            model.DirectoryEntry(name=entry.name, type=entry.type, target=bytes.fromhex(entry.target), perms=entry.mode)
            for entry in made
        )
    )
    assert directory_id(made) == expected.id.hex()


@given(
    st.dictionaries(
        NAME, st.one_of(HEX.map(lambda id_: (id_, "revision")), NAME.map(lambda name: (name, "alias"))), max_size=6
    )
)
def test_snapshot_ids_equal_swh_models(branches):
    made = {name: Branch(*target) for name, target in branches.items()}
    theirs = {
        name: model.SnapshotBranch(
            target=to.target if isinstance(to.target, bytes) else bytes.fromhex(to.target),
            target_type=model.SnapshotTargetType(to.target_type),
        )
        for name, to in made.items()
    }
    for to in made.values():
        if isinstance(to.target, bytes):
            theirs.setdefault(to.target, None)
    if any(to.target == name for name, to in made.items()):
        return  # swh-model refuses an alias to itself
    assert snapshot_id(list(made.items())) == model.Snapshot(branches=theirs).id.hex()


@given(name=st.binary(max_size=12), message=st.none() | st.binary(max_size=30))
def test_release_ids_equal_swh_models(name, message):
    target = "ab" * 20
    expected = model.Release(
        name=name,
        message=message,
        target=bytes.fromhex(target),
        target_type=model.ReleaseTargetType.DIRECTORY,
        synthetic=True,
    )
    manifest = release_manifest(target=target, target_type="directory", name=name, message=message)
    assert git_object_id("tag", manifest) == expected.id.hex()


def git(path, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": str(path), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", "-C", str(path), *arguments], check=True, capture_output=True, env=environment).stdout


@pytest.mark.parametrize("bare", [False, True])
def test_a_git_repository_gives_git_s_own_ids(tmp_path, bare):
    files = {
        "README.md": b"# hello\n",
        "bin/run": (0o100755, b"#!/bin/sh\n"),
        "bin/link": (0o120000, b"run"),
        b"latin-\xe9/\xff\n.txt": b"odd name",
        "vendor/module": (0o160000, b"12" * 20),
        "empty": b"",
        "group-writable": (0o100664, b"old git wrote such modes"),
    }
    commit = make_git_repository(tmp_path / "repo", files, bare=bare, offset_minutes=-210)
    report = ingest([tmp_path / "repo"], tmp_path / "archive", visit_date=VISIT_DATE)
    assert report.sources[0].status == "full" and report.sources[0].visit_type == "git"
    listed = git(tmp_path / "repo", "ls-tree", "-r", "-t", "-z", commit.decode()).split(b"\0")[:-1]
    expected = set()
    for line in listed:
        head, path = line.split(b"\t", 1)
        mode, kind, target = head.split()
        expected.add(
            (
                path.rpartition(b"/")[2],
                int(mode, 8),
                {b"tree": "dir", b"blob": "file", b"commit": "rev"}[kind],
                target.decode(),
            )
        )
    found = {
        (row["name"], row["perms"], row["type"], row["target"]) for row in rows(tmp_path / "archive", "directory_entry")
    }
    assert (b"group-writable", 0o100664) in {(name, mode) for name, mode, _, _ in found}  # as stored; ls-tree tidies it
    assert {(name, 0o100644 if mode == 0o100664 else mode, *rest) for name, mode, *rest in found} == expected
    (revision,) = rows(tmp_path / "archive", "revision")
    assert revision["id"] == commit.decode()
    assert revision["directory"] == git(tmp_path / "repo", "rev-parse", "HEAD^{tree}").decode().strip()
    assert (revision["date"].timestamp(), revision["date_offset"]) == (1_700_000_000, -210)
    branches = {
        row["name"]: (row["target"], row["target_type"]) for row in rows(tmp_path / "archive", "snapshot_branch")
    }
    assert branches == {
        b"HEAD": (b"refs/heads/main".hex(), "alias"),
        b"refs/heads/main": (commit.decode(), "revision"),
    }
    assert verify(open_archive(str(tmp_path / "archive"))).sound


def test_a_tree_that_is_not_canonical_keeps_its_id_by_its_raw_manifest(tmp_path):
    commit = make_git_repository(tmp_path / "repo", {"a": b"1", "b": b"2"})
    good = bytes.fromhex(git(tmp_path / "repo", "rev-parse", "HEAD^{tree}").decode().strip())
    body = b"".join(
        b"%06o %s\0" % (mode, name) + bytes.fromhex(target)
        for mode, name, target in [
            (0o100644, b"z", hashes_of(b"1").sha1_git),  # not sorted
            (0o040000, b"below", good.hex()),  # padded mode
            (0o100644, b"..", hashes_of(b"2").sha1_git),  # hostile
        ]
    )
    odd = git_object_id("tree", body)
    subprocess.run(
        ["git", "-C", str(tmp_path / "repo"), "hash-object", "-t", "tree", "--literally", "-w", "--stdin"],
        input=body, check=True, capture_output=True,
    )  # fmt: skip
    text = git(tmp_path / "repo", "cat-file", "commit", commit.decode()).replace(good.hex().encode(), odd.encode())
    made = subprocess.run(
        ["git", "-C", str(tmp_path / "repo"), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=text, check=True, capture_output=True,
    ).stdout.strip()  # fmt: skip
    (tmp_path / "repo" / ".git" / "refs" / "heads" / "main").write_bytes(made + b"\n")
    report = ingest([tmp_path / "repo"], tmp_path / "archive", visit_date=VISIT_DATE)
    assert [(note.path, note.reason) for note in report.sources[0].notes] == [("..", "refused name")]
    manifests = {row["id"]: row["raw_manifest"] for row in rows(tmp_path / "archive", "directory")}
    assert manifests == {odd: b"tree %d\0" % len(body) + body, good.hex(): None}
    assert {row["name"] for row in rows(tmp_path / "archive", "directory_entry")} == {b"z", b"below", b"a", b"b"}
    assert [entry.name for entry in parse_tree(body)] == [b"z", b"below", b".."]
    assert verify(open_archive(str(tmp_path / "archive"))).sound
