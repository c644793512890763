"""What each column of a release holds, in one line; rendered into the card."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COLUMN_NOTES: Mapping[str, str] = MappingProxyType(
    {
        "blob_id": "sha1 of the original bytes",
        "directory_id": "root directory of the repository state",
        "path": "path in the repository; bytes that are not UTF-8 are backslash-escaped",
        "content_id": "sha1_git of the original bytes",
        "detected_licenses": "SPDX identifiers of licence_expression, sorted",
        "license_type": "permissive, non_permissive or no_license",
        "repo_name": "full name of the repository",
        "snapshot_id": "Software Heritage snapshot",
        "revision_id": "Software Heritage revision",
        "branch_name": "branch that HEAD led to",
        "visit_date": "when the archive visited the origin",
        "revision_date": "author date of the revision",
        "committer_date": "committer date of the revision",
        "github_id": "the forge's numeric id",
        "star_events_count": "stars, from repository metadata",
        "fork_events_count": "forks, from repository metadata",
        "gha_license_id": "licence that the forge declares",
        "gha_event_created_at": "null: repository metadata is read, not events",
        "gha_created_at": "when the repository was created",
        "gha_language": "null: repository metadata is read, not events",
        "src_encoding": "encoding of the original bytes",
        "language": "Linguist's name; null when none is certain enough",
        "is_vendor": "vendored, by Linguist's path rules",
        "is_generated": "generated, by Linguist's rules",
        "length_bytes": "length of the original bytes",
        "extension": "file name extension",
        "content": "the text, redacted",
        "content_sha256": "SHA-256 of content as UTF-8",
        "sha256": "SHA-256 of the original bytes",
        "swhid": "qualified SWHID: origin, visit, anchor, path",
        "origin": "URL of the origin as the archive spells it",
        "path_raw": "the path's bytes; null unless path had to be escaped",
        "licence_expression": "SPDX expression, kept whole",
        "licence_source": "header, dot_license, directory, repository, readme, metadata, or the policy of copies",
        "licence_evidence": "JSON: path, lines, notice, tool, score, rule; copy: whose licence holds, of several",
        "language_confidence": "confidence of language, 0 to 1",
        "language_source": "what decided language",
        "encoding_confidence": "confidence of src_encoding, 0 to 1",
        "num_lines": "lines",
        "avg_line_length": "mean line length, characters",
        "max_line_length": "longest line, characters",
        "alpha_fraction": "share of alphabetic characters",
        "alphanum_fraction": "share of alphanumeric characters",
        "encoded_fraction": "share of encoded data (base64, hex, escapes)",
        "redactions": "spans replaced: kind, detector, rule, start, end, original_length; never the values",
        "occurrences": "how many paths in the catalog point at these bytes",
        "cluster": "near-duplicate cluster; null when alone",
        "row_sha256": "names the row: swhid, content_sha256, licence, language",
    }
)
