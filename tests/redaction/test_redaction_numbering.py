"""Numbers and documentation addresses: equal values stay equal, different ones different, and nothing more is told."""

import ipaddress
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stages.redaction import Settings
from tests.redaction.samples import AWS_ID, GITHUB, GITLAB, JWT, PEM, run

VALUES = ("marta@forge.io", "olga@forge.io", AWS_ID, GITHUB, GITLAB, JWT, PEM, "78.141.62.146", "4556739744508063")
FILES = st.lists(st.sampled_from(VALUES) | st.sampled_from(("<EMAIL_2>", "<KEY_1>", "é 🔒")), max_size=12)
MANY = settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LAST_V4 = 762  # hosts of the three documentation networks of RFC 5737


@MANY
@given(FILES, st.sampled_from(["\n", " | ", "\r\n"]))
def test_equal_values_and_no_others_share_a_placeholder(parts, between):
    text = between.join(parts)
    redacted, spans = run(text, "a.md", number=True)
    assert run(redacted, "a.md", number=True) == (redacted, [])
    given_names = [redacted[span["start"] : span["end"]] for span in spans]
    values = [part for part in parts if part in VALUES]
    assert len(values) == len(given_names)
    assert len(set(zip(values, given_names, strict=True))) == len(set(values)) == len(set(given_names))
    assert all(
        re.fullmatch(rf"<{span['kind']}_[1-9][0-9]*>", name) for span, name in zip(spans, given_names, strict=True)
    )
    assert set(given_names).isdisjoint(parts)


def test_numbers_are_given_in_order_of_first_place():
    text = "olga@forge.io marta@forge.io olga@forge.io ip 78.141.62.146"
    assert run(text, "a.md", number=True)[0] == "<EMAIL_1> <EMAIL_2> <EMAIL_1> ip <IP_ADDRESS_1>"
    assert run(text, "a.md")[0] == "<EMAIL> <EMAIL> <EMAIL> ip <IP_ADDRESS>"


def test_a_value_that_is_called_by_two_names_keeps_the_first():
    text = f'password = "{GITHUB}"\n{GITHUB}\n'
    redacted, spans = run(text, "a.py", number=True)
    assert len({redacted[span["start"] : span["end"]] for span in spans}) == 1
    assert len({span["kind"] for span in spans}) == 1


def test_kinds_that_share_a_placeholder_share_its_numbers():
    shown = run("marta@forge.io 78.141.62.146", "a.md", number=True, placeholders={"EMAIL": "<X>", "IP_ADDRESS": "<X>"})
    assert shown[0] == "<X_1> <X_2>"


def test_numbers_in_a_text_are_placeholders_for_whoever_does_not_number():
    text = 'mail = "<EMAIL_1>"\npassword = "<PASSWORD_12>"\n'
    assert run(text, "a.py") == (text, [])


V4 = st.ip_addresses(v=4, network="78.0.0.0/8").map(str)
V6 = st.ip_addresses(v=6, network="2a03:6885::/32").map(str)


@MANY
@given(st.lists(V4 | V6 | st.sampled_from(["192.0.2.1", "2001:db8::1", "10.0.0.1"]), max_size=10))
def test_documentation_addresses(addresses):
    text = "\n".join(f"host: {address}" for address in addresses)
    redacted, spans = run(text, "hosts.yml", ip_style="documentation")
    assert run(redacted, "hosts.yml", ip_style="documentation") == (redacted, [])
    shown = [line.removeprefix("host: ") for line in redacted.split("\n")] if addresses else []
    assert len(set(zip(addresses, shown, strict=True))) == len(set(addresses)) == len(set(shown))
    for span in spans:
        address = ipaddress.ip_address(redacted[span["start"] : span["end"]])
        assert address.is_private and span["kind"] == "IP_ADDRESS"
    assert all(new == old or new not in addresses for old, new in zip(addresses, shown, strict=True))


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1", "10.20.30.40", "2001:db8::12:34"])
def test_a_kept_address_is_kept_wherever_a_long_line_is_cut(address):
    for before in range(len(address) + 2):
        text = "x" * before + f" ip {address}" * 700
        assert run(text, "a.txt") == (text, [])


def test_an_address_spelled_twice_is_one():
    text = "host: 2A03:6885:0:0:0:0:0:8b1\nhost: 2a03:6885::8b1\n"
    assert run(text, "a.yml", ip_style="documentation")[0] == "host: 2001:db8::1\nhost: 2001:db8::1\n"


def test_when_documentation_addresses_run_out_placeholders_stand():
    text = "".join(f"host: 78.141.{n // 200}.{n % 200}\n" for n in range(LAST_V4 + 10))
    lines = run(text, "a.yml", ip_style="documentation")[0].splitlines()
    assert len(set(lines[:LAST_V4])) == LAST_V4
    assert lines[LAST_V4:] == ["host: <IP_ADDRESS>"] * 10


def test_documentation_addresses_must_be_kept():
    with pytest.raises(ValidationError, match="keep_addresses must hold documentation"):
        Settings(ip_style="documentation", keep_addresses=("private",))
