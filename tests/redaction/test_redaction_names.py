"""Names: paths are redacted alike wherever they stand, stay apart, and hold nothing afterwards."""

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.redaction import Settings, redact_name, redact_names, redact_text, with_names
from stages.redaction.names import _findings, _suspicious
from tests.redaction.samples import AWS_ID, GITHUB, JWT, PLAIN_PASSWORD, STRIPE

PRIVATE = (
    "marta@forge.io",
    "olga@équipe.fr",
    "nina@forge.io.txt",
    AWS_ID,
    f"{GITHUB}.json",
    f"{JWT}.txt",
    f"password={PLAIN_PASSWORD}",
    "78.141.62.146",
    "4556739744508063.png",
    f"key-{STRIPE}.py",
)
PUBLIC = (
    "src",
    "README.md",
    "@types",
    "logo@2x.png",
    "react@17.0.2",
    "IMG_20230101_123456.jpg",
    "d41d8cd98f00b204e9800998ecf8427e.js",
    "550e8400-e29b-41d4-a716-446655440000",
    "v1.2.3.4",
    "<EMAIL_1>",
    "é",
    "a b",
)
COMPONENTS = st.sampled_from(PRIVATE + PUBLIC).map(str.encode) | st.sampled_from([b"\xff", b"\xfe-x"])
PATHS = st.lists(COMPONENTS, min_size=1, max_size=4).map(b"/".join)
MANY = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def table(rows):
    return pl.DataFrame(rows, schema={"origin": pl.String, "path": pl.Binary}, orient="row")


def shown(rows):
    """(path as shown, spans) by (origin, path)."""
    found = with_names(table(rows), redact_names(table(rows), Settings()))
    return {
        row: (new["path"], new["path_redactions"]) for row, new in zip(rows, found.iter_rows(named=True), strict=True)
    }


@MANY
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), PATHS), min_size=1, max_size=12), st.randoms())
def test_names_are_redacted_alike_and_stay_apart(rows, rng):
    new = shown(rows)
    for origin in ("a", "b"):
        mine = {path: value[0] for (of, path), value in new.items() if of == origin}
        assert len(set(mine.values())) == len(mine)
        assert {path: value[0] for (_, path), value in shown([row for row in rows if row[0] == origin]).items()} == mine
    shuffled = rows * 2
    rng.shuffle(shuffled)
    assert shown(shuffled) == new
    for (_, path), (name, spans) in new.items():
        assert name.count(b"/") == path.count(b"/")
        assert (spans is None) == (name == path)
        assert spans is None or not any(value.encode() in name for value in PRIVATE)
        for span in spans or ():
            text = name.decode("utf-8", "backslashreplace")[span["start"] : span["end"]]
            assert text.startswith(f"<{span['kind']}_")
            assert text.endswith(">")
    again = redact_names(table([(origin, value[0]) for (origin, _), value in new.items()]), Settings())
    assert again.is_empty()


@MANY
@given(PATHS)
def test_the_name_of_one_path_is_the_name_among_all_but_for_numbers(path):
    new = with_names(table([("o", path)]), redact_names(table([("o", path)]), Settings()))
    text = new["path"][0].decode("utf-8", "backslashreplace")
    for span in reversed(new["path_redactions"][0].to_list() if new["path_redactions"][0] is not None else []):
        text = text[: span["start"]] + f"<{span['kind']}>" + text[span["end"] :]
    assert redact_name(path, Settings()).decode("utf-8", "backslashreplace") == text


@pytest.mark.parametrize("component", PRIVATE)
def test_what_holds_something_passes_the_filter(component):
    assert _findings(component.encode(), settings=Settings())[1]
    assert _suspicious(pl.Series([f"src/{component}".encode()], dtype=pl.Binary)).all()


@pytest.mark.parametrize("component", PUBLIC)
def test_what_holds_nothing_keeps_its_name(component):
    assert redact_name(f"src/{component}".encode(), Settings()) == f"src/{component}".encode()


def test_kinds_and_placeholders_are_those_of_the_settings():
    rows = table([("o", b"marta@forge.io/78.141.62.146")])
    chosen = Settings(kinds=("EMAIL",), placeholders={"EMAIL": "<MAIL>"})
    assert redact_names(rows, chosen)["shown"].to_list() == [b"<MAIL_1>/78.141.62.146"]


def test_a_url_with_a_token_in_it():
    shown_url = redact_text(f"https://user:{PLAIN_PASSWORD}@forge.io/x", Settings())
    assert shown_url in {f"https://user:<{kind}>@forge.io/x" for kind in ("PASSWORD", "KEY")}
    assert redact_text("https://forge.io/x", Settings()) == "https://forge.io/x"
