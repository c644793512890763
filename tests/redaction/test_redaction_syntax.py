"""What was a document of its language is one after redaction, line for line."""

import ast
import configparser
import json
import tomllib

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.redaction.samples import AWS_ID, BODY, FOOTER, GITHUB, HEADER, JWT, PASSWORD, PEM, PLAIN_PASSWORD, run

VALUES = (
    AWS_ID,
    GITHUB,
    JWT,
    PASSWORD,
    PEM,
    PLAIN_PASSWORD,
    "marta@forge.io",
    "nina@forge.io",
    "olga@équipe.fr",
    "78.141.62.146",
    "2a03:6885:f2e8:7f72::8b1",
    "+44 7700 900461",
    "4556739744508063",
    f"https://user:{PLAIN_PASSWORD}@forge.io/x",
)
BETWEEN = (
    "",
    " ",
    ", ",
    "\n",
    "\t",
    "\\",
    '"',
    "'",
    "\\n",
    '\\"',
    "é",
    "🔒",
    "#",
    ": ",
    "=",
    "|",
    "{",
    "]",
    "%",
    "password: ",
)
TEXTS = st.lists(st.sampled_from(VALUES + BETWEEN), min_size=1, max_size=7).map("".join)
NUMBERS = st.sampled_from([2025550143, 4556739744508063, 15, -4556739744508063])
NAMES = ("password", "api_key", "token", "phone", "card", "host", "mail", "text", "secret")
LEAVES = TEXTS | NUMBERS | st.booleans() | st.none()
OBJECTS = st.dictionaries(st.sampled_from(NAMES), LEAVES | st.lists(LEAVES, max_size=3), min_size=1, max_size=5)
CAREFUL = st.sampled_from([{}, {"number": True}, {"ip_style": "documentation"}, {"sensitivity": "low"}])
STYLES = CAREFUL | st.just({"sensitivity": "high"})
MANY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def shape(value):
    """`value` without its leaves."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else None


def nodes(node):
    """A YAML document without its scalars (`!!int "<CREDIT_CARD>"` is YAML, and no integer)."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: nodes(value) for key, value in node.value}
    return [nodes(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else None


def redacted(text, path, style):
    """`text` after redaction, of as many lines as before, and unchanged by another one."""
    new, spans = run(text, path, **style)
    assert new.count("\n") == text.count("\n")
    assert run(new, path, **style) == (new, [])
    assert [span for span in spans if not new[span["start"] : span["end"]]] == []
    return new


@MANY
@given(OBJECTS, st.sampled_from([None, 1, 4]), st.booleans(), STYLES)
def test_json(value, indent, escaped, style):
    text = json.dumps(value, indent=indent, ensure_ascii=escaped)
    assert shape(json.loads(redacted(text, "settings.json", style))) == shape(value)


@MANY
@given(OBJECTS, st.sampled_from([None, '"', "'", "|"]), st.booleans(), CAREFUL)
def test_yaml(value, quotes, flow, style):
    text = yaml.safe_dump(value, default_style=quotes, default_flow_style=flow, allow_unicode=True, width=1000)
    assert nodes(yaml.compose(redacted(text, "settings.yml", style))) == nodes(yaml.compose(text))


def toml(value):
    """`value` as TOML writes it."""
    if isinstance(value, list):
        return f"[{', '.join(toml(item) for item in value)}]"
    return '""' if value is None else json.dumps(value, ensure_ascii=False)


@MANY
@given(OBJECTS, STYLES)
def test_toml(value, style):
    text = "".join(f"{name} = {toml(item)}\n" for name, item in value.items())
    assert shape(tomllib.loads(redacted(text, "settings.toml", style))) == shape(tomllib.loads(text))


@MANY
@given(OBJECTS, st.sampled_from(["{name} = {value!r}\n", "    {name} = {value!r}  # {name}: {value!r}\n"]), STYLES)
def test_python(value, line, style):
    body = "".join(line.format(name=name, value=item) for name, item in value.items())
    text = f"def f():\n{body}" if line.startswith(" ") else body
    before, after = ast.parse(text), ast.parse(redacted(text, "settings.py", style))
    assert [type(node) for node in after.body] == [type(node) for node in before.body]


LINES = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from((*VALUES[:4], *VALUES[5:], " ", ", ", "é", "🔒")), min_size=1, max_size=5),
)


@MANY
@given(LINES, STYLES, st.sampled_from(["[main]\n", "; x\n[main]\n"]), st.sampled_from([" = ", "=", ": "]))
def test_ini(value, style, head, equals):
    text = head + "".join(f"{name}{equals}{''.join(parts)}\n" for name, parts in value.items())
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(redacted(text, "settings.ini", style))
    assert sorted(parser["main"]) == sorted(value)


@MANY
@given(LINES, STYLES, st.sampled_from(['{}="{}"', "{}={}", "export {}='{}'"]))
def test_dotenv(value, style, line):
    text = "\n".join(line.format(name.upper(), "".join(parts)) for name, parts in value.items())
    new = redacted(text, ".env", style)
    head, tail = line.split("{}", 2)[1], line.rsplit("{}", 1)[1]
    for name, row in zip(value, new.split("\n"), strict=bool(value)):
        assert row.removeprefix("export ").startswith(name.upper() + head)
        assert row.endswith(tail)


def test_numbers_become_strings_where_a_placeholder_is_no_value():
    assert run('{"phone": 2025550143}', "a.json")[0] == '{"phone": "<PHONE>"}'
    assert run("card = 4556739744508063\n", "a.toml")[0] == 'card = "<CREDIT_CARD>"\n'
    assert run("card = f(4556739744508063)\n", "a.py", number=True)[0] == 'card = f("<CREDIT_CARD_1>")\n'
    assert run("insert into t values (4556739744508063);\n", "a.sql")[0] == "insert into t values ('<CREDIT_CARD>');\n"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("card: 4556739744508063\n", "a.yml", "card: <CREDIT_CARD>\n"),
        ("card = 4556739744508063\n", "a.ini", "card = <CREDIT_CARD>\n"),
        ("# card: 4556739744508063\n", "a.py", "# card: <CREDIT_CARD>\n"),
        ('x = "card: 4556739744508063, y"\n', "a.py", 'x = "card: <CREDIT_CARD>, y"\n'),
        ("x = 'a\\'card: 4556739744508063, y'\n", "a.py", "x = 'a\\'card: <CREDIT_CARD>, y'\n"),
    ],
)
def test_numbers_elsewhere_do_not(text, path, expected):
    assert run(text, path)[0] == expected


def test_a_key_written_as_literals_leaves_the_literals():
    text = 'KEY = (\n    "' + '\\n"\n    "'.join([HEADER, *BODY, FOOTER]) + '\\n"\n)\n'
    new = run(text, "a.py")[0]
    assert ast.parse(new)
    assert not any(line in new for line in BODY)


def test_a_key_in_a_block_scalar_keeps_the_document():
    indented = PEM.replace("\n", "\n    ")
    new = run(f"tls:\n  key: |\n    {indented}\n  name: x\n", "a.yml")[0]
    assert yaml.safe_load(new)["tls"]["name"] == "x"
