"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from pipeline.policies import STAGES
from scripts import make_reference

ROOT = Path(__file__).parents[2]
GUIDES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.fixture(scope="module")
def commands():
    return dict(make_reference.commands())


def test_the_reference_is_up_to_date(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert make_reference.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_page_is_named_and_not_mended_by_the_check(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert make_reference.main([]) == 0
    page = tmp_path / "docs/reference/cli.md"
    page.write_text("old")
    assert make_reference.main(["--check"]) == 1
    assert "docs/reference/cli.md" in capsys.readouterr().err
    assert page.read_text() == "old"


def test_every_command_says_what_it_does_and_shows_an_example(commands):
    lacking = []
    for words, text in commands.items():
        is_group = "COMMAND [ARGS]" in text
        if not is_group and f"  {' '.join(words)} " not in text.partition("Examples:")[2]:
            lacking.append(" ".join(words))
    assert lacking == []


def test_every_option_has_a_help_text(commands):
    bare = []
    for words, text in commands.items():
        options = text.partition("Options:")[2].splitlines()
        for at, line in enumerate(options):
            if re.match(r"  -", line):
                following = options[at + 1] if at + 1 < len(options) else ""
                if not re.search(r"\S  +\S", line.strip()) and not following.startswith(" " * 8):
                    bare.append(f"{' '.join(words)}: {line.strip()}")
    assert bare == []


def test_every_reason_code_has_a_meaning():
    meanings = [(stage.NAME, code, meaning) for stage in STAGES for code, meaning in stage.REASONS.items()]
    assert [row for row in meanings if not row[2].strip()] == []


def test_every_recipe_key_is_explained():
    unexplained = []
    for table, model in make_reference.tables_of(make_reference.Recipe):
        unexplained += [f"[{table}] {key}" for key, _, _, meaning in make_reference.keys_of(model) if not meaning]
    assert unexplained == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.name)
def test_commands_and_options_in_the_guides_exist(page, commands):
    known = {" ".join(words): text for words, text in commands.items()}
    wrong = []
    for line in _shell_lines(page.read_text("utf-8")):
        words = re.findall(r"(?:^|[ /])(gristmill(?: [a-z]+)*)", line)
        for call in words:
            name = next(
                (call.rsplit(" ", cut)[0] for cut in range(call.count(" ") + 1) if call.rsplit(" ", cut)[0] in known),
                "",
            )
            if name == "gristmill" and call != "gristmill":
                wrong.append(line)
            wrong += [
                f"{name} {option}" for option in re.findall(r" (--[a-z-]+)", line) if option not in known.get(name, "")
            ]
    assert wrong == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.name)
def test_links_between_the_documents_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def _shell_lines(text):
    for block in re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        joined = block.replace("\\\n", " ")
        yield from (line for line in joined.splitlines() if "gristmill " in line and not line.lstrip().startswith("#"))
