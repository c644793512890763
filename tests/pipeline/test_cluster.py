"""Two Ray nodes: the same root as in one process, also when a node is lost in the middle."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import mill

pytest.importorskip("ray.cluster_utils")


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False},
    )
    yield made
    made.shutdown()


def test_a_lost_node_changes_nothing(cluster: Any, tmp_path: Path) -> None:
    archive = mill.make(tmp_path / "in")
    alone = mill.build_in(tmp_path / "alone", archive)
    second = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
    cluster.wait_for_nodes()
    total, done, lost = mill.count_records(tmp_path / "alone"), threading.Event(), threading.Event()

    def lose_a_node() -> None:
        while not done.is_set() and mill.count_records(tmp_path / "two") < total // 2:
            done.wait(0.02)
        cluster.remove_node(second, allow_graceful=False)
        lost.set()

    watcher = threading.Thread(target=lose_a_node)
    watcher.start()
    try:
        built = mill.build_in(tmp_path / "two", archive, workers=2, address=cluster.address)
    finally:
        done.set()
        watcher.join()
    assert lost.is_set()
    assert built.result.merkle_root == alone.result.merkle_root
