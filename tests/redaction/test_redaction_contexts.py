"""Values that only their surroundings name: service names, glued words, tables, elements, repeated values."""

import pytest

from tests.redaction.samples import PASSWORD, run

HEX = "9f86d081884c7d65" + "9a2feaa0c55ad015"
OPAQUE = "k7JXtY3qW0vB" + "9sLmR2dHfGz8"
ID = "40dbf4f0-a4f0-4efb" + "-aba9-17f5d8e0ae3a"

FOUND = {
    "service, assignment": ("a.go", f'mixpanel := "{OPAQUE}"'),
    "service, prose": ("a.md", f"datadog {OPAQUE} works"),
    "service and word, digest": ("a.txt", f"pagerduty api key is {HEX}"),
    "service and word, identifier": ("a.txt", f"snyk token -> {ID}"),
    "glued to a name": ("a.txt", f"acmeTOKEN-{HEX}"),
    "glued with a space": ("a.txt", f"acme SECRET {OPAQUE}"),
    "glued identifier": ("a.txt", f"acme-private-key-{ID}"),
    "dash between": ("a.txt", f"acme token - '{OPAQUE}'"),
    "table": ("a.md", f"| acme auth token | {OPAQUE} |"),
    "quoted behind a space": ("a.tf", f'  acme_token "{OPAQUE}"'),
    "weak word in a strong name": ("run", f"curl -d access_token={HEX} https://api.acme.io"),
    "element with words": ("a.xml", f"<secret>{{acme AQAAABAAA {OPAQUE}}}</secret>"),
}
KEPT = {
    "service, digest": ("a.txt", f"github commit {HEX}12345678"),
    "service, address": ("a.md", f"see github.com/acme/tools/blob/{OPAQUE}"),
    "service, identifier": ("a.json", f'"jira": "{ID}"'),
    "service, slug": ("a.md", "slack-notification-service-2024-v2-template-10"),
    "keyboard": ("a.ini", "keyboard-layout: mx64-uwp=fail-12345"),
    "monkeys": ("a.txt", "monkeys-audio:mx64-uwp=fail"),
    "keyframe": ("a.h", f'AVMaxKeyframeDistance, "{ID}"'),
    "keying": ("a.txt", "master-keying:x64-uwp=fail1"),
    "tokenizer": ("a.py", 'tokenizer = "cl100k-base-v2-2024x"'),
    "cross-site token": ("a.html", f"csrf-token={OPAQUE}"),
    "public": ("a.py", f'publishable_key = "{OPAQUE}"'),
}


@pytest.mark.parametrize("name", FOUND)
def test_the_value_goes_and_nothing_else(name):
    path, text = FOUND[name]
    redacted, _ = run(text, path)
    value = next(each for each in (OPAQUE, HEX, ID) if each in text)
    assert value not in redacted
    assert redacted.replace("<KEY>", "") == text.replace(value, "") or "<secret>" in text


@pytest.mark.parametrize("name", KEPT)
def test_what_only_resembles_a_name_stays(name):
    path, text = KEPT[name]
    assert run(text, path) == (text, [])


def test_a_secret_goes_wherever_it_stands_in_its_document():
    text = f"token = '{OPAQUE}'\n# was {OPAQUE} before, é {OPAQUE}\nother = 'x{OPAQUE}'\nlog('{PASSWORD}')\n"
    redacted, spans = run(text, "a.py")
    assert redacted == text.replace(f"'{OPAQUE}", "'<KEY>").replace(f" {OPAQUE}", " <KEY>")
    assert [span["rule"] for span in spans[1:]] == ["repeat", "repeat"]


def test_a_short_or_plain_value_is_not_sought_elsewhere():
    text = "password = 'Zebra-fish'\nanimal = 'Zebra-fish'\n"
    assert run(text, "a.py")[0].endswith("animal = 'Zebra-fish'\n")
