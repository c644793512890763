import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_rule_cache(tmp_path_factory):
    """kingfisher's compiled rules go to a folder of this test run, not to the developer's home."""
    before = os.environ.get("GRISTMILL_CACHE_DIR")
    os.environ["GRISTMILL_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["GRISTMILL_CACHE_DIR"]
    else:
        os.environ["GRISTMILL_CACHE_DIR"] = before
