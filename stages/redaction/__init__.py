"""Redaction: secrets and personal data are found, replaced by typed placeholders, and recorded as spans.

`redact` gives the redacted texts and their spans (`foundation.schema.SPAN`), `find` every finding with its
detector and rule, `inspect` the spans in the original text; `redact_names` does for paths what `redact` does for
texts. Detectors: detect-secrets (all plugins),
kingfisher's rules, and Gristmill's own for key blocks, provider tokens, credentials in context, e-mail, IP
addresses, telephone numbers and payment cards; Vectorscan decides what they look at.

Invariants: nothing outside a span changes; line count stays; redacting twice changes nothing; no value is
ever logged, raised, recorded or written to a file.
"""

from stages.redaction.names import redact_name, redact_names, redact_text, with_names
from stages.redaction.settings import DEFAULT_KINDS, DEFAULT_PLACEHOLDERS, NAME, REASONS, VERSION, Kind, Settings
from stages.redaction.stage import FINDINGS, INSPECTION, REDACTED, find, inspect, redact

__all__ = [
    "DEFAULT_KINDS",
    "DEFAULT_PLACEHOLDERS",
    "FINDINGS",
    "INSPECTION",
    "NAME",
    "REASONS",
    "REDACTED",
    "VERSION",
    "Kind",
    "Settings",
    "find",
    "inspect",
    "redact",
    "redact_name",
    "redact_names",
    "redact_text",
    "with_names",
]
