"""A request lives as the lifecycle says, and the export says at each sequence what was in force."""

import itertools

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from foundation.errors import ConfigError, ConflictError, UsageError
from foundation.exclusions import EMPTY
from registry import REASON_CODES, TRANSITIONS, open_registry, parse_selector

SELECTORS = [
    parse_selector("owner", "landley"),
    parse_selector("owner", "landley", include_forks=True),
    parse_selector("owner", "octocat", include_future=False),
    parse_selector("repository", "a/b", former_names=["c/b"], repository_id=7),
    parse_selector("path", "a/b", glob="docs/**", purposes=["train"]),
    parse_selector("content", "swh:1:cnt:" + "0" * 40),
    parse_selector("host", "git.example.org"),
]


class Lifecycle(RuleBasedStateMachine):
    """The registry against a list of (selector, requester, states), one an entry."""

    location = ""

    @initialize()
    def start(self):
        self.registry = open_registry(self.location.format(id(self)))
        self.model = []  # {selector, requester, receipt, state}
        self.exports = {0: EMPTY.to_bytes()}
        self.sequence = 0

    def teardown(self):
        if hasattr(self, "registry"):
            self.registry.close()

    @rule(
        selector=st.sampled_from(SELECTORS),
        requester=st.sampled_from(["", "a@b", "x'; DROP TABLE log;--"]),
        hold=st.booleans(),
    )
    def submit(self, selector, requester, hold):
        done = self.registry.submit(selector, requester=requester, hold=hold)
        twins = [
            (number, one)
            for number, one in enumerate(self.model, 1)
            if (one["selector"], one["requester"]) == (selector, requester) and TRANSITIONS[one["state"]]
        ]
        if twins:
            number, one = twins[0]
            assert (done.request, done.receipt, done.state, done.created) == (
                number,
                one["receipt"],
                one["state"],
                False,
            )
            return
        assert done.created
        assert done.request == len(self.model) + 1
        assert done.receipt not in [one["receipt"] for one in self.model]
        self.model.append({"selector": selector, "requester": requester, "receipt": done.receipt, "state": done.state})
        assert done.state == ("held" if hold else "received")
        self.sequence += 1 + hold
        assert done.sequence == self.sequence

    @precondition(lambda self: self.model)
    @rule(data=st.data(), state=st.sampled_from(["held", "effective", "refused"]), dry_run=st.booleans())
    def decide(self, data, state, dry_run):
        number = data.draw(st.integers(1, len(self.model)))
        reason = data.draw(st.sampled_from(REASON_CODES[state]))
        self._move(
            number,
            state,
            lambda: self.registry.decide(number, state, reason=reason, actor="al", dry_run=dry_run),
            dry_run,
        )

    @precondition(lambda self: self.model)
    @rule(data=st.data(), dry_run=st.booleans())
    def withdraw(self, data, dry_run):
        number = data.draw(st.integers(1, len(self.model)))
        receipt = self.model[number - 1]["receipt"]
        self._move(number, "withdrawn", lambda: self.registry.withdraw(receipt, dry_run=dry_run), dry_run)

    def _move(self, number, state, act, dry_run):
        before = self.model[number - 1]["state"]
        if state not in TRANSITIONS[before]:
            with pytest.raises(ConflictError, match=f"request {number} is {before}"):
                act()
            return
        done = act()
        assert (done.request, done.before, done.after, done.sequence) == (number, before, state, self.sequence + 1)
        if not dry_run:
            self.model[number - 1]["state"] = state
            self.sequence += 1

    @precondition(lambda self: self.model)
    @invariant()
    def the_registry_is_as_the_model_says(self):
        states = [one["state"] for one in self.model]
        assert [(one.id, one.state) for one in self.registry.list()] == list(enumerate(states, 1))
        exported = self.registry.export()
        assert exported.sequence == self.sequence == self.registry.verify_log().sequence
        in_force = [f"optout-{n}" for n, state in enumerate(states, 1) if state in ("held", "effective")]
        assert [entry.id for entry in exported.entries] == in_force
        for entry in exported.entries:
            asked = self.model[entry.number - 1]
            assert entry.state == asked["state"]
            assert asked["selector"].model_dump().items() <= entry.model_dump().items()
        self.exports[self.sequence] = exported.to_bytes()

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def an_earlier_state_can_be_exported_again(self, data):
        sequence = data.draw(st.sampled_from(sorted(self.exports)))
        assert self.registry.export(sequence).to_bytes() == self.exports[sequence]


def test_any_history_is_as_the_model_says(tmp_path):
    class Here(Lifecycle):
        location = f"{tmp_path}/{{}}.db"

    limits = settings(
        max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    Here.TestCase.settings = limits
    test = Here.TestCase("runTest")
    test.runTest()


def test_a_request_excludes_from_receipt_to_withdrawal(desk):
    done = desk.submit(SELECTORS[0], requester="rob@example.org", note="please")
    assert done.state == "held"
    assert desk.check(origin="https://github.com/Landley/Toybox")[0].id == "optout-1"
    desk.decide(1, "effective", reason="verified", actor="alex")
    assert desk.export().entries[0].effective_sequence == 3
    assert desk.status(done.receipt).state == "effective"
    desk.withdraw(done.receipt)
    assert desk.check(origin="landley/toybox") == ()
    assert desk.export().entries == ()
    assert [entry.state for entry in desk.export(3).entries] == ["effective"]
    assert desk.export(1).entries == ()  # received, not yet held
    again = desk.submit(SELECTORS[0], requester="rob@example.org")
    assert again.created
    assert again.receipt != done.receipt


def test_every_kind_of_selector_survives_the_store(desk):
    for selector in SELECTORS:
        desk.submit(selector)
    assert [one.selector for one in desk.list()] == SELECTORS
    assert desk.list(kind="owner", state="held") == desk.list()[:3]
    assert desk.export().entries[2].cutoff == desk.list()[2].received
    for entry, selector in zip(desk.export().entries, SELECTORS, strict=True):
        assert selector.model_dump().items() <= entry.model_dump().items()


def test_a_dry_run_records_nothing(desk):
    assert desk.submit(SELECTORS[0], dry_run=True).request == 1
    with pytest.raises(ConfigError, match="no registry"):
        desk.list()
    done = desk.submit(SELECTORS[0])
    assert desk.submit(SELECTORS[1], dry_run=True).sequence == 4
    assert desk.decide(1, "refused", reason="abuse", actor="a", dry_run=True).sequence == 3
    assert desk.withdraw(done.receipt, dry_run=True).after == "withdrawn"
    assert [one.state for one in desk.list()] == ["held"]


OUTSIDE = [
    ("effective", "not_owner", UsageError),
    ("refused", "free text here", UsageError),
    ("withdrawn", "by_requester", UsageError),  # only the receipt withdraws
    ("received", "submitted", UsageError),
    ("nonsense", "verified", UsageError),
    ("held", "after_review", ConflictError),  # it is held already
]


def test_a_decision_outside_the_lifecycle_changes_nothing(desk):
    desk.submit(SELECTORS[0])
    for state, reason, error in OUTSIDE:
        with pytest.raises(error):
            desk.decide(1, state, reason=reason, actor="a")
    assert desk.verify_log().sequence == 2


def test_without_its_receipt_nobody_withdraws(desk):
    desk.submit(SELECTORS[0])
    guesses = ["", "x", "optout-1", "' OR 1=1 --", "%", "\x00", "é", "0" * 48, "a" * 10_000]
    for act, receipt in itertools.product((desk.withdraw, desk.status), guesses):
        with pytest.raises(UsageError, match="receipt"):
            act(receipt)


def test_a_state_to_come_cannot_be_exported(desk):
    desk.submit(SELECTORS[0])
    for sequence in (-1, 3, 10**20):
        with pytest.raises(UsageError, match="registry is at 2"):
            desk.export(sequence)


def test_unknown_requests_and_missing_actors_are_refused(desk):
    desk.submit(SELECTORS[0])
    for number in (0, -1, 2, 10**30):
        with pytest.raises(UsageError, match="no request"):
            desk.decide(number, "effective", reason="verified", actor="a")
    for actor in ("", "a" * 101, "a\x00"):
        with pytest.raises(UsageError):
            desk.decide(1, "effective", reason="verified", actor=actor)
