"""Which encoding a content is in, and the text that comes of it."""

from __future__ import annotations

import codecs

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.decoding import DECODED, FALLBACK_CONFIDENCE, decode

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю.\nprint('привет, мир')  # комментарий\n" * 4
CHINESE = "统计数据的处理程序，输入文件必须是文本格式。\nint main(void) { return 0; } /* 主函数 */\n" * 4
JAPANESE = "これは日本語のコメントです。出納帳の計算をします。\ntotal = 0  # 合計\n" * 4
GERMAN = "/* Zähler für Überläufe: größer als fünf */\nint zähler = 0;\n"


def rows(*contents: bytes | None) -> list[dict[str, object]]:
    return decode(pa.array(contents, pa.large_binary())).to_pylist()


def one(content: bytes) -> dict[str, object]:
    return rows(content)[0]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"int main;\n", "ascii"),
        (b"", "ascii"),
        ("naïve 日本\n".encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"a = 1\n", "utf-8-sig"),
        (RUSSIAN.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + RUSSIAN.encode("utf-16-be"), "utf-16"),
        (RUSSIAN.encode("utf-32"), "utf-32"),
        (codecs.BOM_UTF32_BE + GERMAN.encode("utf-32-be"), "utf-32"),
    ],
)
def test_what_the_bytes_prove_is_certain(content: bytes, encoding: str) -> None:
    found = one(content)
    assert (found["encoding"], found["encoding_confidence"], found["binary"]) == (encoding, 1.0, False)
    text = found["text"]
    assert isinstance(text, str) and not text.startswith("\ufeff")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "koi8-r"), (RUSSIAN, "cp1251"), (CHINESE, "gb18030"), (JAPANESE, "shift_jis")],
)
def test_legacy_encodings_come_back_as_they_were_written(text: str, encoding: str) -> None:
    found = one(text.encode(encoding))
    assert found["text"] == text
    assert found["encoding"] == encoding
    assert 0.5 <= float(str(found["encoding_confidence"])) < 1


def test_western_text_keeps_its_letters_whatever_it_is_called() -> None:
    found = one((GERMAN * 3).encode("latin-1"))
    assert found["text"] == GERMAN * 3
    assert found["encoding"] in {"iso8859-1", "cp1252"}


@pytest.mark.parametrize("text", ["café", "// naïve façade\nint x;\n", "© 2020 José Núñez\nimport x\n", "x = 'ÿ';\n"])
def test_a_few_accented_letters_are_western(text: str) -> None:
    assert one(text.encode("latin-1"))["text"] == text


def test_the_fallback_says_how_little_it_knows() -> None:
    assert one(b"x = '\xff';\n")["encoding_confidence"] == pytest.approx(FALLBACK_CONFIDENCE)


@pytest.mark.parametrize(("encoding", "word"), [("cp1250", "Zażółć gęślą jaźń"), ("iso8859-2", "Příliš žluťoučký kůň")])
def test_central_european_needs_letters_enough(encoding: str, word: str) -> None:
    text = f"/* {word} */\nint main(void) {{ return 0; }}\n" * 20
    assert one(text.encode(encoding))["text"] == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_without_bom_is_not_thrown_away(encoding: str) -> None:
    text = "Windows Registry Editor Version 5.00\r\n[HKEY_CURRENT_USER]\r\n" * 3
    found = one(text.encode(encoding))
    assert (found["text"], found["encoding"]) == (text, encoding)
    assert float(str(found["encoding_confidence"])) < 1


@pytest.mark.parametrize(
    "content",
    [
        b"int a;\0int b;\n",  # one NUL in a C file: binary, as git, Linguist and The Stack say
        bytes(range(256)) * 8,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40),
        b"\x7fELF\x02\x01\x01" + bytes(60),
        (b"\x01\x00\x02\x00\x03\x00\x10\x00" * 50),  # small 16-bit numbers are not UTF-16
        codecs.BOM_UTF16_LE + b"\x00\xd8" + b"a\0",  # a lone surrogate
        codecs.BOM_UTF8 + b"a\0b",
        bytes([0x81, 0x02, 0x8D, 0x03, 0x90, 0x04, 0x9D, 0x05]) * 30,
    ],
)
def test_binary_content_has_no_text(content: bytes) -> None:
    assert one(content) == {"text": None, "encoding": "binary", "encoding_confidence": 1.0, "binary": True}


def test_the_nul_that_wordpad_writes_below_rtf_is_no_content() -> None:
    assert one(b"{\\rtf1\\ansi Licence\\par\r\n}\r\n\0") == one(b"{\\rtf1\\ansi Licence\\par\r\n}\r\n")
    assert one(b"{\\rtf1 a\0b}\0")["binary"]


def test_a_null_content_is_neither_text_nor_binary() -> None:
    assert rows(None, b"a")[0] == {"text": None, "encoding": None, "encoding_confidence": None, "binary": False}


def test_a_batch_of_plain_utf8_is_not_copied() -> None:
    contents = pa.array([b"abc", "é".encode(), b""], pa.large_binary())
    text = decode(contents)["text"].chunk(0)
    assert text.buffers()[2].address == contents.buffers()[2].address


def test_slices_and_empty_batches_decode_like_their_rows() -> None:
    contents = pa.array([b"\xff\xfea\0", b"x", None, "é".encode("cp1252") * 3, b"y"], pa.large_binary())
    assert decode(contents.slice(1, 3)).to_pylist() == decode(contents).to_pylist()[1:4]
    assert decode(contents.slice(0, 0)).num_rows == 0
    assert decode(pa.chunked_array([contents, contents])).num_rows == 10


@given(st.text())
def test_any_text_without_nul_survives_utf8(text: str) -> None:
    found = one(text.encode())
    assert found["text"] == ("\0" not in text and text.removeprefix("\ufeff")) or "\0" in text


@given(st.lists(st.one_of(st.none(), st.binary(max_size=80)), max_size=8))
def test_every_row_depends_on_its_own_bytes_alone(contents: list[bytes | None]) -> None:
    together = decode(pa.array(contents, pa.large_binary()))
    together.validate(full=True)
    assert together.schema == DECODED
    assert together.to_pylist() == [rows(content)[0] for content in contents]
