"""Canonical bytes: one spelling for each value, and roots that name exactly their leaves."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.canonical import canonical_json, differing_fields, fingerprint, merkle_root
from foundation.errors import InternalError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
LEAVES = st.dictionaries(st.text(min_size=1, max_size=20).filter(lambda name: "\x00" not in name), DIGESTS, max_size=20)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_key_order_never_shows(value: dict[str, object]) -> None:
    backwards = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(backwards)
    assert fingerprint(value) == fingerprint(backwards)


@pytest.mark.parametrize("value", [{1: 2}, {"a": {1, 2}}, {"a": b"x"}, {"a": object()}, [lambda: None]])
def test_values_without_one_spelling_are_refused(value: object) -> None:
    with pytest.raises(InternalError, match="no canonical JSON"):
        canonical_json(value)


@given(LEAVES)
def test_merkle_root_ignores_order_and_sees_every_change(leaves: dict[str, str]) -> None:
    root = merkle_root(leaves)
    assert root == merkle_root(dict(reversed(list(leaves.items()))))
    for name, digest in leaves.items():
        other = hashlib.sha256(bytes.fromhex(digest)).hexdigest()
        assert merkle_root({**leaves, name: other}) != root
        assert merkle_root({key: value for key, value in leaves.items() if key != name}) != root
        assert merkle_root({**{k: v for k, v in leaves.items() if k != name}, name + "!": digest}) != root


def test_merkle_root_of_two_leaves_by_hand() -> None:
    one, two = "11" * 32, "22" * 32
    leaf = [hashlib.sha256(b"\x00" + n + b"\x00" + bytes.fromhex(d)).digest() for n, d in ((b"a", one), (b"b", two))]
    assert merkle_root({"b": two, "a": one}) == hashlib.sha256(b"\x01" + leaf[0] + leaf[1]).hexdigest()


def test_differing_fields_name_the_leaf() -> None:
    before = {"recipe": {"threshold": 0.7, "name": "x"}, "gone": 1}
    after = {"recipe": {"threshold": 0.8, "name": "x"}}
    assert differing_fields(before, after) == ["gone: 1 → null", "recipe.threshold: 0.7 → 0.8"]
