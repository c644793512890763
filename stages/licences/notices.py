"""Notices: the distinct texts by which files speak of their licence.

Output of `notices_of_files` and `notices_of_headers` (NOTICES), in the order of the input rows and of the lines:

    sha1_git    string  the content that says it
    file_kind   string  what its path made of it (`candidates.KINDS`), `header` for what stands inside a file
    notice      string  SHA-256 (hex) of `text`: names the notice
    kind        string  spdx_tag | declared | text | bundled | appended (`bundled.py`) | header | mention (README,
                        comment below code)
    scope       list    globs of the files it speaks of, relative to its directory; null: all of it
    start_line  int32   first and last line in the file, from 1
    end_line    int32
    text        string  in normal form (`normal.py`); an SPDX tag's or a declaration's is the expression itself

Invariants: `text` is never empty; equal texts have equal names, whatever years, holders, wrapping or comment
markers they wore. Cost: the cue gate reads the first 16 kB of each file at 300 MB/s and more; only files
that pass are taken apart (about 1 ms each).
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest

import pyarrow as pa
import pyarrow.compute as pc

from foundation.canonical import sha256_bytes
from stages.licences.bundled import TEXT, parts
from stages.licences.candidates import licence_kind
from stages.licences.declared import declarations
from stages.licences.headers import HEAD_CHARACTERS, passages
from stages.licences.names import declared_expression
from stages.licences.normal import LICENCE_WORDS, normal_form, undressed, without_markup
from stages.licences.settings import Settings
from stages.licences.texts import known_text

NOTICES = pa.schema(
    [
        ("sha1_git", pa.string()),
        ("file_kind", pa.string()),
        ("notice", pa.string()),
        ("kind", pa.string()),
        ("scope", pa.list_(pa.string())),
        ("start_line", pa.int32()),
        ("end_line", pa.int32()),
        ("text", pa.string()),
    ]
)

HEADER = "header"
TAG_PREFIX = "SPDX-License-Identifier: "
PROSE = frozenset(
    {"Markdown", "Text", "reStructuredText", "AsciiDoc", "Org", "Textile", "RDoc", "MediaWiki", "Wikitext", "Pod",
     "Creole", "RMarkdown", "Rich Text Format"}
)  # fmt: skip
_PROSE_NAME = re.compile(
    rb"(?i)\.(?:md|markdown|mkd|rst|txt|adoc|asciidoc|org|textile|rdoc|wiki|rtf|license)$|(?:^|/)[^./]+$"
)
_NOT_READ = frozenset({"JSON", "Jupyter Notebook", "CSV", "TSV", "GeoJSON", "JSON Lines"})
_TEXT_KINDS = ("licence_file", "licenses_folder", "dot_license", "readme")  # read whole, in the first wave
_README_LINES, _README_COLUMNS = 80, 500
_HEADING = re.compile(
    r"^\s{0,3}(?:#{1,6}\s*|=+\s*)?(?:\W{0,4})(?:licen[cs](?:e|es|ing)|copying|legal)\b"
    r"[^a-z]{0,4}[\w &/]{0,40}\s*#*:?\s*$",
    re.I,
)
_ANY_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+\S|^\s{0,3}={1,6}\s+\S")
_PAGE_HEADING = re.compile(r"<h([1-6])\b[^>]{0,200}>(.{0,300}?)</h\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]{0,300}>")
_PAGE_SECTION = 8_000  # characters
_FILE_HEADING = re.compile(
    r"^[ \t]{0,3}([A-Za-z0-9_][\w+./-]{0,100}\."
    r"(?:c|h|cc|cpp|cxx|hpp|l|y|s|S|asm|py|pyx|js|ts|java|go|rs|rb|pl|pm|sh|lua))[ \t]*:[ \t]*$",
    re.MULTILINE,
)
_RULE = re.compile(r"^\s*([=\-~^*\"'`#+])\1{2,}\s*$")
_GRANT = re.compile(
    r"licen[cs]ed under|released under|distributed under|under the (?:terms|\S+ licen[cs]e)|licen[cs]e\s*:", re.I
)


@dataclasses.dataclass(frozen=True)
class _Notice:
    kind: str
    start: int
    end: int
    text: str
    scope: tuple[str, ...] = ()


def notices_of_files(files: pa.Table, *, settings: Settings | None = None) -> pa.Table:
    """NOTICES of licence-bearing files: `sha1_git`, `path` (binary), `kind` (`candidates.KINDS`), `text` (or null)."""
    limit = (settings or Settings()).max_notice_bytes
    columns = zip(*(files[name].to_pylist() for name in ("sha1_git", "path", "kind", "text")), strict=True)
    rows = []
    for content, path, kind, text in columns:
        if text:
            rows += [(content, kind, notice) for notice in _of_file(path, kind, text, limit)]
    return _table(rows)


def _of_file(path: bytes, kind: str, text: str, limit: int) -> Iterable[_Notice]:
    if kind == "manifest":
        return (_Notice("declared", d.line, d.line, d.text, d.scope) for d in declarations(path, text))
    if kind == "readme":
        return _page_sections(text[:limit]) if path.lower().endswith((b".html", b".htm")) else _mentions(text)
    if kind == "dot_license" and (tags := [p for p in passages(text, prose=True) if p.kind == "spdx_tag"]):
        return (_Notice(tag.kind, tag.start, tag.end, _tag_text(tag.text)) for tag in tags)
    if kind == "licence_file":
        return _sections(text, limit)
    return [_Notice("text", 1, text.count("\n") + 1, whole_text(text, limit=limit))]


def _sections(text: str, limit: int) -> Iterator[_Notice]:
    """A licence file as one text, or as its own and those that it prints for other software, or for single files."""
    text = text[:limit]
    heads = list(_FILE_HEADING.finditer(text))
    if heads and LICENCE_WORDS.search(text, 0, heads[0].start()):
        starts = [0, *(head.start() for head in heads), len(text)]
        names: list[tuple[str, ...]] = [(), *((head[1], f"*/{head[1]}") for head in heads)]
        cut = [(TEXT, start, end, scope) for scope, start, end in zip(names, starts, starts[1:], strict=False)]
    elif known_text(whole := whole_text(text, limit=limit)):
        yield _Notice(TEXT, 1, text.count("\n") + 1, whole)
        return
    else:
        cut = [(part.kind, part.start, part.end, part.globs) for part in parts(text)]
    for kind, start, end, scope in cut:
        first = text.count("\n", 0, start) + 1
        last = first + text.count("\n", start, end)
        yield _Notice(kind, first, last, whole_text(text[start:end], limit=limit), scope)


def whole_text(text: str, *, limit: int) -> str:
    """A licence file's text in normal form, without markup; no more than `limit` characters of it are read."""
    return normal_form(without_markup(text[:limit]))


def notices_of_headers(files: pa.Table, *, settings: Settings | None = None) -> pa.Table:
    """NOTICES inside files: `sha1_git`, `path` (binary), `text` (null: none), `language` (Linguist's name or null)."""
    limit = (settings or Settings()).max_notice_bytes
    cued = files.filter(_gate(files["text"]))
    cued = cued.filter(pc.invert(pc.is_in(licence_kind(cued["path"]), pa.array(_TEXT_KINDS))))
    columns = zip(*(cued[name].to_pylist() for name in ("sha1_git", "path", "text", "language")), strict=True)
    rows = []
    for content, path, text, language in columns:
        if language not in _NOT_READ:
            prose = language in PROSE or (language is None and bool(_PROSE_NAME.search(path)))
            rows += [(content, HEADER, notice) for notice in of_source(text, prose=prose, limit=limit)]
    return _table(rows)


def of_source(text: str, *, prose: bool, limit: int) -> Iterator[_Notice]:
    """The notices of one source file; see `headers.passages`."""
    for passage in passages(text, prose=prose):
        words = passage.text
        if passage.kind == "spdx_tag":
            words = _tag_text(words)
        elif passage.kind == "declared":
            words = declared_expression(words) or f"License: {words}"
        else:
            words = _normal(words[:limit])
        yield _Notice(passage.kind, passage.start, passage.end, words)


_normal = functools.lru_cache(maxsize=2_048)(normal_form)  # one header stands in many files; at most 2,048 × 16 kB


def _tag_text(value: str) -> str:
    """An SPDX tag's expression in normal form; what is none stays a tag line, for ScanCode to look at."""
    return declared_expression(value) or f"{TAG_PREFIX}{' '.join(value.split())}"


def _gate(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether the first HEAD_CHARACTERS bytes of each text, or a Perl file's POD, have a licence word."""
    raw = texts.cast(pa.large_binary())
    heads = pc.binary_slice(raw, 0, HEAD_CHARACTERS)
    cued = pc.match_substring_regex(heads, LICENCE_WORDS.pattern, ignore_case=True)
    pod = pc.match_substring(raw, "\n=head")
    return pc.fill_null(pc.or_(cued, pod), fill_value=False)


def _mentions(text: str) -> Iterator[_Notice]:
    """A README's licence section, else the sentences that grant a licence; the weakest statement there is."""
    lines = [line[:_README_COLUMNS] for line in text.splitlines()]
    at = next((i for i, line in enumerate(lines) if _is_licence_heading(lines, i)), None)
    if at is not None:
        end = next((i for i in range(at + 2, len(lines)) if _is_heading(lines, i)), len(lines))
        end = min(end, at + _README_LINES)
        section = [line for line in lines[at:end] if not _RULE.match(line)]
        yield _Notice("mention", at + 1, end, normal_form(without_markup("\n".join(section))))
        return
    for number, line in enumerate(lines, start=1):
        if _GRANT.search(line):
            window = lines[max(0, number - 2) : number + 2]
            yield _Notice("mention", number, number, normal_form(without_markup("\n".join(window))))
            return


def _page_sections(text: str) -> Iterator[_Notice]:
    """What stands below a heading "License" of a web page; what else a page says of licences may be about anything."""
    heads = list(_PAGE_HEADING.finditer(text))
    for head, following in zip_longest(heads, heads[1:]):
        if _HEADING.match(" ".join(_TAG.sub(" ", head[2]).split())):
            end = min(following.start() if following else len(text), head.end() + _PAGE_SECTION)
            first = text.count("\n", 0, head.start()) + 1
            last = first + text.count("\n", head.start(), end)
            yield _Notice("mention", first, last, normal_form(without_markup(f"<html>{text[head.end() : end]}")))
            return


def _is_licence_heading(lines: list[str], at: int) -> bool:
    if not _HEADING.match(lines[at]) or len(undressed(lines[at])) > 60:
        return False
    underlined = at + 1 < len(lines) and bool(_RULE.match(lines[at + 1]))
    return underlined or bool(_ANY_HEADING.match(lines[at])) or not lines[at].strip().endswith(".")


def _is_heading(lines: list[str], at: int) -> bool:
    underlined = at + 1 < len(lines) and bool(lines[at].strip()) and bool(_RULE.match(lines[at + 1]))
    return underlined or bool(_ANY_HEADING.match(lines[at]))


def _table(rows: Iterable[tuple[str, str, _Notice]]) -> pa.Table:
    records = [
        {
            "sha1_git": content,
            "file_kind": file_kind,
            "notice": name_of(notice.text),
            "kind": notice.kind,
            "scope": list(notice.scope) or None,
            "start_line": notice.start,
            "end_line": notice.end,
            "text": notice.text,
        }
        for content, file_kind, notice in rows
        if notice.text
    ]
    return pa.Table.from_pylist(records, schema=NOTICES)


def name_of(text: str) -> str:
    """The notice's name: SHA-256 (hex) of its normal form."""
    return sha256_bytes(text.encode("utf-8", "surrogatepass"))
