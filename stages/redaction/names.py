"""Names: what paths hold of secrets and personal data, replaced like what texts hold.

Output of `redact_names` (NAMES), one row for each distinct (origin, path) in which something was replaced:

    origin           string
    path             binary  as the archive has it
    shown            binary  as it is shown and shipped
    path_redactions  list    of SPAN, in characters of `shown` as text (bytes that are not UTF-8 are `\\xNN` there)

Each component of a path is a document of its own, with and without its extensions (`marta@forge.io.txt` is an
address and an extension), so a folder has one new name for all that lies in it; a value that goes over several
components is not known. Placeholders bear numbers, whatever the settings say of texts: equal values of one origin
have equal ones, given in order of the components' bytes, so paths that differ stay different.

Invariants: a function of the origin's own paths and the settings, however the rows are cut and ordered; slashes stay;
redacting what is shown changes nothing. A component that is redacted and not UTF-8 is shown with its strange
bytes as `\\xNN`. Cost: three scans of the paths by regular expression (0.5 µs a path), then about 100 µs for each
distinct component that passes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from foundation.frames import frame
from foundation.schema import SPAN
from stages.redaction.detection import find_in_document
from stages.redaction.model import Finding
from stages.redaction.placeholders import Numbers, recogniser
from stages.redaction.replace import Substitution, fitted, merge, substitute
from stages.redaction.settings import Settings
from stages.redaction.stage import redact_document

NAMES = pa.schema(
    [("origin", pa.string()), ("path", pa.binary()), ("shown", pa.binary()), ("path_redactions", pa.list_(SPAN))]
)

# What every value that a detector knows has: a mark, a long number, a dotted quad; or 16 characters with a digit.
_MARK = r"[@:=<%+]|[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[0-9][0-9 ().\-]{6,}[0-9]"
_TOKEN, _DIGIT = r"[A-Za-z0-9_\-]{16}", r"[0-9]"
_EXTENSION = re.compile(rb"\.[A-Za-z0-9]{1,6}$")
_EXTENSIONS = 2
_PROSE = b"name.txt"  # a name is not the code of its file

Spans: TypeAlias = "list[dict[str, str | int]]"
Found: TypeAlias = "tuple[bytes, list[Finding]]"


def redact_names(paths: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """NAMES for those `paths` (origin, path as binary) that hold something, in order of origin and path."""
    distinct = paths.select("origin", "path").unique()
    suspects = distinct.filter(_suspicious(distinct["path"])).sort("origin", "path")
    components = {part for path in suspects["path"].unique() for part in path.split(b"/")}
    found = _found(pl.Series(sorted(components), dtype=pl.Binary), settings)
    rows: dict[str, list[object]] = {name: [] for name in NAMES.names}
    for (origin,), group in suspects.group_by("origin", maintain_order=True) if found else ():
        for path, (shown, spans) in _named(group["path"].to_list(), found, settings).items():
            for name, value in zip(NAMES.names, (origin, path, shown, spans), strict=True):
                rows[name].append(value)
    return frame(pa.table(rows, schema=NAMES))


def redact_name(path: bytes, settings: Settings) -> bytes:
    """`path` as a release shows it, but for the numbers of its placeholders: only all paths of an origin give them."""
    plain: Mapping[str, str] = {str(kind): text for kind, text in settings.placeholders.items()}
    parts = []
    for component in path.split(b"/"):
        text, spans = _findings(component, settings=settings)
        parts.append(substitute(text, spans, plain).data if spans else component)
    return b"/".join(parts)


def redact_text(text: str, settings: Settings) -> str:
    """`text`, a short one that is no path (a URL, the name of a branch), as a document of its own."""
    result = redact_document(text.encode("utf-8", "surrogatepass"), _PROSE, settings)
    return text if result is None else result.data.decode("utf-8", "surrogatepass")


def with_names(rows: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """`rows` (origin, path, …) with the path as it is shown and `path_redactions`, null where nothing changed."""
    if names.is_empty():
        return rows.with_columns(path_redactions=pl.lit(None, names.schema["path_redactions"]))
    joined = rows.join(names, on=["origin", "path"], how="left", maintain_order="left")
    return joined.with_columns(path=pl.coalesce("shown", "path")).drop("shown")


def _suspicious(paths: pl.Series) -> pl.Series:
    raw = paths.to_arrow().cast(pa.large_binary())
    marked, long, digit = (pc.match_substring_regex(raw, pattern) for pattern in (_MARK, _TOKEN, _DIGIT))
    return pl.Series(pc.or_(marked, pc.and_(long, digit)).to_pylist(), dtype=pl.Boolean)


def _findings(component: bytes, *, settings: Settings) -> Found:
    """(`component` as UTF-8, what in it is to be replaced: disjoint, in order)."""
    text = component.decode("utf-8", "backslashreplace").encode()
    known = recogniser(settings)
    found: set[Finding] = set()
    stem = text
    for _ in range(_EXTENSIONS + 1):
        found.update(find_in_document(stem, _PROSE, settings))
        extension = _EXTENSION.search(stem)
        if extension is None or not extension.start():
            break
        stem = stem[: extension.start()]
    new = [one for one in found if known.sub(b"", text[one.start : one.end]).strip(b"<>_")]
    return text, fitted(text, merge(new))


def _found(components: pl.Series, settings: Settings) -> dict[bytes, Found]:
    """Those of `components` in which something is to be replaced, or stands already: what `_findings` says of them."""
    suspects = components.filter(_suspicious(components))
    results = {part: _findings(part, settings=settings) for part in suspects}
    known = recogniser(settings)
    held = {part: result for part, result in results.items() if result[1] or known.search(result[0])}
    return held if any(spans for _, spans in held.values()) else {}


def _named(
    paths: Sequence[bytes], found: Mapping[bytes, Found], settings: Settings
) -> dict[bytes, tuple[bytes, Spans]]:
    """(shown path, spans) of those `paths` of one origin in which something is replaced."""
    held = sorted({part for path in paths for part in path.split(b"/") if part in found})
    numbers = Numbers(settings)
    for part in held:
        numbers.reserve(found[part][0])
    new = {part: _numbered(*found[part], numbers) for part in held if found[part][1]}
    touched = (path for path in paths if any(part in new for part in path.split(b"/")))
    return {path: _joined(path.split(b"/"), new) for path in touched}


def _numbered(text: bytes, spans: Sequence[Finding], numbers: Numbers) -> Substitution:
    given = [numbers.name(text[span.start : span.end], span.kind) for span in spans]
    named = [span._replace(kind=kind) for span, (kind, _) in zip(spans, given, strict=True)]
    return substitute(text, named, [placeholder.encode() for _, placeholder in given])


def _joined(parts: Iterable[bytes], new: Mapping[bytes, Substitution]) -> tuple[bytes, Spans]:
    shown: list[bytes] = []
    spans: Spans = []
    at = 0  # characters before the component
    for part in parts:
        result = new.get(part)
        if result is None:
            shown.append(part)
        else:
            shown.append(result.data)
            spans += [_span(result, number, at) for number in range(len(result.spans))]
        at += len(shown[-1].decode("utf-8", "backslashreplace")) + 1
    return b"/".join(shown), spans


def _span(result: Substitution, number: int, at: int) -> dict[str, str | int]:
    span, start, end = result.spans[number], result.starts[number], result.ends[number]
    original = result.original(start, end)
    before = len(result.data[:start].decode())
    return {
        "kind": span.kind,
        "detector": span.detector,
        "rule": span.rule,
        "start": at + before,
        "end": at + before + len(result.data[start:end].decode()),
        "original_length": original[1] - original[0],
    }
