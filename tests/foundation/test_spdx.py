"""SPDX expressions: one spelling, classes as a lattice, conjunctions without order, queries that mean what they say."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from foundation import spdx
from foundation.errors import ConfigError, UsageError

LEAVES = (
    "MIT", "Apache-2.0", "BSD-3-Clause", "GPL-2.0-only", "GPL-3.0-or-later", "LGPL-2.1-or-later", "MPL-2.0", "CC0-1.0",
    "Apache-2.0 WITH LLVM-exception", "GPL-2.0-or-later WITH Classpath-exception-2.0", "LicenseRef-scancode-unknown",
    "LicenseRef-house-rules", "Apache-2.0+",
)  # fmt: skip
leaf = st.sampled_from(LEAVES)
expression = st.recursive(
    leaf,
    lambda inner: st.builds(
        lambda parts, word: "(" + f" {word} ".join(parts) + ")",
        st.lists(inner, min_size=2, max_size=3),
        st.sampled_from(["AND", "OR"]),
    ),
    max_leaves=6,
)
WORST_FIRST = [spdx.NON_PERMISSIVE, spdx.PERMISSIVE]


def rank(text: str) -> int:
    return WORST_FIRST.index(spdx.licence_class(text))


@given(expression)
@settings(max_examples=150, deadline=None)
def test_the_normal_form_is_its_own_normal_form(text: str) -> None:
    once = spdx.normalise(text)
    assert spdx.normalise(once) == once
    assert spdx.identifiers(once) == spdx.identifiers(text)


@given(st.lists(expression, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_or_is_its_best_branch_and_and_its_worst_part(parts: list[str]) -> None:
    together, either = spdx.conjunction(parts), spdx.disjunction(parts)
    assert together is not None
    assert either is not None
    assert rank(either) == max(map(rank, parts))
    assert rank(together) == min(map(rank, parts))


@given(st.lists(expression, min_size=1, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_a_conjunction_knows_no_order_and_no_repetition(parts, random) -> None:
    shuffled = parts * 2
    random.shuffle(shuffled)
    assert spdx.conjunction(shuffled) == spdx.conjunction(parts)


@given(st.text(alphabet="MITGPLandorwith()+-. 20/", max_size=60))
@settings(max_examples=200, deadline=None)
def test_strangers_text_is_an_expression_or_a_config_error(text: str) -> None:
    try:
        assert spdx.normalise(spdx.normalise(text)) == spdx.normalise(text)
    except ConfigError:
        assert spdx.licence_class(text) in (spdx.NON_PERMISSIVE, spdx.NO_LICENSE)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("mit or apache-2.0", "Apache-2.0 OR MIT"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("gpl-3.0 with gcc-exception-3.1 or mit", "GPL-3.0-only WITH GCC-exception-3.1 OR MIT"),
        ("MIT AND (BSD-2-Clause OR MIT) AND MIT", "(BSD-2-Clause OR MIT) AND MIT"),
        ("LicenseRef-KDE-Accepted-LGPL or lgpl-3.0", "LGPL-3.0-only OR LicenseRef-KDE-Accepted-LGPL"),
        ("Apache-2.0+", "Apache-2.0+"),
    ],
)
def test_spelling_is_canonical_and_operators_stay(written: str, normal: str) -> None:
    assert spdx.normalise(written) == normal


@pytest.mark.parametrize(
    "junk",
    ["", "MIT OR", "AND", "MIT MIT", "((((", "()", "MIT WITH Apache-2.0", "Foo-1.0", "(" * 200 + "MIT", "MIT " * 5000],
)
def test_junk_is_refused_as_such(junk: str) -> None:
    with pytest.raises(ConfigError):
        spdx.normalise(junk)


def test_a_hundred_thousand_parentheses_are_refused_quickly() -> None:
    with pytest.raises(ConfigError, match="at most"):
        spdx.normalise("(" * 100_000 + "MIT" + ")" * 100_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "no_license"),
        ("NONE", "no_license"),
        ("NOASSERTION", "non_permissive"),
        ("gibberish that is none", "non_permissive"),
        ("LicenseRef-scancode-public-domain", "permissive"),
        ("LicenseRef-scancode-unknown-license-reference", "non_permissive"),
        ("MIT AND LicenseRef-scancode-warranty-disclaimer", "permissive"),
        ("LicenseRef-scancode-warranty-disclaimer", "no_license"),
        ("GPL-2.0-only AND LicenseRef-scancode-dco-1.1", "non_permissive"),
        ("Apache-2.0 WITH LicenseRef-scancode-commons-clause", "non_permissive"),
        ("Apache-2.0 AND LicenseRef-scancode-commons-clause", "non_permissive"),
        ("MIT AND fmt-exception", "permissive"),
        ("Artistic-2.0", "non_permissive"),  # Blue Oak and ScanCode disagree: the stricter one holds
    ],
)
def test_classes(text: str | None, expected: str) -> None:
    assert spdx.licence_class(text) == expected


def test_data_prep_kits_string_comparison_is_not_repeated() -> None:
    """A deny list of GPL-3.0-only there lets [GPL-3.0-only, MIT] pass; OR, WITH and or-later are strings to it."""
    assert spdx.licence_class(spdx.conjunction(["GPL-3.0-only", "MIT"])) == "non_permissive"
    gpl = spdx.query("GPL-3.0-only")
    assert gpl.matches("GPL-3.0-or-later", "non_permissive")
    assert gpl.matches("MIT OR GPL-3.0-only", "permissive")
    assert spdx.query("Apache-2.0").matches("Apache-2.0 WITH LLVM-exception", "permissive")


def test_an_empty_licence_list_is_no_licence() -> None:
    """Common Pile keeps rows with an empty list, because "all of nothing" is true."""
    assert spdx.conjunction([]) is None
    assert spdx.licence_class(spdx.conjunction([])) == "no_license"
    assert not spdx.query("permissive").matches(None, "no_license")
    assert not spdx.query("MIT").matches(None, "no_license")


@pytest.mark.parametrize(
    ("asked", "row", "answer"),
    [
        ("MIT", "MIT", True),
        ("MIT", "GPL-2.0-only OR MIT", True),
        ("MIT", "BSD-3-Clause AND MIT", False),
        ("MIT OR BSD-3-Clause", "BSD-3-Clause AND MIT", True),
        ("MIT OR BSD-3-Clause", "MIT", True),
        ("MIT AND BSD-3-Clause", "MIT", False),
        ("MIT AND BSD-3-Clause", "BSD-3-Clause AND MIT", True),
        ("GPL-2.0-only", "GPL-3.0-or-later", False),
        ("GPL-3.0-only", "GPL-2.0-or-later", True),
        ("MIT", "LicenseRef-scancode-dco-1.1 AND MIT", True),
        ("MIT", "LicenseRef-scancode-dco-1.1", False),
        ("permissive OR MPL-2.0", "ISC AND MPL-2.0", True),
        ("permissive OR MPL-2.0", "GPL-2.0-only AND MPL-2.0", False),
        ("Apache-2.0", "Apache-2.0 WITH LicenseRef-scancode-commons-clause", False),
    ],
)
def test_queries_ask_what_one_can_comply_with(asked: str, row: str, answer: bool) -> None:
    assert spdx.query(asked).matches(row, spdx.licence_class(row)) is answer


@pytest.mark.parametrize("name", spdx.CLASSES)
def test_a_class_query_reads_the_class(name: str) -> None:
    found = [spdx.query(name).matches(text, spdx.licence_class(text)) for text in ("MIT", "GPL-2.0-only", None)]
    assert found == [name == kind for kind in spdx.CLASSES]


def test_an_unknown_id_in_a_query_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        spdx.query("Apache2.0 OR MIT")
    assert "Apache-2.0" in caught.value.hint


def test_altered_licence_data_is_refused() -> None:
    with pytest.raises(ConfigError, match="SHA-256"):
        spdx.read_licence_data(b"{}", expected=spdx.DATA_SHA256)
    assert spdx.licence_data().sha256 == spdx.DATA_SHA256


def test_both_sources_are_in_the_data() -> None:
    data = spdx.licence_data()
    assert data.ratings["MIT"]
    assert data.classes["LicenseRef-scancode-public-domain"] == "permissive"
    assert len(data.classes) > 2000
    assert len(data.ratings) > 200


def test_families_fold_versions_of_wording_only() -> None:
    assert spdx.families("GPL-2.0-or-later OR (MIT AND GPL-2.0-only)") == {"GPL-2.0", "MIT"}
    assert spdx.families(None) == frozenset()
