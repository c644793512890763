"""Explaining a verdict: why a content, a path of a repository, or a repository is in a release or not.

The answer is put together from the build's tables (repositories, occurrences, decisions, texts of duplicates) and
the release's row; nothing is judged again. With a release alone, only what it holds can be explained.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from foundation.canonical import Json
from foundation.errors import AnswerIsNo, IntegrityError
from foundation.swhid import content_swhid
from manifests.differences import Difference, difference
from manifests.explanation import Explanation, KeptFile, Occurrence, ReleaseRow, Verdict
from manifests.flow_tables import FlowTables, Row, find_tables
from manifests.identifiers import Named, path_bytes, path_text, read_identifier
from manifests.manifest import MANIFEST
from manifests.release import Release, open_release
from manifests.renamed import Redacted, alike, plain_name, shown

_CATALOG = "catalog"
_SUBMODULE = 0o160000
_ROW = (
    "content_id",
    "swhid",
    "origin",
    "path",
    "language",
    "license_type",
    "licence_expression",
    "licence_source",
    "licence_evidence",
    "cluster",
    "redactions",
)


def explain(
    path: str | Path,
    id: str,  # noqa: A002 - the command's word
    *,
    diff: bool = True,
    redacted: Redacted | None = None,
) -> Explanation:
    """Why `id` is kept or dropped.

    `path` is a build's folder, an output folder with one build, or a release. `id` is `swh:1:cnt:…` (with or
    without qualifiers), `origin:path`, `repository name:path`, or an origin. AnswerIsNo when the build, or
    the release when it stands alone, never saw it; UsageError for an id that cannot be one. For a duplicate a
    short diff of the redacted texts is added, unless `diff` is false. `redacted` says how the build shows a path, but
    for the numbers of its placeholders: with it a file is found by the path it has in the archive, too.
    """
    named = read_identifier(id)
    tables = find_tables(path)
    if tables is None:
        return _from_release(open_release(path), named, redacted)
    named = named if redacted is None else shown(tables, named, redacted)
    release = open_release(tables.release) if tables.release and (tables.release / MANIFEST).is_file() else None
    whose = _place if named.sha1_git is None else _content
    found = whose(tables, release, named)
    if not diff or found.duplicate_of is None or found.swhid is None:
        return found
    return dataclasses.replace(found, diff=_difference(tables, found.duplicate_of.swhid, found.swhid))


def _difference(tables: FlowTables, kept: str, dropped: str) -> Difference:
    """From the kept content's redacted text to the dropped one's, or why it cannot be shown."""
    texts = tables.texts([swhid.rpartition(":")[2] for swhid in (kept, dropped)])
    for swhid in (kept, dropped):
        if texts.get(swhid.rpartition(":")[2]) is None:
            why = (
                f"the build has no text of {swhid}" if tables.contents_are_whole() else "the build's contents are gone"
            )
            return Difference(note=f"not shown: {why}")
    old, new = (str(texts[swhid.rpartition(":")[2]]) for swhid in (kept, dropped))
    return difference(old, new, old_name=kept, new_name=dropped)


def _content(tables: FlowTables, release: Release | None, named: Named) -> Explanation:
    """A SWHID: the content's decision, or its occurrence's when the id is qualified."""
    identifier = str(named.sha1_git)
    for origin, path in named.readings:
        found = tables.occurrences_at(origin, path_bytes(path or ""))
        for occurrence in (row for row in found if row["sha1_git"] == identifier):
            return _occurrence(tables, release, named, occurrence)
    decision = tables.decision(identifier)
    count, first = tables.occurrences_where("sha1_git", identifier)
    if decision is None and not count:
        raise AnswerIsNo(
            f"{content_swhid(identifier)} is not in the catalog of {tables.build}",
            hint="no repository that was read holds it; give origin:path to ask about a path",
        )
    verdict = _decided(decision) if decision else _early(first[0], identifier)
    place = decision or first[0]
    return _complete(
        Explanation(
            id=named.text,
            swhid=content_swhid(identifier),
            origin=place["origin"],
            path=path_text(place["path"]),
            verdict=verdict,
            duplicate_of=_duplicate(tables, decision),
            occurrence_count=count,
            occurrences=_occurrences(first),
        ),
        release,
        decision,
    )


def _place(tables: FlowTables, release: Release | None, named: Named) -> Explanation:
    """`origin:path` or an origin: the longest name that is a repository of the build, and holds the path, wins."""
    known = tables.repositories_named([name for name, _ in named.readings])
    missing: Row | None = None
    for name, path in named.readings:
        for repository in (row for row in known if name in (row["origin"], row["repo_name"])):
            if path is None or repository["reason"] is not None:
                return _repository(tables, named, repository, path)
            found = tables.occurrences_at(repository["origin"], path_bytes(path))
            if found:
                return _occurrence(tables, release, named, found[0])
            missing = missing or repository
    if missing is not None:
        raise AnswerIsNo(
            f"{missing['origin']} was read, and has no such path: {named.text!r}",
            hint="paths are relative to the repository's root, letter case counts",
        )
    shortest = named.readings[-1][0] if named.readings else named.text
    like = tables.repositories_like(shortest.rstrip("/").rpartition("/")[2])
    raise AnswerIsNo(
        f"no repository of {tables.build} is named in {named.text!r}",
        hint=f"similar: {', '.join(like)}" if like else "give swh:1:cnt:<40 hex digits>, or origin:path",
    )


def _repository(tables: FlowTables, named: Named, repository: Row, path: str | None) -> Explanation:
    """A repository, or a path of one that was not read."""
    count, first = tables.occurrences_where("origin", repository["origin"])
    reason = repository["reason"]
    verdict = Verdict("kept", "repository")
    if reason is not None:
        verdict = Verdict("dropped", "repository", _CATALOG, reason, evidence=_json(repository["evidence"]))
    return Explanation(
        id=named.text,
        swhid=None,
        origin=repository["origin"],
        path=None if path is None else path_text(path_bytes(path)[0]),
        verdict=verdict,
        occurrence_count=count,
        occurrences=_occurrences(first),
    )


def _occurrence(tables: FlowTables, release: Release | None, named: Named, occurrence: Row) -> Explanation:
    """One path of one repository: dropped with it, dropped early, or decided with its content."""
    identifier = occurrence["sha1_git"]
    decision = tables.decision(identifier)
    count, first = tables.occurrences_where("sha1_git", identifier)
    early = occurrence["reason"] is not None or decision is None
    here = (occurrence["origin"], occurrence["path"])
    kept = decision is not None and decision["verdict"] == "kept"
    elsewhere = None
    if decision is not None and kept and (decision["origin"], decision["path"]) != here:
        elsewhere = KeptFile(content_swhid(identifier), decision["origin"], path_text(decision["path"]), None)
    return _complete(
        Explanation(
            id=named.text,
            swhid=f"swh:1:rev:{identifier}" if occurrence["mode"] == _SUBMODULE else content_swhid(identifier),
            origin=occurrence["origin"],
            path=path_text(occurrence["path"]),
            verdict=_early(occurrence, identifier) if early or decision is None else _decided(decision),
            duplicate_of=None if early else _duplicate(tables, decision),
            elsewhere=elsewhere,
            occurrence_count=count,
            occurrences=_occurrences(first),
        ),
        release,
        decision,
    )


def _complete(explanation: Explanation, release: Release | None, decision: Row | None) -> Explanation:
    """With the release's row, when the content is kept and the release is there."""
    if release is None or decision is None or decision["verdict"] != "kept":
        return explanation
    wanted = pl.col("content_id") == decision["sha1_git"]
    return dataclasses.replace(explanation, row=_row(release, wanted, [decision["origin"]]))


def _from_release(release: Release, named: Named, redacted: Redacted | None) -> Explanation:
    """What a release without its build can say: the row, or that there is none."""
    renamed = redacted if "path_redactions" in release.manifest.schema_names() else None
    if named.sha1_git is not None:
        wanted = pl.col("content_id") == named.sha1_git
    else:
        wanted = pl.lit(value=False)
        for name, path in named.readings:
            spellings = [path_text(raw) for raw in path_bytes(path or "")]
            repository = (pl.col("origin") == name) | (pl.col("repo_name") == name)
            spelled = pl.col("path").is_in(spellings)
            if renamed is not None and path is not None:
                spelled = spelled | alike(plain_name(path, renamed))
            wanted = wanted | (repository & spelled)
    row = _row(release, wanted, None)
    if row is None:
        raise AnswerIsNo(
            f"{named.text!r} is not in {release.manifest.name}@{release.manifest.version}",
            hint="why it is not is in the build: give the folder of the build",
        )
    verdict = Verdict("kept", "content")
    return Explanation(named.text, row.swhid.partition(";")[0], row.origin, row.path, verdict, row=row)


def _row(release: Release, wanted: pl.Expr, origins: list[str] | None) -> ReleaseRow | None:
    chosen = release.select(columns=_ROW).where(wanted, origins=origins)
    for shard in chosen.shards:
        found = dataclasses.replace(chosen, shards=(shard,)).collect(limit=1)
        if found.height:
            row = found.row(0, named=True)
            kinds = Counter(span["kind"] for span in row.pop("redactions") or ())
            row["licence_evidence"] = _json(row["licence_evidence"])
            del row["content_id"]
            name = f"{release.manifest.name}@{release.manifest.version}"
            return ReleaseRow(release=name, shard=shard.path, redactions=dict(kinds), **row)
    return None


def _decided(decision: Row) -> Verdict:
    return Verdict(
        verdict=decision["verdict"],
        level="content",
        stage=decision["stage"],
        reason=decision["reason"],
        value=decision["value"],
        threshold=decision["threshold"],
        evidence=_json(decision["evidence"]),
    )


def _early(occurrence: Row, identifier: str) -> Verdict:
    if occurrence["reason"] is None:
        raise IntegrityError(
            f"content {identifier} of {occurrence['origin']} has no decision", hint="the build's tables are incomplete"
        )
    return Verdict("dropped", "occurrence", _CATALOG, occurrence["reason"], evidence=_json(occurrence["evidence"]))


def _duplicate(tables: FlowTables, decision: Row | None) -> KeptFile | None:
    if decision is None or decision["kept"] is None:
        return None
    kept = tables.decision(decision["kept"])
    origin, path = (kept["origin"], path_text(kept["path"])) if kept else (None, None)
    return KeptFile(content_swhid(decision["kept"]), origin, path, decision["jaccard"])


def _occurrences(rows: list[Row]) -> tuple[Occurrence, ...]:
    return tuple(Occurrence(row["origin"], path_text(row["path"]), row["mode"], row["reason"]) for row in rows)


def _json(text: str | None) -> Json:
    """Evidence as JSON; text that is none stays text."""
    if text is None:
        return None
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text
    return value  # type: ignore[no-any-return]
