"""Licences: which SPDX expression holds for each file, with evidence.

In the order of the flow: `licence_kind` picks the paths that may speak; `notices_of_files` and
`notices_of_headers` cut out what is said; a `Resolver` (`MemoResolver`) detects each distinct notice once;
`stated` joins the two; `spread` carries statements over a repository's paths; `with_headers` lets a file speak
for itself; `inspect` judges loose files. Columns, rules and invariants are in the modules' own words.
"""

from stages.licences.candidates import KINDS, licence_kind
from stages.licences.canonical import canonical_text
from stages.licences.copyrights import copyright_lines
from stages.licences.detection import DETECTIONS, TOOL, detect
from stages.licences.effective import with_headers
from stages.licences.inspection import INSPECTED, inspect
from stages.licences.memo import MemoResolver, Resolver, memo_key
from stages.licences.notices import NOTICES, notices_of_files, notices_of_headers
from stages.licences.settings import NAME, REASONS, VERSION, CopyPolicy, Settings
from stages.licences.spread import LICENCE, STATED, spread, stated

__all__ = [
    "DETECTIONS",
    "INSPECTED",
    "KINDS",
    "LICENCE",
    "NAME",
    "NOTICES",
    "REASONS",
    "STATED",
    "TOOL",
    "VERSION",
    "CopyPolicy",
    "MemoResolver",
    "Resolver",
    "Settings",
    "canonical_text",
    "copyright_lines",
    "detect",
    "inspect",
    "licence_kind",
    "memo_key",
    "notices_of_files",
    "notices_of_headers",
    "spread",
    "stated",
    "with_headers",
]
