"""Bytes to text: which encoding a content is in, and its text, or that it is binary.

Output of `decode` (DECODED), one row a content in the order given:

    text                 large_string  null when binary (or when the content is null); never starts with a BOM
    encoding             string        ascii | utf-8 | utf-8-sig | utf-16 | utf-32 | utf-16-le … | a Python
                                       codec name (gb18030, shift_jis, koi8-r, cp1251, iso8859-1 …) | binary
    encoding_confidence  float32       1 where the bytes prove it, else the detector's own figure
    binary               bool          no text could be made of it

Order of the tests, the first that fits decides:

1. BOM of UTF-8, UTF-32 or UTF-16, if the rest decodes strictly. The shipped text carries no BOM, the
   label keeps it visible (`utf-8-sig`, `utf-16`, `utf-32`: byte order was in the BOM).
2. Strict UTF-8 without NUL; `ascii` when no byte is above 0x7F.
3. NUL bytes: UTF-32 or UTF-16 without BOM where the decoding is strict, a quarter of the characters are
   ASCII, none is NUL and next to none a control. Anything else with a NUL, one NUL in a C file included, is
   binary: git, Linguist and The Stack (v2 and v3) say so too. But for RTF, which ends with its last brace: the NUL that
   WordPad writes below it is no content.
4. faust-cchardet, when its guess is not UTF-8 (that has failed), decodes strictly, reads as text, and
   `_believable` agrees: on few letters its guesses between Latin code pages are a coin toss, and it takes
   single accented letters for Chinese.
5. iso8859-1 (cp1252 where bytes 0x80-0x9F occur), if the result reads as text: FALLBACK_CONFIDENCE.
6. binary.

Cost: plain UTF-8 is not copied (0.5 to 1 GB/s); only the exceptions are looked at one by one (detector
about 20 MB/s, shown at most PROBE bytes). Memory: one copy of the batch when it has exceptions.
"""

from __future__ import annotations

import codecs
import re
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["DECODED", "VERSION", "decode"]

VERSION = "1"

DECODED = pa.schema(
    [
        ("text", pa.large_string()),
        ("encoding", pa.string()),
        ("encoding_confidence", pa.float32()),
        ("binary", pa.bool_()),
    ]
)

PROBE = 1 << 18  # bytes the detector is shown, from just before the first one that is not ASCII
LEAST_CONFIDENCE = 0.5  # of the detector, to be believed on few letters
MANY_LETTERS = 8  # bytes above 0x7F
FALLBACK_CONFIDENCE = 0.3
WIDE_CONFIDENCE = 0.9  # UTF-16/32 without BOM: every test passed, none is a proof
_CONTROL_SHARE = 0.02  # more control characters than this, and it is no text

# Code pages of Latin letters other than Western European ones: alike in most bytes, told apart by few.
_LATIN = frozenset(
    {
        "iso8859-2",
        "iso8859-3",
        "iso8859-4",
        "iso8859-9",
        "iso8859-10",
        "iso8859-13",
        "iso8859-14",
        "iso8859-16",
        "cp1250",
        "cp1254",
        "cp1257",
        "cp1258",
        "cp437",
        "cp850",
        "cp852",
        "cp858",
        "cp863",
        "cp865",
        "mac-roman",
        "mac-latin2",
        "mac-centeuro",
        "mac-croatian",
        "mac-turkish",
    }
)
_WIDE = (
    ("utf-32-le", np.dtype("<u4")),
    ("utf-32-be", np.dtype(">u4")),
    ("utf-16-le", np.dtype("<u2")),
    ("utf-16-be", np.dtype(">u2")),
)
_WESTERN = frozenset({"iso8859-1", "iso8859-15", "cp1252"})

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Controls that no text holds (tab, line ends, form feed, backspace, bell and escape do occur), what Unicode
# will never assign, and private use.
_CONTROL = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ue000-\uf8ff\ufffe\uffff]")
_C1 = re.compile(rb"[\x80-\x9f]")
_RUN = re.compile(rb"[^\x00-\x7f]{2,}")
_NOT_ASCII = re.compile(rb"[^\x00-\x7f]")

_Decoded = tuple[str | None, str, float]
_RTF = b"{\\rtf"
_BINARY: _Decoded = (None, "binary", 1.0)


def decode(contents: pa.LargeBinaryArray) -> pa.Table:
    """DECODED for each of `contents`; a null content has null text, encoding and confidence, and is not binary."""
    if isinstance(contents, pa.ChunkedArray):
        contents = contents.combine_chunks()
    high, special = _scan(*_buffers(contents))
    present = np.asarray(contents.is_valid())
    high, special = high & present, special & present
    exceptions = np.flatnonzero(special)
    for at in np.flatnonzero(high & ~special):
        if not _is_utf8(contents[int(at)].as_buffer()):
            exceptions = np.append(exceptions, at)
    plain = pa.array(np.where(high, "utf-8", "ascii"), pa.string(), mask=~present)
    sure = pa.array(np.ones(len(contents), np.float32), mask=~present)
    if not len(exceptions):
        return pa.table([_as_text(contents), plain, sure, pa.array(np.zeros(len(contents), np.bool_))], schema=DECODED)
    exceptions = np.sort(exceptions)
    found = [_decode_one(contents[int(at)].as_py()) for at in exceptions]
    mask = np.zeros(len(contents), np.bool_)
    mask[exceptions] = True
    texts, encodings, confidences = zip(*found, strict=True)
    binary = np.zeros(len(contents), np.bool_)
    binary[exceptions] = [text is None for text in texts]
    return pa.table(
        [
            pc.replace_with_mask(_as_text(contents), mask, pa.array(texts, pa.large_string())),
            pc.replace_with_mask(plain, mask, pa.array(encodings, pa.string())),
            pc.replace_with_mask(sure, mask, pa.array(confidences, pa.float32())),
            pa.array(binary),
        ],
        schema=DECODED,
    )


def _buffers(contents: pa.LargeBinaryArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    _, offsets, data = contents.buffers()
    if not len(contents):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    ends = np.frombuffer(offsets, dtype=np.int64)[contents.offset : contents.offset + len(contents) + 1]
    return np.frombuffer(data if data is not None else b"", dtype=np.uint8), ends


@numba.njit(cache=True, nogil=True)
def _scan(data: Any, ends: Any) -> Any:
    """For each value: has it a byte above 0x7F; has it a NUL, or may it start with a BOM."""
    documents = len(ends) - 1
    high = np.zeros(documents, dtype=np.bool_)
    special = np.zeros(documents, dtype=np.bool_)
    for document in range(documents):
        start, end = ends[document], ends[document + 1]
        least, most = np.uint8(255), np.uint8(0)
        for at in range(start, end):
            least = min(least, data[at])
            most = max(most, data[at])
        high[document] = most >= 0x80
        special[document] = end > start and (least == 0 or data[start] >= 0xEF)
    return high, special


def _is_utf8(data: pa.Buffer) -> bool:
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _as_text(contents: pa.LargeBinaryArray) -> pa.LargeStringArray:
    """The same buffers as text, unchecked: the caller knows, or replaces, what is not UTF-8."""
    validity, ends, data = contents.buffers()
    empty = pa.py_buffer(b"")
    return pa.LargeStringArray.from_buffers(
        len(contents), ends or pa.py_buffer(bytes(8)), data or empty, validity, contents.null_count, contents.offset
    )


def _decode_one(data: bytes) -> _Decoded:
    """Text (null when binary), encoding and confidence of one content that is not plain UTF-8."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            text = _strict(data, encoding)
            if text is not None and "\0" not in text:
                return text, encoding, 1.0
    if data.startswith(_RTF) and data.endswith(b"\0"):
        return _decode_one(data.rstrip(b"\0"))
    if b"\0" in data:
        return _wide(data) or _BINARY
    text = _strict(data, "utf-8")
    if text is not None:
        return text, "ascii" if data.isascii() else "utf-8", 1.0
    return _detect(data) or _BINARY


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return str(data, encoding)
    except (UnicodeError, LookupError):
        return None


def _reads_as_text(text: str) -> bool:
    sample = text[:PROBE]
    return len(_CONTROL.findall(sample)) <= _CONTROL_SHARE * len(sample)


def _wide(data: bytes) -> _Decoded | None:
    """UTF-32 or UTF-16 without BOM, if one of them makes it text with a good share of ASCII."""
    for encoding, unit in _WIDE:
        if len(data) % unit.itemsize:
            continue
        units: npt.NDArray[np.unsignedinteger[Any]] = np.frombuffer(data, dtype=unit)
        ascii_units = int(np.count_nonzero(units < 0x80))
        if ascii_units < len(units) / 4 or not units.all():
            continue
        text = _strict(data, encoding)
        if text is not None and _reads_as_text(text):
            return text, encoding, WIDE_CONFIDENCE
    return None


def _detect(data: bytes) -> _Decoded | None:
    """faust-cchardet's guess if it stands up, else Western European, else a weak guess, else nothing."""
    import cchardet

    first = _NOT_ASCII.search(data)
    start = max(0, (first.start() if first else 0) - 1024)
    probe = data[start : start + PROBE]
    guess = cchardet.detect(probe)
    name, confidence = guess.get("encoding"), min(float(guess.get("confidence") or 0.0), 0.99)
    found = _candidate(data, name) if name else None
    if found is not None and _believable(found[1], confidence, probe):
        return found[0], found[1], round(confidence, 2)
    western = ("cp1252", "iso8859-1") if _C1.search(data) else ("iso8859-1",)
    for encoding in western:
        text = _strict(data, encoding)
        if text is not None and _reads_as_text(text):
            return text, encoding, FALLBACK_CONFIDENCE
    return None if found is None else (found[0], found[1], round(confidence, 2))


def _believable(encoding: str, confidence: float, probe: bytes) -> bool:
    """Whether the detector's guess is worth more than Western European.

    Latin letters above ASCII stand alone between ASCII ones; those of other scripts stand together.
    """
    letters, runs = len(_NOT_ASCII.findall(probe)), _RUN.findall(probe)
    if encoding in _WESTERN:
        return True
    if encoding in _LATIN:
        return letters >= MANY_LETTERS
    together = sum(map(len, runs)) >= letters / 2
    return together and (letters >= MANY_LETTERS or confidence >= LEAST_CONFIDENCE)


def _candidate(data: bytes, name: str) -> tuple[str, str] | None:
    """Text and canonical codec name, if the guess `name` decodes all of `data` to something like text."""
    try:
        encoding = codecs.lookup(name).name
    except LookupError:
        return None
    if encoding in ("utf-8", "utf-8-sig", "ascii", "utf-7"):
        return None
    text = _strict(data, encoding)
    return (text, encoding) if text is not None and _reads_as_text(text) else None
