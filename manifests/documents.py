"""The documents of a release, rendered from its manifest and from nothing else.

README.md is the card; stats/{languages,licences,funnel}.csv are the manifest's tables for spreadsheets.
Equal manifests give equal bytes; strangers' text is escaped for Markdown, YAML and CSV readers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence

from manifests.columns import COLUMN_NOTES
from manifests.manifest import ManifestBody
from manifests.tables import NOTHING

CARD = "README.md"
_SHOWN = 50
_KINDS = ("permissive", "non_permissive", "no_license")


def render(body: ManifestBody) -> dict[str, bytes]:
    """Every document of the release: path → bytes."""
    return {
        CARD: card(body).encode(),
        "stats/funnel.csv": _csv(("stage", "unit", "in", "kept", "dropped", "reason"), _funnel_rows(body)),
        "stats/languages.csv": _csv(
            ("language", "rows", "bytes"), ((item.language, item.rows, item.bytes) for item in body.languages)
        ),
        "stats/licences.csv": _csv(
            ("expression", "license_type", "rows", "bytes"),
            ((item.expression, item.license_type, item.rows, item.bytes) for item in body.licences),
        ),
    }


def card(body: ManifestBody) -> str:
    """The dataset card: YAML front matter as Hugging Face reads it, then Markdown."""
    sections = (
        _front_matter(body),
        _title(body),
        _loading(body),
        _licences(body),
        _languages(body),
        _columns(body),
        *_attribution(body),
        *_repositories(body),
        _making(body),
        _privacy(body),
        _checking(body),
    )
    return "\n".join(sections)


def _front_matter(body: ManifestBody) -> str:
    present = {shard.license_type for shard in body.shards}
    lines = ["---", f"pretty_name: {json.dumps(_name(body))}", f"version: {json.dumps(body.version)}", "license: other"]
    lines += ["task_categories:", "- text-generation", "tags:", "- code", "- software-heritage"]
    if present:
        lines += ["configs:", "- config_name: default", '  data_files: "data/*/*/*.parquet"']
    for kind in (kind for kind in _KINDS if kind in present):
        lines += [f"- config_name: {kind}", f'  data_files: "data/{kind}/*/*.parquet"']
    for table in body.tables if present else ():
        lines += [f"- config_name: {table.name}", f'  data_files: "{table.name}/*.parquet"']
    return "\n".join([*lines, "---", ""])


def _name(body: ManifestBody) -> str:
    """The recipe's title on one line, or the release's name."""
    release = body.created_from.recipe.get("release")
    title = release.get("title") if isinstance(release, dict) else None
    return " ".join(title.split()) if isinstance(title, str) and title.strip() else body.name


def _title(body: ManifestBody) -> str:
    totals, registry = body.totals, body.created_from.registry
    return f"""# {_name(body)} {body.version}

{totals.rows:,} files of source code, {totals.bytes:,} bytes as archived, in {len(body.languages):,} languages;
{totals.shards:,} Parquet shards of {totals.file_bytes:,} bytes. One row is one distinct file, named by its
qualified Software Heritage identifier (column `swhid`).

This release honours the opt-out registry up to sequence {registry.sequence}. Any later release may remove rows.
"""


def _loading(body: ManifestBody) -> str:
    return f"""## Load

```python
from manifests import open_release
open_release("{body.name}/{body.version}").scan(licences="permissive").collect()  # a polars frame, checksums verified
```

Any Parquet reader will do: `data/<license_type>/<language>/part-*.parquet`, the language percent-encoded.
"""


def _licences(body: ManifestBody) -> str:
    ranked = sorted(body.licences, key=lambda item: (-item.rows, item.expression or "", item.license_type))
    rows = ((item.expression or "(none found)", item.license_type, item.rows, item.bytes) for item in ranked[:_SHOWN])
    return f"""## Licences

Each row carries its own expression (`licence_expression`), where it was found and the evidence for it. The files stay
under their own licences; the most frequent of {len(ranked):,} expressions:

{_table(("expression", "class", "files", "bytes"), rows)}"""


def _languages(body: ManifestBody) -> str:
    ranked = sorted(body.languages, key=lambda item: (-item.rows, item.language or ""))
    rows = ((item.language or "(undecided)", item.rows, item.bytes) for item in ranked[:_SHOWN])
    return f"""## Languages

The most frequent of {len(ranked):,} (all of them: `stats/languages.csv`):

{_table(("language", "files", "bytes"), rows)}"""


def _columns(body: ManifestBody) -> str:
    rows = ((item.name, item.type, COLUMN_NOTES.get(item.name, "")) for item in body.columns)
    return f"## Columns\n\n{_table(('column', 'type', 'holds'), rows)}"


def _attribution(body: ManifestBody) -> list[str]:
    """The section about licence texts; none without their tables."""
    attribution, licences = body.table("attribution"), body.table("licences")
    if attribution is None or licences is None:
        return []
    return [
        f"""## Attribution

`attribution/` names, for every repository and licence expression, the notice that its files rest on: where it lies, who
holds the copyright by its own words, how many files and bytes. `licences/` has the texts by SHA-256:
{licences.total("found"):,} found in the repositories and {licences.total("canonical"):,} canonical ones. They are legal
notices that must be kept, so names in them are not redacted unless the recipe says so.
`gristmill release attribution DIR` prints both as one document. `languages/` says what each language is, by Linguist.
"""
    ]


def _repositories(body: ManifestBody) -> list[str]:
    """The section about whole repositories; none without their tables."""
    paths, repositories = body.table("paths"), body.table("repositories")
    if paths is None or repositories is None:
        return []
    listed = sum(part.rows for part in repositories.files)
    meanings = (
        ("row", "the path of a row of this release"),
        ("identical", "the same content, whose row speaks from another path"),
        ("exact_duplicate", "another content with the same redacted text"),
        ("empty", "a file without bytes"),
        ("near_duplicate", "a kept content resembles it; column jaccard is the exact similarity"),
        (NOTHING, "nothing stands for it; column reason says why"),
    )
    rows = ((via, paths.total(via), meaning) for via, meaning in meanings)
    return [
        f"""## Whole repositories

Files removed as duplicates stay as pointers: `paths/` names, for every path of {listed:,} repositories, the row that
stands for it (`kept`, a `content_id`); `repositories/` has each one's state and figures. The release holds the text of
{repositories.total("present"):,} of {repositories.total("files"):,} files, and {repositories.total("resembled"):,} more
are resembled. Opted-out paths are not listed.

```python
from manifests import repository
for file in repository("{body.name}/{body.version}", "https://example.org/owner/name").files():
    print(file.path, file.via, file.text)
```

{_table(("via", "paths", "means"), rows)}"""
    ]


def _making(body: ManifestBody) -> str:
    source = body.created_from
    tools = _table(("tool", "version"), sorted(source.tools.items()))
    policies = _table(("stage", "policy version"), sorted(source.policies.items()))
    return f"""## How it was made

The recipe (fingerprint `{source.recipe_fingerprint}`), the archive and all parameters are in `manifest.json`. What
every stage received, kept and dropped, by reason:

{_table(("stage", "unit", "in", "kept", "dropped", "reason"), _funnel_rows(body))}
{policies}
{tools}"""


def _privacy(body: ManifestBody) -> str:
    kinds = sorted(body.redactions.items())
    counts = _table(("kind", "spans"), kinds) if kinds else "No span was redacted.\n"
    found = body.redacted
    detectors = "\n" + _table(("detector", "spans"), sorted(found.detectors.items())) if found and kinds else ""
    files = f" {found.files:,} files have one, {found.paths:,} have one in their path." if found else ""
    return f"""## Secrets and personal data

Detected values are replaced by typed placeholders; columns `redactions` and `path_redactions` hold where, never
what.{files}

{counts}{detectors}"""


def _checking(body: ManifestBody) -> str:
    return f"""## Check

`sha256sum -c SHA256SUMS` checks every file; `gristmill release verify DIR` also checks the manifest, the Merkle root
(`{body.merkle_root}`), row counts and columns.
"""


def _funnel_rows(body: ManifestBody) -> Iterable[Sequence[object]]:
    for stage in body.funnel:
        yield stage.stage, stage.unit, stage.entered, stage.kept, stage.entered - stage.kept, ""
        for reason, count in sorted(stage.dropped.items()):
            yield stage.stage, stage.unit, "", "", count, reason


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(_cell(item) for item in line) + " |\n" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    for char in "\\`|*[]":
        shown = shown.replace(char, "\\" + char)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()
