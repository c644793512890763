"""A value is in the text that the caller gave, and nowhere else."""

import logging
import os
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

from stages.redaction import Settings, find, inspect, redact
from stages.redaction.detection import find_in_document
from stages.redaction.model import Window
from stages.redaction.plugins import scan_document
from stages.redaction.stage import redact_document
from tests.redaction.samples import AWS_ID, AWS_SECRET, GITHUB, PASSWORD, PEM

VALUES = (AWS_ID, AWS_SECRET, GITHUB, PASSWORD, "marta.kowalczyk@brightforge-labs.io", PEM.split("\n")[1])
TEXT = f"""[main]
aws_access_key_id = {AWS_ID}
aws_secret_access_key = {AWS_SECRET}
token = {GITHUB}
password = '{PASSWORD}'
password = '{PASSWORD}'  # pragma: allowlist secret
mail = marta.kowalczyk@brightforge-labs.io
{PEM}
"""
PATHS = ("a.ini", "a.yml", "a.txt", "a.py", ".env")


def files(*folders: Path) -> dict[Path, float]:
    return {path: path.stat().st_mtime for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("path", PATHS)
def test_no_value_is_logged_or_printed(path, caplog, capfd):
    caplog.set_level(1)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(1)
    texts, paths = pa.array([TEXT], pa.large_string()), pa.array([path.encode()], pa.binary())
    found = find(texts, paths, Settings())
    table = redact(texts, paths, settings=Settings())
    spans = inspect(pa.table({"id": ["1"], "path": [path], "content": [TEXT.encode()]}))
    out, err = capfd.readouterr()
    said = [caplog.text, out, err, found.to_pydict(), table.to_pydict(), spans.to_pydict()]
    assert [value for value in VALUES if value in str(said)] == []
    assert found.num_rows >= 5


def test_no_object_shows_a_value():
    data = TEXT.encode()
    shown = [
        repr(find_in_document(data, b"a.ini", Settings())),
        repr(scan_document(TEXT, "a.ini")),
        repr(redact_document(data, b"a.ini", Settings())),
        repr(Window(TEXT, 0, "config", "a.ini", Settings())),
    ]
    assert [value for value in VALUES if value in str(shown)] == []


def test_nothing_is_written_but_the_rule_cache(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    cache = Path(os.environ["GRISTMILL_CACHE_DIR"])
    for path in PATHS:
        redact_document(TEXT.encode(), path.encode(), Settings())
    assert files(tmp_path) == {}
    for path in files(cache):
        written = path.read_bytes()
        assert not any(value.encode() in written for value in VALUES)


def test_a_missing_scanner_says_what_to_do_and_no_value(monkeypatch):
    import sys

    from foundation.errors import ConfigError
    from stages.redaction import kingfisher

    kingfisher._scanner.cache_clear()
    monkeypatch.setitem(sys.modules, "kingfisher_sdk", None)
    with pytest.raises(ConfigError, match=r"redaction\.kingfisher") as caught:
        redact_document(TEXT.encode(), b"a.ini", Settings())
    assert not any(value in str(caught.value) for value in VALUES)
    assert redact_document(TEXT.encode(), b"a.ini", Settings(kingfisher=False)) is not None
