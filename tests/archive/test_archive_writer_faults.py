"""A full disk, a read-only folder, and a kill at any moment leave a sound archive that a second run completes."""

import os
import resource
import signal
import subprocess
import sys
import textwrap

import pytest

from archive import ingest, list_origins, open_archive, verify
from archive.contents import key_of
from foundation.errors import StorageError
from tests.support.archives import VISIT_DATE, make_archive

SOURCES = {
    f"https://example.org/{number}": {f"f{at}": b"%d %d" % (number, at) for at in range(12)} for number in range(3)
}


def files_of(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def in_child(action):
    """Run `action` in a forked child; returns its exit status as os.waitpid gives it."""
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        except StorageError as error:
            os._exit(40 if "cannot write" in error.message and error.hint else 41)
        except BaseException:  # noqa: BLE001 — a child of fork must never return
            os._exit(42)
    return os.waitpid(child, 0)[1]


def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path):
    source = tmp_path / "s"
    source.mkdir()
    (source / "small").write_bytes(b"fits")
    (source / "zz-big").write_bytes(os.urandom(300_000))

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        ingest([source], tmp_path / "out", visit_date=VISIT_DATE)

    assert os.waitstatus_to_exitcode(in_child(limited)) == 40
    assert not list((tmp_path / "out").rglob(".tmp-*")) and not list((tmp_path / "out").rglob("*.orc"))
    assert len(list((tmp_path / "out" / "content").iterdir())) <= 1
    ingest([source], tmp_path / "out", visit_date=VISIT_DATE)
    assert verify(open_archive(str(tmp_path / "out"))).sound


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_is_said(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "out").mkdir(mode=0o555)
    with pytest.raises(StorageError, match="cannot write") as error:
        ingest([tmp_path / "s"], tmp_path / "out", visit_date=VISIT_DATE)
    assert "can be written" in error.value.hint


@pytest.mark.skipif(not os.path.isdir("/sys"), reason="needs a file system that takes no folders, even from root")
def test_a_file_system_that_takes_nothing_is_said(tmp_path):
    (tmp_path / "s").mkdir()
    with pytest.raises(StorageError, match="cannot write /sys/"):
        ingest([tmp_path / "s"], "/sys/gristmill", visit_date=VISIT_DATE)


def test_an_output_that_is_a_file_is_said(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot write"):
        ingest([tmp_path / "s"], tmp_path / "out", visit_date=VISIT_DATE)


def test_damaged_objects_are_mended_by_ingesting_again(tmp_path):
    out = make_archive(tmp_path, SOURCES)
    whole = files_of(out)
    for number, file in enumerate(sorted((out / "content").iterdir())[:3]):
        file.write_bytes([b"", bytes(30), file.read_bytes()[:-4]][number])
    assert not verify(open_archive(str(out))).sound
    sources = {str(path): "" for path in sorted((tmp_path / "sources").iterdir())}
    origins = dict(zip(sources, sorted(SOURCES), strict=True))
    report = ingest(list(sources), out, visit_date=VISIT_DATE, origins=origins)
    assert report.contents_written == 3 and {source.status for source in report.sources} == {"unchanged"}
    assert files_of(out) == whole and key_of("x") == "content/x"


KILLED = """
    import os, pathlib, signal, sys
    from archive import ingest
    from tests.support.archives import VISIT_DATE
    last, sources, out, *origins = sys.argv[1:]
    sources = sorted(map(str, pathlib.Path(sources).iterdir()))
    writes, replace = 0, pathlib.Path.replace

    def counted(self, target):
        # every file reaches its final name by this call
        global writes
        if writes == int(last):
            os.kill(os.getpid(), signal.SIGKILL)
        writes += 1
        return replace(self, target)

    pathlib.Path.replace = counted
    ingest(sources, out, visit_date=VISIT_DATE, export_name="2025-06-01", origins=dict(zip(sources, origins)))
"""


# the ingest makes 36 contents, then nine tables' files in their order; the last one holds the visits
@pytest.mark.parametrize("last", [20, 39, 44])
def test_a_killed_ingest_leaves_a_sound_archive_and_completes(tmp_path, last):
    first = {"https://example.org/first": {"f": b"earlier"}}
    whole, out = make_archive(tmp_path / "whole", first), make_archive(tmp_path, first)
    before = list_origins(open_archive(str(out)))
    make_archive(tmp_path / "whole", SOURCES, visit_date=VISIT_DATE)
    sources = tmp_path / "more" / "sources"
    make_archive(tmp_path / "more", SOURCES)
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(last), str(sources), str(out), *sorted(SOURCES)]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": os.getcwd()}, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    archive = open_archive(str(out))
    assert list_origins(archive) == before and verify(archive).sound
    origins = dict(zip(sorted(map(str, sources.iterdir())), sorted(SOURCES), strict=True))
    ingest(list(origins), out, visit_date=VISIT_DATE, origins=origins)
    assert files_of(out) == files_of(whole)
