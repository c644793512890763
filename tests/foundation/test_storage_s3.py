import io
import random
import threading
import time

import pytest

from foundation.errors import CredentialsError, StorageError, UsageError
from foundation.storage import S3Settings, open_store
from tests.support.s3 import Proxy, S3Server

QUICK = {"anonymous": True, "connect_timeout": 1.0, "read_timeout": 0.6, "attempts": 6, "patience": 0.0}
BIG = random.Random(1).randbytes(3_000_000)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    root = tmp_path_factory.mktemp("s3")
    folder = root / "bucket" / "deep" / "content"
    folder.mkdir(parents=True)
    for number in range(1100):
        (folder / f"{number:04x}").write_bytes(b"%d" % number)
    (root / "bucket" / "deep" / "big").write_bytes(BIG)
    (root / "bucket" / "deep" / "empty").write_bytes(b"")
    (root / "bucket" / "deep" / "a-b").write_bytes(b"x")
    (root / "bucket" / "deep" / "a").mkdir()
    (root / "bucket" / "deep" / "a" / "b").write_bytes(b"y")
    return root


@pytest.fixture(scope="module")
def server(bucket):
    with S3Server(bucket) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@pytest.fixture
def proxy(server):
    with Proxy(server.port) as running:
        yield running


def store_at(endpoint, uri="s3://bucket/deep", **changes):
    return open_store(uri, s3=S3Settings(endpoint=endpoint, **{**QUICK, **changes}))


def test_a_bucket_answers_as_the_folder_does(bucket, server):
    local, remote = open_store(str(bucket / "bucket" / "deep")), store_at(server.endpoint)
    assert [(info.key, info.size) for info in remote.list()] == [(info.key, info.size) for info in local.list()]
    assert [info.key for info in remote.list("content")] == [info.key for info in local.list("content")]
    assert remote.folders() == local.folders() == ("a", "content")
    assert remote.folders("content") == ()
    keys = ["content/0001", "big", "missing", "empty", "content/044b"]
    both = [
        [answer if isinstance(answer, bytes) else None for answer in store.read_many(keys)] for store in (local, remote)
    ]
    assert both[0] == both[1] == [b"1", BIG, None, b"", b"1099"]
    assert remote.exists("big") and not remote.exists("content")
    with pytest.raises(FileNotFoundError):
        remote.read("missing")
    with pytest.raises(FileNotFoundError):
        remote.open("missing")
    assert remote.uri == "s3://bucket/deep"


def test_random_access_reads_the_bytes_of_the_object(server):
    choice, reference = random.Random(2), io.BytesIO(BIG)
    with store_at(server.endpoint).open("big") as stream:
        assert stream.seek(0, io.SEEK_END) == len(BIG)
        for _ in range(30):
            at, size = choice.randrange(len(BIG) + 10), choice.choice([0, 1, 100, 70_000, 2_000_000])
            stream.seek(at)
            reference.seek(at)
            assert stream.read(size) == reference.read(size)


@pytest.mark.parametrize("fault", ["cut_after", "stall_after"])
@pytest.mark.parametrize("size", [0, 100, 1_500_000])
def test_a_body_that_is_cut_or_stalls_is_read_again(proxy, fault, size):
    store = store_at(proxy.endpoint)
    getattr(proxy, fault)(size + 1000, times=2)
    assert store.read("big") == BIG
    assert proxy.faults == 2


def test_range_reads_survive_cuts_too(proxy):
    store = store_at(proxy.endpoint)
    with store.open("big") as stream:
        proxy.cut_after(700_000, times=2)
        stream.seek(500_000)
        assert stream.read(2_000_000) == BIG[500_000:2_500_000]
    assert proxy.faults == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [("503 Slow Down", "SlowDown"), ("500 Oops", "InternalError"), ("429 Too Many", "TooManyRequests")],
)
def test_a_busy_service_is_asked_again(proxy, status, code):
    store = store_at(proxy.endpoint)
    proxy.answer(status, code, times=3)
    assert store.read("content/0002") == b"2"
    assert proxy.faults == 3


def test_a_page_of_a_listing_that_is_cut_is_asked_for_again(proxy):
    store = store_at(proxy.endpoint)
    proxy.cut_after(2000, times=2)
    assert sum(1 for _ in store.list("content")) == 1100
    assert proxy.faults == 2


def test_giving_up_says_what_and_how_often(proxy):
    store = store_at(proxy.endpoint, attempts=3)
    proxy.answer("503 Slow Down", "SlowDown", times=50)
    with pytest.raises(
        StorageError, match=r"reading s3://bucket/deep/big at http://127.0.0.1:\d+ failed 3 times.*SlowDown"
    ):
        store.read("big")
    assert proxy.faults == 3


def test_a_killed_server_that_comes_back_is_waited_for(bucket):
    with S3Server(bucket) as server:
        store = store_at(server.endpoint, attempts=2, patience=30.0)
        keys = [f"content/{number:04x}" for number in range(200)]
        seen = []
        back = threading.Timer(1.5, server.start)
        for number, data in enumerate(store.read_many(keys, workers=4)):
            if number == 100:
                server.kill()
                back.start()
            seen.append(data)
        back.join()
        assert seen == [b"%d" % number for number in range(200)]


def test_nothing_there_fails_in_bounded_time(server):
    began = time.monotonic()
    with pytest.raises(StorageError, match="failed 2 times"):
        store_at("http://127.0.0.1:9", attempts=2)
    assert time.monotonic() - began < 10


def test_a_missing_bucket_is_named(server):
    with pytest.raises(CredentialsError, match="no bucket 'nowhere'"):
        store_at(server.endpoint, "s3://nowhere/x")


def test_refusals_name_the_bucket_and_the_mend_but_no_secret(bucket, monkeypatch):
    with S3Server(bucket, keys="AKIDEXAMPLE,right-secret") as server:
        with pytest.raises(CredentialsError, match=r"'bucket' refused .*anonymous") as refused:
            store_at(server.endpoint, anonymous=False)
        assert "AWS_ACCESS_KEY_ID" in refused.value.hint
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
        with pytest.raises(CredentialsError, match=r"'bucket' refused .*credentials were sent") as refused:
            store_at(server.endpoint, anonymous=False)
        assert "secret-" not in str(refused.value) and "wrong-secret" not in str(refused.value)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "right-secret")
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        assert store_at("", anonymous=False).read("content/0003") == b"3"


@pytest.mark.parametrize("uri", ["s3://", "s3://user:pw@bucket/x", "s3://bucket/x?y=z"])
def test_malformed_addresses(uri):
    with pytest.raises(UsageError, match="not an S3 address"):
        open_store(uri)
