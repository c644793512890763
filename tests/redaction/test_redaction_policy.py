"""Settings: kinds, sensitivity, placeholders, address policy; and the tables that the stage gives."""

import pyarrow as pa
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.schema import SPAN
from stages.redaction import FINDINGS, INSPECTION, Settings, find, inspect, redact
from stages.redaction.detection import _PERSONAL, _SECRETS, find_in_document
from stages.redaction.model import Window
from stages.redaction.vectorscan import CASELESS, Expression, refused
from tests.redaction.samples import GITHUB, JWT, PASSWORD, PLAIN_PASSWORD, STRIPE, run

TEXT = f"password = '{PASSWORD}'\ntoken = '{GITHUB}'\nmail = 'olga@forge.io'\nip = '78.141.62.146'\n"


def test_only_the_kinds_asked_for_are_redacted():
    assert run(TEXT, "a.py", kinds=("EMAIL",))[0] == TEXT.replace("olga@forge.io", "<EMAIL>")
    assert run(TEXT, "a.py", kinds=("IP_ADDRESS",))[0] == TEXT.replace("78.141.62.146", "<IP_ADDRESS>")
    assert run(TEXT, "a.py", kinds=())[0] == TEXT


def test_sensitivity_widens_what_is_found():
    text = TEXT + "x = 'c3VwZXIgbG9uZyBzdHJpbmcgc2hvdWxkIGNhdXNlIGVub3VnaA'\n# olga at forge dot io\n"
    low, medium, high = (run(text, "a.py", sensitivity=level)[0] for level in ("low", "medium", "high"))
    assert PASSWORD in low and GITHUB not in low and "olga@" not in low
    assert PASSWORD not in medium and "c3VwZX" in medium and "olga at forge" in medium
    assert "c3VwZX" not in high and "olga at forge" not in high


def test_rarer_kinds_are_found_on_request():
    text = "iban = 'GB82 WEST 1234 5698 7654 32' mac = '00:1B:44:11:3A:B7'"
    assert run(text, "a.py")[0] == text
    assert run(text, "a.py", kinds=("IBAN", "MAC_ADDRESS"))[0] == "iban = '<IBAN>' mac = '<MAC_ADDRESS>'"


def test_placeholders_and_address_classes_are_settings():
    assert run("olga@forge.io", "a.md", placeholders={"EMAIL": "<MAIL_1>"})[0] == "<MAIL_1>"
    assert run("ip 10.1.2.34 8.8.8.8", "a.md", keep_addresses=("resolver",))[0] == "ip <IP_ADDRESS> 8.8.8.8"


@pytest.mark.parametrize(
    "wrong",
    [
        {"placeholders": {"EMAIL": "x@y.io"}},
        {"placeholders": {"MAIL": "<X>"}},
        {"kinds": ("MAIL",)},
        {"what": 1},
        {"sensitivity": "extreme"},
        {"phone_regions": ("us",)},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(pydantic.ValidationError):
        Settings(**wrong)


def test_settings_survive_json():
    chosen = Settings(sensitivity="high", placeholders={"EMAIL": "<M>"})
    assert Settings.model_validate_json(chosen.model_dump_json()) == chosen


def test_find_names_every_detector():
    text = f"é {STRIPE}"
    table = find(pa.array(["", text], pa.large_string()), pa.array([b"a", b"b.env"], pa.binary()), Settings())
    assert table.schema == FINDINGS
    rows = table.to_pylist()
    assert {row["detector"] for row in rows} == {"gristmill", "detect-secrets", "kingfisher"}
    assert {(row["row"], row["start"], row["end"]) for row in rows} == {(1, 2, 2 + len(STRIPE))}


def test_inspect_gives_spans_of_the_original():
    content = f"é {GITHUB} olga@forge.io"
    table = inspect(pa.table({"id": ["7"], "path": ["a.md"], "content": [content.encode()]}))
    assert table.schema == INSPECTION
    assert [(row["id"], content[row["start"] : row["end"]], row["label"]) for row in table.to_pylist()] == [
        ("7", GITHUB, "KEY"),
        ("7", "olga@forge.io", "EMAIL"),
    ]


def test_redact_gives_the_schema_of_the_flow():
    table = redact(pa.array(["x"], pa.large_string()), pa.array([b"a"], pa.binary()), settings=Settings())
    assert table.schema.field("redactions").type == pa.list_(SPAN)
    assert table.schema.field("text").type == pa.large_string()


def test_vectorscan_takes_every_trigger():
    rules = (*_SECRETS, *_PERSONAL)
    assert not refused(Expression(trigger, 0, CASELESS) for rule in rules for trigger in rule.triggers)


WORDS = st.sampled_from(
    [
        "password",
        "Passwort",
        "my_pwd",
        "DB_PASS",
        "secret",
        "apiKey",
        "auth_token",
        "access-key",
        "Bearer",
        "key",
        "x",
        "phone",
        "tel",
        " = ",
        ": ",
        ":=",
        "=",
        "=>",
        '"',
        "'",
        "`",
        '\\"',
        "&quot;",
        "(",
        ", ",
        "<",
        ">",
        "</",
        " ",
        "--",
        "$",
        "https://u:",
        "@host",
        PASSWORD,
        PLAIN_PASSWORD,
        GITHUB,
        JWT,
        "aB3$xY9z",
        "olga@forge.io",
        "78.141.62.146",
        "2a03:6885::8b1",
        "+442083661177",
        "020 8366 1177",
        "4556739744508063",
        "é",
        "\t",
        "str",
        "login",
        "user",
    ]
)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS, min_size=1, max_size=9).map("".join), st.sampled_from(["a.py", "a.env", "a.md"]))
def test_triggers_let_every_finding_through(line, name):
    """A rule asked directly finds nothing in a line that the Vectorscan pass would have kept from it."""
    chosen = Settings(sensitivity="high")
    style = {"a.py": "code", "a.env": "config", "a.md": "prose"}[name]
    window = Window(line, 0, style, name, chosen)
    direct = {
        finding for rule in (*_SECRETS, *_PERSONAL) for finding in rule.find(window) if finding.kind in chosen.kinds
    }
    assert direct <= set(find_in_document(line.encode(), name.encode(), chosen))
