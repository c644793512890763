"""Arrow schemas that more than one room reads: the flow's tables and the release row.

Hashes are lowercase hex strings. Paths are bytes as git stores them (`binary`, no leading slash) in
work tables, and text in releases. Timestamps are microseconds UTC. Every table is written in a total
order of its own key, so equal inputs give equal bytes.
"""

from __future__ import annotations

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")

REPOSITORIES = pa.schema(
    [
        ("origin", pa.string()),  # URL as the archive spells it; key
        ("visit", pa.int64()),
        ("visit_date", TIMESTAMP),
        ("visit_type", pa.string()),
        ("snapshot", pa.string()),
        ("branch", pa.string()),  # branch that HEAD led to, undecodable bytes backslash-escaped
        ("anchor", pa.string()),  # core SWHID of revision, else release, else root directory
        ("revision", pa.string()),  # null when HEAD leads to a release or directory without one
        ("revision_date", TIMESTAMP),
        ("committer_date", TIMESTAMP),
        ("root", pa.string()),  # root directory; null when HEAD is a single content
        ("github_id", pa.int64()),  # forge's numeric id; null when metadata has none
        ("repo_name", pa.string()),  # full name today: metadata's, else the path of the URL
        ("former_names", pa.list_(pa.string())),
        ("stars", pa.int64()),
        ("forks", pa.int64()),
        ("fork_of", pa.string()),
        ("created_at", TIMESTAMP),
        ("declared_licence", pa.string()),  # metadata's SPDX id; evidence, never an override
        ("first_seen", TIMESTAMP),  # earliest of created_at, a believable committer_date, visit_date
        ("reason", pa.string()),  # null when the repository is read; else a catalog reason code
        ("evidence", pa.string()),  # canonical JSON that backs the reason; null with it
    ]
)

OCCURRENCES = pa.schema(
    [
        ("origin", pa.string()),
        ("path", pa.binary()),
        ("mode", pa.int32()),  # git file mode, e.g. 0o100644
        ("sha1_git", pa.string()),  # content (or submodule revision) the entry points at
        ("length", pa.int64()),  # null when the archive does not know the content
        ("reason", pa.string()),  # null while the occurrence can be kept; else an early-drop code
        ("evidence", pa.string()),  # canonical JSON
    ]
)

DECISIONS = pa.schema(
    [
        ("sha1_git", pa.string()),  # key; one row a content of the catalog
        ("origin", pa.string()),  # the occurrence the decision speaks of (best in total order)
        ("path", pa.binary()),
        ("verdict", pa.string()),  # kept | dropped
        ("stage", pa.string()),  # stage that decided: catalog, contents, languages, quality, licences, …
        ("reason", pa.string()),  # reason code; null when kept
        ("value", pa.string()),  # what was measured, as text; null when there is no number
        ("threshold", pa.string()),  # what it was compared with
        ("evidence", pa.string()),  # canonical JSON: licence notices, exclusion id, …
        ("kept", pa.string()),  # sha1_git of the kept content that this one duplicates
        ("jaccard", pa.float64()),  # exact Jaccard with it; 1.0 for exact duplicates
    ]
)

SPAN = pa.struct(
    [
        ("kind", pa.string()),  # EMAIL, KEY, PASSWORD, IP_ADDRESS, PHONE, CREDIT_CARD …
        ("detector", pa.string()),  # e.g. detect-secrets, gristmill
        ("rule", pa.string()),
        ("start", pa.int64()),  # characters, in the shipped (redacted) text; start of the placeholder
        ("end", pa.int64()),  # exclusive
        ("original_length", pa.int64()),  # characters replaced
    ]
)

# The 26 columns of The Stack v2 under their published names, then ours.
RELEASE = pa.schema(
    [
        ("blob_id", pa.string()),  # sha1 of the original bytes
        ("directory_id", pa.string()),  # root directory of the repository state
        ("path", pa.string()),  # redacted; bytes that are not UTF-8 are backslash-escaped; see path_raw
        ("content_id", pa.string()),  # sha1_git of the original bytes
        ("detected_licenses", pa.list_(pa.string())),  # SPDX ids of licence_expression, sorted
        ("license_type", pa.string()),  # permissive | non_permissive | no_license
        ("repo_name", pa.string()),
        ("snapshot_id", pa.string()),
        ("revision_id", pa.string()),
        ("branch_name", pa.string()),
        ("visit_date", TIMESTAMP),
        ("revision_date", TIMESTAMP),
        ("committer_date", TIMESTAMP),
        ("github_id", pa.int64()),
        ("star_events_count", pa.int64()),
        ("fork_events_count", pa.int64()),
        ("gha_license_id", pa.string()),
        ("gha_event_created_at", TIMESTAMP),  # null: we read repository metadata, not events
        ("gha_created_at", TIMESTAMP),
        ("gha_language", pa.string()),  # null, for the same reason
        ("src_encoding", pa.string()),
        ("language", pa.string()),  # Linguist's name; null when none is certain enough
        ("is_vendor", pa.bool_()),
        ("is_generated", pa.bool_()),
        ("length_bytes", pa.int64()),  # of the original bytes
        ("extension", pa.string()),
        ("content", pa.large_string()),  # redacted text
        ("content_sha256", pa.string()),  # of `content` as UTF-8
        ("sha256", pa.string()),  # of the original bytes
        ("swhid", pa.string()),  # qualified: origin, visit, anchor, path
        ("origin", pa.string()),
        ("path_raw", pa.binary()),  # null unless `path` had to be escaped
        ("licence_expression", pa.string()),  # SPDX, kept whole
        ("licence_source", pa.string()),  # header | directory | repository
        ("licence_evidence", pa.string()),  # canonical JSON: path, lines, notice, tool, score, rule
        ("language_confidence", pa.float32()),
        ("language_source", pa.string()),
        ("is_documentation", pa.bool_()),
        ("encoding_confidence", pa.float32()),
        ("num_lines", pa.int64()),
        ("avg_line_length", pa.float64()),
        ("max_line_length", pa.int64()),
        ("alpha_fraction", pa.float64()),
        ("alphanum_fraction", pa.float64()),
        ("encoded_fraction", pa.float64()),
        ("redactions", pa.list_(SPAN)),
        ("path_redactions", pa.list_(SPAN)),  # in characters of `path`; null where nothing was replaced in it
        ("occurrences", pa.int64()),  # how many paths in the catalog point at these bytes
        ("cluster", pa.string()),  # near-duplicate cluster (id of its smallest member); null when alone
        ("row_sha256", pa.string()),  # names the row: swhid, content_sha256, licence, language
    ]
)

# Entries of a directory that are no file of their own: listed with this reason, never counted as files.
NOT_FILES = ("missing_directory", "submodule", "too_deep")

# How a release stands for a path: its own row, the same content, the same redacted text, a file without bytes; or
# a verified resemblance.
PRESENT_VIAS = ("row", "identical", "exact_duplicate", "empty")
VIAS = (*PRESENT_VIAS, "near_duplicate")

# Every path of every repository of which a release holds something; sorted by (origin, path, content_id, mode).
RELEASE_PATHS = pa.schema(
    [
        ("origin", pa.string()),
        ("path", pa.binary()),  # as git stores it, but redacted
        ("mode", pa.int32()),  # git file mode
        ("content_id", pa.string()),  # sha1_git of the original bytes (of a submodule: its revision)
        ("via", pa.string()),  # one of VIAS; null: the release has nothing for it
        ("kept", pa.string()),  # content_id of the release row that stands for it; null with via, and when it is empty
        ("kept_origin", pa.string()),  # origin of that row
        ("jaccard", pa.float64()),  # exact, with that row's text: 1.0 unless via is near_duplicate
        ("reason", pa.string()),  # why the release has nothing for it; null otherwise
        ("path_redactions", pa.list_(SPAN)),  # in characters of `path` as text; null where nothing was replaced in it
    ]
)

# The state of each repository in RELEASE_PATHS; sorted by origin. files = present + resembled + missing.
RELEASE_REPOSITORIES = pa.schema(
    [
        ("origin", pa.string()),  # key
        ("repo_name", pa.string()),
        ("visit_date", TIMESTAMP),
        ("snapshot_id", pa.string()),
        ("branch_name", pa.string()),
        ("revision_id", pa.string()),
        ("directory_id", pa.string()),
        ("anchor", pa.string()),  # core SWHID of revision, else release, else root directory
        ("files", pa.int64()),  # paths whose reason is not one of NOT_FILES
        ("present", pa.int64()),  # via one of PRESENT_VIAS
        ("resembled", pa.int64()),  # via near_duplicate
    ]
)

# Whose words each row of a release rests on; sorted by all columns from origin to licence_path, in that order.
# Every row of the release has exactly one notice that leads, so `leading` adds up to the release's rows.
RELEASE_ATTRIBUTION = pa.schema(
    [
        ("origin", pa.string()),  # of the rows
        ("licence_expression", pa.string()),  # of the rows; null: none was found
        ("licence_source", pa.string()),  # as in RELEASE
        ("notice", pa.string()),  # SHA-256 of the statement's normal form; null where no text states the licence
        ("licence_origin", pa.string()),  # where the statement lies; another origin's where a copy decided
        ("licence_path", pa.string()),  # the file that states it; of a header, the first file with it
        ("license_type", pa.string()),
        ("kind", pa.string()),  # text | spdx_tag | header | mention | declared | metadata
        ("text_sha256", pa.string()),  # of the licence file's text, in RELEASE_LICENCES; null where it is no such file
        ("copyrights", pa.list_(pa.string())),  # lines of that text that name a holder; null with it
        ("files", pa.int64()),  # rows that rest on the notice, alone or with others
        ("bytes", pa.int64()),  # of their original contents
        ("leading", pa.int64()),  # rows whose evidence names it first
        ("repo_name", pa.string()),
        ("snapshot_id", pa.string()),
        ("revision_id", pa.string()),
        ("anchor", pa.string()),  # core SWHID of revision, else release, else root directory
    ]
)

LICENCE_TEXT_KINDS = ("canonical", "found")

# The texts: those that attribution points at, and one for each licence and exception of the rows' expressions.
# Sorted by (text_sha256, kind, licence).
RELEASE_LICENCES = pa.schema(
    [
        ("text_sha256", pa.string()),  # SHA-256 of `text` as UTF-8
        ("kind", pa.string()),  # one of LICENCE_TEXT_KINDS
        ("licence", pa.string()),  # SPDX id of a canonical text; null for a text found in a repository
        ("copyrights", pa.list_(pa.string())),  # lines that name a holder
        ("text", pa.large_string()),  # a legal notice: unredacted but for secrets, unless the recipe says otherwise
    ]
)

# Every language of the release's rows, and their groups; sorted by language.
RELEASE_LANGUAGES = pa.schema(
    [
        ("language", pa.string()),  # Linguist's name; key
        ("linguist_id", pa.int64()),
        ("type", pa.string()),  # programming | markup | data | prose
        ("group", pa.string()),  # the language it is counted under; null where it is its own
        ("extensions", pa.list_(pa.string())),  # with their dot, Linguist's first one first
        ("filenames", pa.list_(pa.string())),  # whole names
        ("interpreters", pa.list_(pa.string())),  # of a shebang line
        ("aliases", pa.list_(pa.string())),  # in lower case, underscores for spaces
        ("occurs", pa.bool_()),  # false: here as the group of one that does
    ]
)
