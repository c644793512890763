"""The comments of a head found a line at a time, without any shortcut: what `headers.passages` is held against."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stages.licences import headers
from stages.licences.headers import Passage
from stages.licences.normal import LICENCE_WORDS, is_holder, undressed

Line = tuple[int, str]


def passages_line_by_line(text: str, *, prose: bool) -> list[Passage]:
    """What `headers.passages` finds in a text without POD."""
    head = text[: headers.HEAD_CHARACTERS]
    lines = head.splitlines()
    found: list[Passage] = []
    tagged: set[int] = set()
    for code_lines, block in _blocks(lines, prose=prose):
        found += _of_block(block, tagged, kind="header" if code_lines <= headers.LEAD_IN_LINES else "mention")
    found += [tag for tag in headers._loose_tags(lines, range(1, len(lines) + 1)) if tag.start not in tagged]
    for name in headers._PYTHON_NAME.finditer(head):
        line = head.count("\n", 0, name.start()) + 1
        found.append(Passage("declared", line, line, name[1]))
    return found


def _blocks(lines: Sequence[str], *, prose: bool) -> Iterator[tuple[int, list[Line]]]:
    openers = headers._PROSE_OPENERS if prose else headers._OPENERS
    prefix: re.Pattern[str] = headers._PROSE_PREFIX if prose else headers._PREFIX
    block: list[Line] = []
    closer: str | None = None
    code = 0
    for number, line in enumerate(lines, start=1):
        bare = headers._LEAD_IN.sub("", line.strip(), count=1)
        if closer is not None:
            inside, closed, _ = bare.partition(closer)
            block.append((number, inside))
            closer = None if closed else closer
            continue
        opened = headers._opened(bare, openers, lines, number)
        if opened:
            inside, closed, _ = bare[len(opened[0]) :].partition(opened[1])
            block.append((number, inside))
            closer = None if closed else opened[1]
        elif bare and prefix.match(bare) and not bare.startswith("#!"):
            block.append((number, line))
        elif not bare:
            block += [(number, "")] if block else []
        else:
            if block:
                yield code, block
            block, code = [], code + (not bare.startswith("#!"))
        if block and block[0][0] > headers.HEAD_LINES:
            return
    if block:
        yield code, block


def _of_block(block: Sequence[Line], tagged: set[int], *, kind: str) -> list[Passage]:
    tags = [tag for number, line in block for tag in headers._tags(number, line)]
    tagged.update(tag.start for tag in tags)
    if tags:
        return tags
    spoken = [(number, bare) for number, line in block if not is_holder(bare := undressed(line))]
    cued = [at for at, (_, bare) in enumerate(spoken) if LICENCE_WORDS.search(bare)]
    if not cued:
        return []
    first, last = cued[0], cued[-1]
    while first > 0 and spoken[first - 1][1]:
        first -= 1
    while last + 1 < len(spoken) and spoken[last + 1][1]:
        last += 1
    kept = spoken[first : last + 1]
    text = "\n".join(bare for _, bare in kept)
    words = text.replace("\n", " ")
    kind = "mention" if headers._PART.search(words) and not headers._OWN.search(words) else kind
    return [Passage(kind, kept[0][0], kept[-1][0], text)]
