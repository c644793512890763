"""The policy over licence expressions: what passes, what does not, and which test says so."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import polars as pl
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import spdx
from foundation.canonical import sha256_bytes
from foundation.errors import ConfigError
from pipeline.plan import plan_of, plan_text
from pipeline.recipe_file import parse_recipe
from scripts.make_compatibility_matrix import build as build_matrix
from stages.contents.placing import with_rank
from stages.licences import Settings, judged, policy_summary
from stages.licences.acceptance import MAX_JOINT, PLACEHOLDERS, read_test, within
from stages.licences.combine import NOT_READ, UNRECOGNISED
from stages.licences.compatibility import inbound_of, matrix, read_matrix
from stages.licences.detection import REFERENCES, UNKNOWN_TAG
from stages.licences.policy import policy_of

ANY = ("permissive", "non_permissive", "no_license")
IDS = ("MIT", "Apache-2.0", "BSD-3-Clause", "GPL-2.0-only", "GPL-2.0-or-later", "MPL-2.0", "LicenseRef-own")
STRANGE = (None, "", "NONE", "no expression at all", "LicenseRef-own", "MIT AND LicenseRef-own", *sorted(PLACEHOLDERS))

leaves = st.sampled_from([*IDS, "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-3.0-or-later"])
expressions = st.recursive(
    leaves,
    lambda parts: st.tuples(st.sampled_from([" AND ", " OR "]), st.lists(parts, min_size=2, max_size=3)).map(
        lambda pair: "(" + pair[0].join(pair[1]) + ")"
    ),
    max_leaves=6,
)
allowed = st.frozensets(st.sampled_from([name for name in IDS if name != "LicenseRef-own"]), min_size=1)


def passes(expression: str | None, **settings: object) -> bool:
    chosen = Settings.model_validate({"keep": ANY, **settings})
    return policy_of(chosen).failing(expression, spdx.licence_class(expression)) is None


def join(operator: str, *parts: str) -> str:
    return operator.join(f"({part})" for part in parts)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("mit", True),
        ("MIT OR GPL-2.0-only", True),
        ("MIT AND Apache-2.0", True),
        ("MIT AND GPL-2.0-only", False),
        ("MIT AND (GPL-2.0-only OR Apache-2.0)", True),
        ("GPL-2.0-or-later", True),  # may be taken as GPL-3.0-only
        ("GPL-2.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", True),  # a permission more than the licence that is allowed
        ("LGPL-2.1-only WITH GCC-exception-2.0", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),  # the pair is allowed
        ("GPL-2.0-only WITH Font-exception-2.0", False),
        ("MIT AND LicenseRef-scancode-dco-1.1", True),  # adds no condition
        *((text, False) for text in STRANGE),
    ],
)
def test_an_allow_list_passes_what_its_licences_suffice_for(expression: str | None, expected: bool) -> None:
    allow = ["MIT", "Apache-2.0", "GPL-3.0-only", "GPL-2.0-only WITH Classpath-exception-2.0"]
    assert passes(expression, allow=allow) is expected


@pytest.mark.parametrize(
    ("test", "passing", "failing"),
    [
        (
            "MIT OR Apache-2.0 OR BSD-3-Clause",
            ["MIT", "MIT OR GPL-2.0-only", "MIT AND BSD-3-Clause", "Apache-2.0 WITH LLVM-exception"],
            ["MIT AND GPL-2.0-only", "ISC", "GPL-2.0-only OR LGPL-2.1-only"],
        ),
        (
            "Apache-2.0 AND MIT",
            ["Apache-2.0 AND MIT", "(Apache-2.0 OR ISC) AND MIT"],
            ["MIT", "Apache-2.0 OR MIT", "Apache-2.0 AND MIT AND ISC"],
        ),
        (
            "MIT OR (Apache-2.0 AND BSD-2-Clause)",
            ["MIT", "Apache-2.0 AND BSD-2-Clause", "Apache-2.0 AND MIT"],
            ["Apache-2.0", "BSD-2-Clause"],
        ),
        ("permissive OR MPL-2.0", ["Zlib", "MPL-2.0", "MIT AND MPL-2.0"], ["LGPL-2.1-only", "MIT AND LGPL-2.1-only"]),
        ("GPL-3.0-or-later", ["GPL-3.0-or-later", "GPL-2.0-or-later"], ["GPL-3.0-only", "GPL-2.0-only"]),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0",
            ["GPL-2.0-only WITH Classpath-exception-2.0"],
            ["GPL-2.0-only", "GPL-2.0-only WITH Font-exception-2.0"],
        ),
    ],
)
def test_an_expression_test_asks_for_a_branch_within_it(test: str, passing: list[str], failing: list[str]) -> None:
    assert [text for text in passing if not passes(text, test=test)] == []
    assert [text for text in (*failing, *STRANGE) if passes(text, test=test)] == []


@pytest.mark.parametrize(
    ("outbound", "passing", "failing"),
    [
        ("Apache-2.0", ["MIT", "BSD-3-Clause AND MIT", "MIT OR GPL-2.0-only"], ["GPL-2.0-only", "MPL-2.0", "MS-PL"]),
        ("GPL-3.0-or-later", ["LGPL-2.1-or-later", "Apache-2.0", "GPL-2.0-or-later"], ["GPL-2.0-only", "CDDL-1.0"]),
        ("GPL-2.0-only", ["GPL-2.0-only", "MIT", "GPL-2.0-only WITH Classpath-exception-2.0"], ["Apache-2.0"]),
    ],
)
def test_compatibility_is_the_matrix_answer(outbound: str, passing: list[str], failing: list[str]) -> None:
    assert [text for text in passing if not passes(text, compatible_with=outbound)] == []
    assert [text for text in (*failing, *STRANGE) if passes(text, compatible_with=outbound)] == []


def test_the_matrix_is_whole_and_pinned() -> None:
    takes = matrix().takes
    assert len(takes) == 110 and all(name in inbound for name, inbound in takes.items())
    assert {name for row in takes.values() for name in row} <= set(takes)
    assert matrix().date == "2024-05-21"
    with pytest.raises(ConfigError, match="expected 00"):
        read_matrix(b"{}", expected="00")
    with pytest.raises(ConfigError, match=r"does not know CC0-1\.0"):
        inbound_of("CC0-1.0")


def test_the_script_writes_what_the_stage_reads() -> None:
    raw = {"timestamp": "2024-05-21T02:14:00+00:00", "mit": {"mit": "Same", "ISC": "Yes"}, "ISC": {"mit": "No"}}
    raw["ISC"]["ISC"] = "Check dependency"  # type: ignore[index]
    data = json.dumps(build_matrix(raw, package="1")).encode()
    found = read_matrix(data, expected=sha256_bytes(data))
    assert found.takes == {"MIT": frozenset({"MIT", "ISC"}), "ISC": frozenset()}
    assert found.date == "2024-05-21"


@given(allowed, expressions, expressions)
def test_an_allow_list_is_a_lattice(ids: frozenset[str], one: str, other: str) -> None:
    either, both = within(join(" OR ", one, other), ids), within(join(" AND ", one, other), ids)
    assert either == (within(one, ids) or within(other, ids))
    assert both == (within(one, ids) and within(other, ids))


@given(allowed, allowed, expressions)
def test_a_longer_allow_list_never_refuses_what_passed(ids: frozenset[str], more: frozenset[str], text: str) -> None:
    assert within(text, ids | more) or not within(text, ids)


@given(allowed, expressions)
def test_a_test_of_alternatives_is_an_allow_list(ids: frozenset[str], text: str) -> None:
    assert read_test(" OR ".join(sorted(ids))).passes(text) == within(text, ids)


@given(expressions, expressions, expressions)
def test_an_or_is_never_worse_than_its_best_branch(test: str, one: str, other: str) -> None:
    asked = read_test(test.replace("LicenseRef-own", "ISC"))
    assert asked.passes(join(" OR ", one, other)) == (asked.passes(one) or asked.passes(other))
    if not asked.joint:
        assert asked.passes(join(" AND ", one, other)) == (asked.passes(one) and asked.passes(other))


@given(expressions)
def test_every_expression_passes_the_test_that_it_is(text: str) -> None:
    text = text.replace("LicenseRef-own", "ISC")
    assert read_test(text).passes(text)


@given(expressions, expressions)
def test_a_test_is_true_of_some_branch_that_names_nothing_else(test: str, text: str) -> None:
    """Against the definition, spelled out over all branches."""
    asked = read_test(test.replace("LicenseRef-own", "ISC"))
    found = False
    for branch in branches(spdx.parse(text)):
        taken = [set(spdx.offers(leaf)) & asked.ids for leaf in branch]
        found |= all(taken) and holds(asked.tree, set().union(*taken))
    assert asked.passes(text) == found


def branches(node: spdx.Licence | spdx.Compound) -> list[tuple[spdx.Licence, ...]]:
    if isinstance(node, spdx.Licence):
        return [(node,)]
    parts = [branches(part) for part in node.operands]
    if node.operator == "OR":
        return [branch for part in parts for branch in part]
    return [sum(chosen, ()) for chosen in itertools.product(*parts)]


def holds(node: spdx.Licence | spdx.Compound, names: set[str]) -> bool:
    if isinstance(node, spdx.Licence):
        return str(node) in names
    return (any if node.operator == "OR" else all)(holds(part, names) for part in node.operands)


@given(st.permutations(["MIT", "Apache-2.0", "MPL-2.0"]), st.permutations(["GPL-2.0-only", "MIT", "ISC"]))
def test_order_and_repetition_say_nothing(ids: list[str], parts: list[str]) -> None:
    one, other = Settings(keep=ANY, allow=(*ids, "mit")), Settings(keep=ANY, allow=tuple(sorted(ids)))
    assert one == other
    for operator in (" AND ", " OR "):
        assert passes(operator.join(parts), allow=ids) == passes(operator.join(sorted(parts)), allow=sorted(ids))


@given(st.lists(expressions, max_size=8), st.randoms(use_true_random=False))
def test_a_row_is_judged_alone(texts: list[str], random: object) -> None:
    settings = Settings(keep=ANY, allow=("MIT",), test="MIT OR ISC")
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    whole = judged(rows(texts), settings)["reason"].to_list()
    assert judged(rows([texts[at] for at in order]), settings)["reason"].to_list() == [whole[at] for at in order]


def rows(texts: list[str] | list[str | None]) -> pl.DataFrame:
    classes = [spdx.licence_class(text) for text in texts]
    schema = {"licence_expression": pl.String, "licence_class": pl.String, "licence_evidence": pl.String}
    return pl.DataFrame([texts, classes, ["{}"] * len(texts)], schema=schema, orient="col")


def test_all_tests_must_hold_and_a_refusal_names_the_first_that_fails() -> None:
    settings = Settings(
        keep=("permissive", "non_permissive"),
        allow=("MIT", "MPL-2.0", "ISC", "CC0-1.0"),
        test="MIT OR MPL-2.0 OR CC0-1.0",
        compatible_with="Apache-2.0",
    )
    found = judged(rows(["MIT", None, "Zlib", "ISC", "MPL-2.0", "CC0-1.0", "MIT OR ISC"]), settings)
    assert found["threshold"].to_list() == [
        None,
        "permissive or non_permissive",
        "allow: CC0-1.0, ISC, MIT, MPL-2.0",
        "test: MIT OR MPL-2.0 OR CC0-1.0",
        "compatible_with: Apache-2.0 (OSADL 2024-05-21)",
        "compatible_with: Apache-2.0 (OSADL 2024-05-21)",
        None,
    ]
    assert found["reason"].to_list() == [None, "no_licence", *["licence_refused"] * 4, None]
    assert found["value"].to_list() == [None, None, "Zlib", "ISC", "MPL-2.0", "CC0-1.0", None]
    assert policy_summary(settings)["test"] == "MIT OR MPL-2.0 OR CC0-1.0"


def test_the_copy_that_the_policy_lets_pass_speaks_first() -> None:
    """Of a content's occurrences, one that can be kept comes before a better known one that cannot."""
    occurrences = rows(["MIT", "Apache-2.0", None, "GPL-2.0-only"]).with_columns(origin=pl.lit("o"))
    repositories = pl.DataFrame({"origin": ["o"], "stars": [1], "forks": [1], "first_seen": [None]}).with_columns(
        pl.col("first_seen").cast(pl.Datetime("us", "UTC"))
    )

    def order(**settings: object) -> list[str | None]:
        chosen = Settings.model_validate(settings)
        ranked = with_rank(occurrences, repositories, chosen).sort("rank_licence", maintain_order=True)
        return ranked["licence_expression"].to_list()

    assert order() == ["MIT", "Apache-2.0", None, "GPL-2.0-only"]
    assert order(keep=ANY) == ["MIT", "Apache-2.0", None, "GPL-2.0-only"]
    assert order(allow=["Apache-2.0"]) == ["Apache-2.0", "MIT", None, "GPL-2.0-only"]
    assert order(keep=ANY, allow=["GPL-2.0-only"]) == ["GPL-2.0-only", "MIT", "Apache-2.0", None]


def test_the_plan_shows_the_policy(tmp_path: Path) -> None:
    section = {"keep": ["permissive", "non_permissive"], "allow": ["MPL-2.0", "mit"], "test": "permissive OR MPL-2.0"}
    document = {"release": {"name": "r", "version": "1.0.0"}, "licences": {**section, "compatible_with": "Apache-2.0"}}
    plan = plan_of(parse_recipe(document, name="r"), out=tmp_path)
    assert plan["policy"]["allow"] == ["MIT", "MPL-2.0"]  # type: ignore[index,call-overload]
    line = next(line for line in plan_text(plan).splitlines() if line.startswith("policy"))
    shown = (
        "keep permissive, non_permissive  allow MIT, MPL-2.0  test permissive OR MPL-2.0  compatible_with Apache-2.0"
    )
    assert shown in line


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"allow": ["MITT"]}, "nearest id is MIT"),
        ({"allow": ["MIT OR ISC"]}, "not one licence"),
        ({"allow": ["GPL-3.0-only"]}, 'keep = ["permissive", "non_permissive"]'),
        ({"allow": ["LicenseRef-own"]}, "no licence whose terms are known"),
        ({"test": "MIT OR"}, "not an SPDX expression"),
        ({"test": "MIT OR Apache"}, "nearest id is"),
        ({"test": "MIT OR MPL-2.0"}, "test names MPL-2.0, which is non_permissive"),
        ({"test": "non_permissive"}, "permissive is the only class"),
        ({"test": "MIT OR LicenseRef-own"}, "no licence whose terms are known"),
        ({"compatible_with": "CC0-1.0"}, "does not know CC0-1.0"),
        ({"compatible_with": "MIT OR ISC"}, "not one licence"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="(?s).*" + said.replace("[", r"\[").replace("]", r"\]")):
        Settings.model_validate(settings)


@pytest.mark.parametrize("name", sorted(REFERENCES | {NOT_READ, UNRECOGNISED, UNKNOWN_TAG}))
def test_nobody_can_accept_what_is_not_known(name: str) -> None:
    assert name in PLACEHOLDERS
    with pytest.raises(pydantic.ValidationError, match="no licence whose terms"):
        Settings.model_validate({"keep": ANY, "allow": [name]})


def test_work_on_a_stranger_s_expression_is_bounded() -> None:
    names = [name for name in sorted(spdx.licence_data().classes) if not name.startswith("LicenseRef-")]
    with pytest.raises(ConfigError, match=f"at most {MAX_JOINT}"):
        read_test(" AND ".join(names[: MAX_JOINT + 1]))
    joint = names[:MAX_JOINT]
    choices = " AND ".join(f"({one} OR {other})" for one, other in itertools.combinations(joint, 2))
    assert not read_test(" AND ".join(joint)).passes(f"({choices}) AND LicenseRef-own")
    assert read_test(" AND ".join(joint)).passes(choices)
