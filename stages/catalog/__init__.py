"""The catalog: which repository states a build reads, and every path in them (metadata only).

`make_catalog` turns an archive's graph tables into four tables, each written once:
repositories (REPOSITORIES), occurrences (OCCURRENCES), contents (KNOWN) and licence-bearing work
(NOTICE_WORK). Invariants: one row an origin and one an occurrence, dropped ones included with their reason;
bytes of no content are read; the order of files and rows in the archive changes nothing.
"""

from stages.catalog.describe import KNOWN, NOTICE_WORK
from stages.catalog.flow import Catalog, make_catalog
from stages.catalog.place import KNOWN_ALIASES, exclusions_of
from stages.catalog.settings import NAME, REASONS, VERSION, Settings

__all__ = [
    "KNOWN",
    "KNOWN_ALIASES",
    "NAME",
    "NOTICE_WORK",
    "REASONS",
    "VERSION",
    "Catalog",
    "Settings",
    "exclusions_of",
    "make_catalog",
]
