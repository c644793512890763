"""The recipe's policy over effective licences: which expressions pass, and which test refuses the others.

The tests, in the order in which they are asked; all that the recipe gives must hold:

    keep             the licence's class is one of these (`permissive` alone unless said otherwise)
    allow            the expression can be complied with by the licences listed alone
    test             the expression is within an SPDX expression test
    compatible_with  every licence of some branch may go into a work under this one, by OSADL's matrix

Output of `judged` (one row a row, in their order): reason (`no_licence` or `licence_refused`, null: passes), value
(the expression), threshold (the first test that fails, as text; the classes alone for `keep`), evidence.
Cost: one evaluation a distinct (expression, class), the rest is a join.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import polars as pl

from foundation import spdx
from foundation.canonical import Json
from stages.licences.acceptance import Test, read_test, within
from stages.licences.compatibility import inbound_of, matrix
from stages.licences.settings import Settings

SHOWN = 200
"""Characters of an allow-list or test that a decision's row shows."""


@dataclasses.dataclass(frozen=True)
class Policy:
    """The tests of a recipe, ready to be asked; made by `policy_of`."""

    keep: tuple[str, ...]
    allow: frozenset[str]  # empty: no such test
    test: Test | None
    compatible_with: str  # empty: no such test
    inbound: frozenset[str]

    def failing(self, expression: str | None, licence_class: str) -> str | None:
        """The first test that `expression` fails, as text for people; None when it passes all."""
        for shown, passes in self._tests():
            if not passes(expression, licence_class):
                return shown
        return None

    def _tests(self) -> list[tuple[str, Callable[[str | None, str], bool]]]:
        tests: list[tuple[str, Callable[[str | None, str], bool]]] = [
            (" or ".join(self.keep), lambda _, licence_class: licence_class in self.keep)
        ]
        if self.allow:
            tests.append((_cut(f"allow: {', '.join(sorted(self.allow))}"), lambda text, _: within(text, self.allow)))
        if self.test is not None:
            tests.append((_cut(f"test: {self.test.text}"), lambda text, _, test=self.test: test.passes(text)))  # type: ignore[misc]
        if self.compatible_with:
            named = f"compatible_with: {self.compatible_with} (OSADL {matrix().date})"
            tests.append((named, lambda text, _: within(text, self.inbound)))
        return tests


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def policy_of(settings: Settings) -> Policy:
    """The policy that `settings` write."""
    return Policy(
        keep=settings.keep,
        allow=frozenset(settings.allow),
        test=read_test(settings.test) if settings.test else None,
        compatible_with=settings.compatible_with,
        inbound=inbound_of(settings.compatible_with) if settings.compatible_with else frozenset(),
    )


def policy_summary(settings: Settings) -> dict[str, Json]:
    """The policy for a plan: the tests that are given, each as the recipe has it."""
    given: dict[str, Json] = {"keep": list(settings.keep)}
    if settings.allow:
        given["allow"] = list(settings.allow)
    if settings.test:
        given["test"] = settings.test
    if settings.compatible_with:
        taken = len(inbound_of(settings.compatible_with))
        given["compatible_with"] = f"{settings.compatible_with} ({taken} licences, OSADL {matrix().date})"
    return given


def failing_tests(
    rows: pl.DataFrame, settings: Settings, *, expression: str = "licence_expression", of_class: str = "licence_class"
) -> pl.Series:
    """The first test that each row's licence fails, null where it passes; `expression` and `of_class` name columns."""
    pairs = rows.select(expression=expression, of_class=of_class)
    asked = functools.partial(_failing, policy=policy_of(settings))
    distinct = pairs.unique(maintain_order=True)
    found = [asked(text, name) for text, name in distinct.iter_rows()]
    answers = distinct.with_columns(pl.Series("failing", found, dtype=pl.String))
    joined = pairs.join(answers, on=["expression", "of_class"], how="left", nulls_equal=True, maintain_order="left")
    return joined["failing"]


def _failing(expression: str | None, licence_class: str | None, *, policy: Policy) -> str | None:
    return policy.failing(expression, licence_class or spdx.NO_LICENSE)


def judged(rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """reason, value, threshold, evidence of each row with LICENCE columns; see the module."""
    failing = failing_tests(rows, settings)
    refused = failing.is_not_null()
    nothing = pl.col("licence_class") == spdx.NO_LICENSE
    code = pl.when(nothing).then(pl.lit("no_licence")).otherwise(pl.lit("licence_refused"))
    return rows.select(
        reason=pl.when(refused).then(code),
        value=pl.when(refused).then("licence_expression"),
        threshold=failing,
        evidence=pl.when(refused).then("licence_evidence"),
    )
