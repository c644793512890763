"""Private keys in PEM, OpenSSH, PGP, SSH2 and PuTTY form, from header to footer.

Looks at whole documents, because a key spans lines. A key written as one piece (also with escaped `\\n`)
is one finding; a key cut up by the quotes of string literals is one finding for each literal's content, so
that the program text around it stays valid. A block whose body is not key material (`***`, fewer than
40 base64 characters) is left alone. Public keys and certificates are never touched.

Bounds: a body is looked for within 64 KiB after its header, each byte belongs to one block at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.redaction.model import Finding

TRIGGERS = (r"BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY", r"PuTTY-User-Key-File-[0-9]")

_HEADER = re.compile(rb"-{4,5} ?BEGIN ([A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?) ?-{4,5}|PuTTY-User-Key-File-\d:")
_FOOTER = re.compile(rb"-{4,5} ?END ([A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?) ?-{4,5}")
_LONGEST = 65_536
_FEWEST = 40
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]")
_QUOTES = re.compile(rb"[\"'`]")
_PIECE = re.compile(rb"[^\"'`\r\n]+")
_ESCAPES = re.compile(rb"(?:\\[nrt])+$|^(?:\\[nrt])+")
_MATERIAL = re.compile(rb"[A-Za-z0-9+/=]+(?:\\[nr][A-Za-z0-9+/=]+)*|-{4,5} ?(?:BEGIN|END) [^\n]*")
_UNFINISHED_LINE = re.compile(rb"[ \t>#*/|\"'+]*[A-Za-z0-9+/=]{24,}[\"'+,; \t\\nr]*\r?\n?")
_PUTTY_END = re.compile(rb"Private-MAC: ?[0-9a-fA-F]{40,64}")


def find_key_blocks(data: bytes) -> Iterator[Finding]:
    """Every private key block of the document `data` (UTF-8)."""
    at = 0
    while header := _HEADER.search(data, at):
        start, end = header.start(), _end(data, header)
        if end is None or not _is_material(data[header.end() : end]):
            at = header.end()
            continue
        yield from _pieces(data, start, end)
        at = end


def _end(data: bytes, header: re.Match[bytes]) -> int | None:
    limit = min(len(data), header.end() + _LONGEST)
    following = _HEADER.search(data, header.end(), limit)
    if following:
        limit = following.start()
    if header[1] is None:
        footer = _PUTTY_END.search(data, header.end(), limit)
        return footer.end() if footer else None
    for footer in _FOOTER.finditer(data, header.end(), limit):
        if footer[1] == header[1]:
            return footer.end()
    return _end_of_unfinished(data, header.end(), limit)


def _end_of_unfinished(data: bytes, start: int, limit: int) -> int | None:
    """End of the base64 lines (or escaped run) that follow a header without a footer."""
    at = data.find(b"\n", start, limit) + 1
    first_line = data[start : at - 1 if at else limit]
    if len(_BASE64.findall(first_line)) >= _FEWEST and b"\\n" in first_line:
        run = re.compile(rb"(?:[A-Za-z0-9+/=]|\\[nr])+").match(data, start, limit)
        return run.end() if run else None
    end = None
    while at and (line := _UNFINISHED_LINE.match(data, at, limit)):
        end = at = line.end()
    return end and len(data[:end].rstrip(b"\r\n")) if end and end - start < _LONGEST else end


def _is_material(body: bytes) -> bool:
    material = _BASE64.findall(body.partition(b"-----END")[0])
    return len(material) >= _FEWEST and len(set(material)) >= 10


def _pieces(data: bytes, start: int, end: int) -> Iterator[Finding]:
    block = data[start:end]
    if not _QUOTES.search(block):
        yield _finding(start, end)
        return
    for piece in _PIECE.finditer(block):
        text = piece[0].strip()
        left = piece.start() + piece[0].index(text) if text else piece.start()
        lead = _ESCAPES.match(text)
        left += lead.end() if lead and lead.start() == 0 else 0
        text = _ESCAPES.sub(b"", text)
        if _MATERIAL.fullmatch(text):
            yield _finding(start + left, start + left + len(text))


def _finding(start: int, end: int) -> Finding:
    return Finding(start, end, "KEY", "gristmill", "private-key-block")
