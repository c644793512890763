"""Line ends of every kind cost no more than others: a commented file with CRLF must not be tried in 2^n ways."""

import pyarrow as pa
import pytest

from stages.redaction import Settings, redact


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\r", "\r\r\n"])
def test_a_long_commented_head_is_read_in_linear_time(end: str) -> None:
    text = end.join(["# a comment", "", ";"] * 2000) + end + "x = 1" + end
    for name in (b"setup.py", b"settings.ini", b"config", b"deploy.yml"):
        result = redact(pa.array([text], pa.large_string()), pa.array([name], pa.binary()), settings=Settings())
        assert result["text"].to_pylist() == [text]
