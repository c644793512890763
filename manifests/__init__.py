"""Releases: publish them, verify them, read them, query them, and explain why a file is in or out.

    from manifests import open_release, query, explain, verify

    release = open_release("out/releases/demo/1.0.0")        # the manifest is checked now, shards when read
    release.scan(languages="Python", licences="MIT", columns=["path", "content"]).collect()
    query("out/releases/demo/1.0.0", language="Rust", licence="Apache-2.0 OR MIT", limit=10).rows
    explain("out", "https://example.org/a/b:src/lib.rs").lines()
    repository("out", "https://example.org/a/b").completeness   # what the release holds of every path of it
    attribution("out", "numpy/numpy").entries()                  # whose licence texts its rows rest on
    verify("out/releases/demo/1.0.0").ok

Imports `foundation` only.
"""

from manifests.attribution import Attribution, Credit, LicenceText
from manifests.differences import Difference
from manifests.explain import explain
from manifests.explanation import Explanation, KeptFile, Occurrence, ReleaseRow, Verdict
from manifests.export import write_answer
from manifests.manifest import Manifest, ManifestBody, load_manifest, parse_manifest
from manifests.nouns import FunnelStage, LanguageTally, LicenceTally, Provenance, Registry, Shard, Totals
from manifests.publish import ReleaseFacts, publish
from manifests.query import DEFAULT_COLUMNS, Coverage, Question, Result, ask, flat_rows, json_rows, query
from manifests.release import Release, attribution, find_release, open_release, repository
from manifests.repository import FileCounts, RepositoryFile, RepositoryView
from manifests.selection import Selection
from manifests.tables import Table, TableFile
from manifests.tree import NotWritten, WrittenTree, write_tree
from manifests.verify import Problem, VerifyReport, verify

__all__ = [
    "DEFAULT_COLUMNS",
    "Attribution",
    "Coverage",
    "Credit",
    "Difference",
    "Explanation",
    "FileCounts",
    "FunnelStage",
    "KeptFile",
    "LanguageTally",
    "LicenceTally",
    "LicenceText",
    "Manifest",
    "ManifestBody",
    "NotWritten",
    "Occurrence",
    "Problem",
    "Provenance",
    "Question",
    "Registry",
    "Release",
    "ReleaseFacts",
    "ReleaseRow",
    "RepositoryFile",
    "RepositoryView",
    "Result",
    "Selection",
    "Shard",
    "Table",
    "TableFile",
    "Totals",
    "Verdict",
    "VerifyReport",
    "WrittenTree",
    "ask",
    "attribution",
    "explain",
    "find_release",
    "flat_rows",
    "json_rows",
    "load_manifest",
    "open_release",
    "parse_manifest",
    "publish",
    "query",
    "repository",
    "verify",
    "write_answer",
    "write_tree",
]
