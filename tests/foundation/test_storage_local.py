import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import StorageError, UsageError
from foundation.storage import ObjectInfo, open_store
from foundation.storage.threads import ordered_map

NAMES = st.text(alphabet="ab-.~0/", min_size=1, max_size=8).map(lambda text: "/".join(filter(None, text.split("/"))))


def tree(folder, keys):
    made = set()
    for key in sorted(keys, key=len):
        parts = key.split("/")
        if not key or {".", ".."} & set(parts) or any("/".join(parts[:at]) in made for at in range(1, len(parts))):
            continue
        path = folder / key
        if path.is_dir() or key.startswith(".tmp-"):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(key.encode())
        made.add(key)
    return made


@settings(max_examples=60, deadline=None)
@given(keys=st.sets(NAMES, max_size=12))
def test_listing_is_in_key_order_as_on_s3(keys, tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    made = tree(root, keys)
    listed = list(open_store(str(root)).list())
    assert [info.key for info in listed] == sorted(made)
    assert all(info.size == len(info.key.encode()) for info in listed)


def test_listing_below_a_prefix_and_folders(tmp_path):
    tree(tmp_path, ["a/x", "a/y/z", "ab/x", "b"])
    (tmp_path / "a" / ".tmp-unfinished").write_bytes(b"half")
    store = open_store(tmp_path.as_uri())
    assert list(store.list("a")) == [ObjectInfo("a/x", 3), ObjectInfo("a/y/z", 5)]
    assert list(store.list("nothing")) == []
    assert store.folders() == ("a", "ab")
    assert store.folders("b") == () == store.folders("nothing")
    assert store.exists("a/x") and not store.exists("a") and not store.exists("c")


def test_many_reads_keep_order_and_say_what_is_missing(tmp_path):
    keys = [f"k{number}" for number in range(200)]
    for key in keys[::2]:
        (tmp_path / key).write_bytes(key.encode() * 1000)
    for workers in (1, 4):
        answers = list(open_store(str(tmp_path)).read_many(keys, workers=workers))
        assert [isinstance(answer, FileNotFoundError) for answer in answers] == [False, True] * 100
        assert [answer for answer in answers if isinstance(answer, bytes)] == [key.encode() * 1000 for key in keys[::2]]


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/hostname", "a\0b"])
def test_no_key_leaves_the_root(tmp_path, key):
    store = open_store(str(tmp_path / "."))
    for action in (store.read, store.open, store.exists, lambda key: list(store.read_many([key]))):
        with pytest.raises(UsageError, match="unsafe key"):
            action(key)


def test_addresses_that_cannot_be(tmp_path):
    with pytest.raises(UsageError, match="unknown scheme"):
        open_store("ftp://example.org/x")
    with pytest.raises(UsageError, match="no folder"):
        open_store(str(tmp_path / "missing"))


def test_a_missing_file_is_told_from_a_failing_disk(tmp_path):
    (tmp_path / "folder").mkdir()
    store = open_store(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        store.read("nothing")
    with pytest.raises(StorageError, match=r"cannot read .*folder"):
        store.read("folder")


@given(items=st.lists(st.integers(), max_size=50), workers=st.integers(1, 4), batch=st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_threads_keep_the_order(items, workers, batch):
    assert list(ordered_map(lambda item: item * 2, items, workers=workers, batch=batch)) == [item * 2 for item in items]


def test_threads_raise_the_first_error_and_bound_what_is_in_flight():
    begun = []

    def work(item):
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        return item

    results = ordered_map(work, range(1000), workers=2)
    with pytest.raises(ValueError, match="three"):
        for _ in results:
            pass
    assert len(begun) < 20
