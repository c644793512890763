"""ScanCode's index (6 s, 1 GB) is loaded once for all tests, and detections are remembered for the session."""

from __future__ import annotations

import pytest

from stages.licences import MemoResolver


@pytest.fixture(scope="session")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> MemoResolver:
    """Detects each distinct notice once a session."""
    return MemoResolver(tmp_path_factory.mktemp("memo"))
