"""Licences: which SPDX expression holds for each file, with evidence.

In the order of the flow: `licence_kind` picks the paths that may speak; `notices_of_files` and
`notices_of_headers` cut out what is said; a `Resolver` (`MemoResolver`) detects each distinct notice once;
`stated` joins the two; `spread` carries statements over a repository's paths; `with_headers` lets a file speak
for itself; `inspect` judges loose files. `reviewed` puts what people said in the place of what was detected, `judged`
asks the recipe's policy, `doubts` says which notices a person should read. Columns, rules and invariants are in the
modules' own words.
"""

from stages.licences.candidates import KINDS, licence_kind
from stages.licences.canonical import canonical_text
from stages.licences.copyrights import copyright_lines
from stages.licences.detection import DETECTIONS, TOOL, detect
from stages.licences.doubts import DOUBTS, NOTICES_KEPT, doubts, kept_notices
from stages.licences.effective import with_headers
from stages.licences.inspection import INSPECTED, inspect
from stages.licences.memo import MemoResolver, Resolver, memo_key
from stages.licences.notices import NOTICES, notices_of_files, notices_of_headers
from stages.licences.overrides import OVERRIDES, Override, overrides_table, read_overrides, reviewed
from stages.licences.policy import failing_tests, judged, policy_summary
from stages.licences.settings import NAME, REASONS, VERSION, CopyPolicy, Settings
from stages.licences.spread import LICENCE, STATED, spread, stated

__all__ = [
    "DETECTIONS",
    "DOUBTS",
    "INSPECTED",
    "KINDS",
    "LICENCE",
    "NAME",
    "NOTICES",
    "NOTICES_KEPT",
    "OVERRIDES",
    "REASONS",
    "STATED",
    "TOOL",
    "VERSION",
    "CopyPolicy",
    "MemoResolver",
    "Override",
    "Resolver",
    "Settings",
    "canonical_text",
    "copyright_lines",
    "detect",
    "doubts",
    "failing_tests",
    "inspect",
    "judged",
    "kept_notices",
    "licence_kind",
    "memo_key",
    "notices_of_files",
    "notices_of_headers",
    "overrides_table",
    "policy_summary",
    "read_overrides",
    "reviewed",
    "spread",
    "stated",
    "with_headers",
]
