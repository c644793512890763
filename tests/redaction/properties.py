"""What must hold of every text, and a grammar of texts that look like secrets; for the tests and the long fuzzing."""

import re
from functools import cache

import pyarrow as pa
from hypothesis import strategies as st

from stages.redaction import DEFAULT_PLACEHOLDERS, Settings, redact
from stages.redaction.model import words
from stages.redaction.placeholders import QUOTES
from stages.redaction.stage import redact_document
from tests.redaction import samples

PATHS = (
    "a.py",
    "a.yml",
    "a.ini",
    "a.env",
    "a.txt",
    "a.js",
    "a.c",
    "README",
    "a.json",
    "a.md",
    ".npmrc",
    "a.xml",
    "k.pem",
)
VALUES = (
    *(value for name, value in sorted(vars(samples).items()) if name.isupper() and isinstance(value, str)),
    "olga@forge.io",
    "olga@example.com",
    '"o l"@forge.io',
    "78.141.62.146",
    "10.0.0.1/8",
    "2a03:6885:f2e8:7f72::8b1%eth0",
    "+44 7700 900461",
    "020 8366 1177",
    "4556 7397 4450 8063",
    "GB82 WEST 1234 5698 7654 32",
    "00:1B:44:11:3A:B7",
    "kagUAt4qxhgsb7dl4JWWqicQxOidC10WI0kLjIdS",
    "2b00042f7481c7b056c4b410d28f33cf",
    "c3VwZXIgbG9uZyBzdHJpbmcgd2l0aCBlbnRyb3B5Cg==",
    "Olga Nowak",
    "changeme",
    "${PASSWORD}",
    *DEFAULT_PLACEHOLDERS.values(),
)
NAMES = words(
    "password passwd DB_PASS secret client_secret token api_key apiKey key auth Authorization Bearer Basic user login "
    "machine phone tel: IBAN card ip address host Signed-off-by: @author __author__ --password -u sig= ?key= пароль "
    "aws_secret_access_key AccountKey private_key _authToken credentials seed"
)
MARKS = (
    *"=:;,.<>()[]{}'\"`@#$%&*+-/\\|?!^~_ \t\n\r\x00\x0b\x1c\x85\u2028\ufeff",
    " = ",
    ": ",
    ' = "',
    '", "',
    ":=",
    "=>",
    "://",
    "\r\n",
    "\\n",
    '\\"',
    "&quot;",
    "</",
    "<!--",
    "- ",
    "[a]\n",
    "%(x)s",
    "&a ",
    "*a",
    "<<: ",
    "|\n  ",
    "é",
    "ß",
    "İ",
    "中文",
    "🔒",
    "a\u0301",
    "٣",
    "\ufffd",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "-----END ",
    "PuTTY-User-Key-File-2: ",
)
PIECES = (*VALUES, *NAMES, *MARKS)
_LINE_END = re.compile(r"\r\n?|\n")
_INDENT = re.compile(r"[ \t]*")
_BARE = re.compile(r"[\w.]+", re.ASCII)

_PIECE = st.sampled_from(PIECES) | st.text(max_size=8)
TEXTS = (
    st.lists(_PIECE, max_size=24).map("".join)
    | st.tuples(st.lists(_PIECE, min_size=1, max_size=4).map("".join), st.integers(1, 60)).map(lambda x: x[0] * x[1])
    | st.binary(max_size=80).map(lambda data: data.decode("utf-8", "replace"))
)


@cache
def chosen(level: str) -> Settings:
    """Settings of a sensitivity, with every kind."""
    return Settings(sensitivity=level, kinds=tuple(DEFAULT_PLACEHOLDERS)) if level == "high" else Settings()


def check(text: str, path: str, level: str = "medium") -> None:
    """Assert that redaction of `text` ends, changes spans alone, keeps lines, and changes nothing when repeated."""
    settings, data = chosen(level), text.encode()
    result = redact_document(data, path.encode(), settings)
    table = redact(pa.array([text], pa.large_string()), pa.array([path.encode()], pa.binary()), settings=settings)
    redacted, rows = table["text"][0].as_py(), table["redactions"][0].as_py()
    if result is None:
        assert redacted == text and rows == []
        return
    assert redacted == result.data.decode()
    _check_spans(data, result, redacted, rows, quote=QUOTES.get(path.rpartition(".")[2], b"").decode())
    assert _LINE_END.findall(redacted) == _LINE_END.findall(text)
    assert redact_document(result.data, path.encode(), settings) is None


def _check_spans(data, result, redacted, rows, *, quote) -> None:
    """Bytes outside spans are those of the original; inside stand the placeholder, the line ends, the last indentation.

    A bare value of a language with `quote` may have become a string: whole words only, and one line.
    """
    at = old = 0
    assert len(rows) == len(result.spans)
    for span, start, end, row in zip(result.spans, result.starts, result.ends, rows, strict=True):
        placeholder = DEFAULT_PLACEHOLDERS[span.kind]
        original = data[span.start : span.end].decode()
        ends = list(_LINE_END.finditer(original))
        indent = _INDENT.match(original, ends[-1].end())[0] if ends else ""
        assert old <= span.start < span.end and result.data[at:start] == data[old : span.start]
        shown = redacted[row["start"] : row["end"]]
        layout = result.data[start:end].decode().removeprefix(shown)
        line_ends = "".join(match[0] for match in ends)
        assert layout in (line_ends, line_ends + indent) and row["kind"] == span.kind
        assert shown == placeholder or (shown == quote + placeholder + quote and _BARE.fullmatch(original))
        assert row["original_length"] == len(original) - len(layout)
        at, old = end, span.end
    assert result.data[at:] == data[old:]
