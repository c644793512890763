"""The opt-out registry: who asked to be left out, where each request stands, and what a build must exclude.

`open_registry(path_or_url)` gives a `Registry`; `parse_selector` turns what people type into a selector.
Invariants: a request excludes from the moment it is held, which is the moment it is received; the log is
append-only, hash-chained and numbered without gaps; `export(n)` depends on the log up to `n` alone;
requesters, notes, receipts and salts never leave the store.
"""

from registry.api import Decided, Registry, open_registry
from registry.check import Question, covering, make_question, question_about
from registry.intake import Submission
from registry.lifecycle import REASON_CODES, STATES, TRANSITIONS, State
from registry.log import Head
from registry.rows import Request
from registry.selectors import brief, parse_selector, understood

__all__ = [
    "REASON_CODES",
    "STATES",
    "TRANSITIONS",
    "Decided",
    "Head",
    "Question",
    "Registry",
    "Request",
    "State",
    "Submission",
    "brief",
    "covering",
    "make_question",
    "open_registry",
    "parse_selector",
    "question_about",
    "understood",
]
