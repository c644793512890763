"""From a bucket: the same root as from the folder, also when the server dies in the middle and comes back."""

import threading
from pathlib import Path

import pytest

from foundation.errors import CredentialsError
from pipeline.recipe import Recipe
from pipeline.recipe_file import parse_recipe
from tests.support import mill
from tests.support.s3 import S3Server


def recipe_for(server: S3Server) -> Recipe:
    s3 = {"endpoint": server.endpoint, "anonymous": True, "read_timeout": 2.0, "connect_timeout": 1.0}
    return parse_recipe({**mill.RECIPE, "archive": {"s3": s3}}, name="s3")


def test_a_bucket_gives_the_folders_root_even_if_the_server_dies_on_the_way(tmp_path: Path) -> None:
    archive = mill.make(tmp_path / "bucket")
    reference = mill.build_in(tmp_path / "folder", archive)
    total, done, died = mill.count_records(tmp_path / "folder"), threading.Event(), threading.Event()
    memo = tmp_path / "folder" / "builds" / "mill" / "licences" / "memo"
    with S3Server(tmp_path) as server:

        def kill_and_restart() -> None:
            while not done.is_set() and mill.count_records(tmp_path / "out") < total // 3:
                done.wait(0.01)
            server.kill()
            died.set()
            done.wait(1.0)
            server.restart()

        watcher = threading.Thread(target=kill_and_restart)
        watcher.start()
        try:
            built = mill.build_in(tmp_path / "out", "s3://bucket/archive", recipe=recipe_for(server), memo=memo)
        finally:
            done.set()
            watcher.join()
    assert died.is_set()
    assert built.result.merkle_root == reference.result.merkle_root


def test_a_missing_bucket_is_named(tmp_path: Path) -> None:
    with S3Server(tmp_path) as server, pytest.raises(CredentialsError, match="nowhere"):
        mill.build_in(tmp_path / "out", "s3://nowhere/archive", recipe=recipe_for(server))
    assert not (tmp_path / "out" / "releases").exists()
