"""Any text at all: redaction ends, changes spans alone, keeps lines, and finds nothing the second time."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.redaction.properties import PATHS, TEXTS, check


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, st.sampled_from(PATHS), st.sampled_from(["medium", "high", "low"]))
def test_any_text(text, path, level):
    check(text, path, level)
