"""Detect-secrets behind the Vectorscan filter finds what its own scan_file finds: on made-up and on installed files."""

import itertools
import sysconfig
from pathlib import Path

import pytest
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.redaction import plugins
from stages.redaction.vectorscan import refused
from tests.redaction.samples import AWS_ID, AWS_SECRET, AZURE, GITHUB, GITLAB, JWT, PASSWORD, PEM, SLACK, STRIPE, TWILIO

SUFFIXES = [
    ".yml",
    ".yaml",
    ".eyaml",
    ".ini",
    ".cfg",
    ".cnf",
    ".conf",
    ".properties",
    ".toml",
    ".env",
    ".txt",
    ".sh",
    ".json",
    ".md",
    ".py",
    ".js",
    ".go",
    ".c",
    ".cpp",
    ".cs",
    ".java",
    ".php",
    ".tf",
    ".example",
    ".xml",
    ".rb",
]
LINES = [
    f"aws_key = {AWS_ID}",
    f'aws_secret_key = "{AWS_SECRET}"',
    f"AccountKey={AZURE}",
    f"token: {GITHUB}",
    f"t = '{GITLAB}'",
    f"jwt: {JWT}",
    f"password = {PASSWORD}",
    f'password: "{PASSWORD}"',
    f"db_password: {PASSWORD}",
    f"my_secret := '{PASSWORD}'",
    f"slack={SLACK}",
    f"k: {STRIPE}",
    f"sid = {TWILIO}",
    "url = https://u:" + "Zk39dkfk3k@host/",
    "hex: 2b00042f7481c7b056c4b410d28f33cf",
    'b64: "c3VwZXIgbG9uZyBzdHJpbmcgc2hvdWxkIGNhdXNlIGVub3VnaCBlbnRyb3B5"',
    "ip: 78.141.62.146",
    "softlayer_key = " + "ab12" * 16,
    "//registry.example.org/:_authToken=" + "npm_abcdefgh",
    f'if ("{PASSWORD}" == my_password) {{}}',
    f'private_key "{PASSWORD}";',
    f"password = {PASSWORD}  # pragma: allowlist secret",
    "secret = get_secret()",
    "api_key: ${API_KEY}",
    "password: 'it''s'",
]


def theirs(path: Path) -> set[tuple[str, int, str]]:
    with default_settings():
        return {(one.type, one.line_number, one.secret_value or "") for one in scan_file(str(path))}


def ours(path: Path) -> set[tuple[str, int, str]]:
    text = path.read_bytes().decode()
    return {(one.type, one.line, one.value) for one in plugins.scan_document(text, str(path))}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_made_up_files(tmp_path, suffix):
    shapes = {
        "plain": "{}\n",
        "section": "[main]\n; note\n\n{}\nother = 1\n",
        "mapping": "a:\n  b: 1\n  {}\n",
        "code": "x = 1\n{}\nimport os\n",
        "windows": "first\r\n{}\r\nlast\r\n",
        "mac": "first\r{}\rlast",
        "no end": "{}",
    }
    for number, (line, (shape, template)) in enumerate(itertools.product(LINES, shapes.items())):
        path = tmp_path / f"{shape.split()[0]}{number}{suffix}"
        path.write_bytes(template.format(line.replace("{", "{{").replace("}", "}}")).encode())
        assert ours(path) == theirs(path), (shape, number)


def installed(limit: int) -> list[Path]:
    """A fixed sample of small text files of the environment's packages, configuration files first."""
    root = Path(sysconfig.get_paths()["purelib"])
    config = {".yml", ".yaml", ".ini", ".cfg", ".toml", ".conf", ".properties", ".env"}
    code = {".py", ".js", ".json", ".md", ".txt", ".h", ".c", ".pyi", ".rst", ".html", ".sh", ""}
    small = sorted(path for path in root.glob("*/**/*") if path.is_file() and 64 < path.stat().st_size < 6_000)
    chosen = [path for path in small if path.suffix in config][:limit]
    rest = [path for path in small if path.suffix in code]
    return chosen + rest[:: max(1, len(rest) // limit)][:limit]


def test_installed_files():
    for path in installed(60):
        try:
            path.read_bytes().decode()
            expected = theirs(path)
        except (UnicodeDecodeError, ValueError):
            continue  # scan_file skips the first and raises the second
        assert ours(path) == expected, path


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sampled_from([*LINES, "[s]", "", "  - x", "a:", "# note", PEM, "é = 'ü'"]) | st.text(max_size=12), max_size=8
    ),
    st.sampled_from(SUFFIXES),
    st.sampled_from(["\n", "\r\n", "\n  "]),
)
def test_any_mixture_of_lines(tmp_path, lines, suffix, newline):
    path = tmp_path / f"mixture{suffix}"
    text = newline.join(lines).encode("utf-8", "replace").decode()
    path.write_bytes(text.encode())
    try:
        expected = theirs(path)
    except ValueError:
        return
    assert ours(path) == expected


def test_vectorscan_takes_every_expression():
    assert refused(plugins.expressions()) == []


def test_settings_of_the_process_are_left_as_they_were():
    from detect_secrets.settings import get_plugins, get_settings

    plugins.scan_document("x", "a.py")
    assert get_plugins() == [] and get_settings().plugins == {}
