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
    "docker login": ("run.md", f"docker login -u me -p {OPAQUE} acme.azurecr.io"),
    "mysql": ("run.sh", f"mysql -uroot -p{OPAQUE} db"),
    "sshpass": ("run.sh", f"sshpass -p '{OPAQUE}' ssh host"),
    "white space in the literal": ("a.py", f"acme_token = '{OPAQUE} '"),
    "parts with dots": ("a.py", f"acme_token = 'tkn.{OPAQUE}'"),
    "element with words": ("a.xml", f"<secret>{OPAQUE}</secret>"),
}
KEPT = {
    "type of a schema": (
        "a.py",
        f'"AWS::IAM::AccessKey": "{HEX[:16]}",\n"AWS::AppSync::ApiKey": "{HEX[:16]}",',
    ),
    "key of an object": ("a.json", f'"S3Key": "{HEX}-{HEX}/output", "object_key": "{HEX}"'),
    "lock token": ("a.json", f'"LockToken":"{ID}"'),
    "call that splits": ("a.py", "splitpasswd('user:a1b2c3') == pwd.getpwnam('a1b2c3d4')"),
    "list of prefixes": ("a.py", 'CREDENTIAL_PREFIXES = ("AWS_", "AZURE_9", "GOOGLE_")'),
    "port of a login": ("run.md", "docker login host -p 2222222"),
    "option of mysql": ("run.md", "mysql -u root -p database"),
    "next page": ("a.json", f'"NextToken": "{OPAQUE}"'),
    "foreign keys": ("a.py", 'fkeys = inspector.get_foreign_keys("remote_table_12345")'),
    "resource name of a key": ("a.rst", f'"KMSMasterKeyArn": "arn:aws:kms:us-west-2:123456789012:key/{ID}"'),
    "resource name of a secret": (
        "a.json",
        '"ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:Prod-a1b2c3d4"',
    ),
    "security identifier": ("a.rst", '"SID": "S-1-5-21-1234567891-1234567891-1234567891-1113"'),
    "format": ("a.py", 'USER_PASSWD = "%s:%s"'),
    "file name": ("a.py", "openssl('ssl_key.passwd.pem','-aes256','-passout')"),
    "cache signature": ("CACHEDIR.TAG", "Signature: 8a477f597d28d172" + "789f06886806bc55"),
    "public key of NATS": ("a.md", "nkey: UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"),
    "base64 that holds a token's prefix": ("a.js", "var d = 'K/EAAD" + "kQmZ7xTq" * 9 + "+AAAQ'"),
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


def test_an_element_loses_its_whole_text():
    text = f"<secret>{{acme AQAAABAAA {OPAQUE}}}</secret>"
    assert run(text, "credentials.xml")[0] == "<secret><KEY></secret>"


@pytest.mark.parametrize("name", FOUND)
def test_the_value_goes_and_nothing_else(name):
    path, text = FOUND[name]
    redacted, _ = run(text, path)
    value = next(each for each in (OPAQUE, HEX, ID) if each in text)
    assert value not in redacted
    assert redacted.replace("<KEY>", "").replace("<PASSWORD>", "") == text.replace(value, "").replace("tkn.", "")


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


SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: app
data:
  # a comment
  user: "YWRtaW46cGFzc3dvcmQ="
  ca.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUI=
  config: |
    eyJhdXRocyI6eyJodHRwczovL2V4
  slot: {{ .Values.token }}
type: Opaque
---
kind: ConfigMap
data:
  user: YWRtaW46cGFzc3dvcmQ=
"""


def test_a_kubernetes_secret_loses_its_values_and_no_more():
    redacted, spans = run(SECRET, "app.yaml")
    expected = SECRET.replace('"YWRtaW46cGFzc3dvcmQ="', '"<KEY>"').replace("eyJhdXRocyI6eyJodHRwczovL2V4", "<KEY>")
    assert redacted.partition("---")[0] == expected.partition("---")[0]
    assert {span["rule"] for span in spans} <= {"kubernetes-secret", "repeat"}


def test_a_netrc_entry_may_span_lines():
    text = f"machine api.acme.io\n  login me\n  password {OPAQUE}\n"
    assert run(text, ".netrc")[0] == text.replace(OPAQUE, "<PASSWORD>")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.java", f'String API_KEY =\n    "{OPAQUE}";\n'),
        ("a.py", f'connect(token=(\n    "{OPAQUE}"\n))\n'),
        ("a.yml", f"auth:\n  token: >-\n    {OPAQUE}\n"),
        ("notes.txt", f"Password:\n{OPAQUE}\n"),
    ],
)
def test_a_value_may_stand_on_the_line_behind_its_name(path, text):
    redacted, _ = run(text, path)
    assert OPAQUE not in redacted
    assert redacted.count("\n") == text.count("\n")


def test_a_call_over_two_lines_is_no_assignment():
    text = "setPassword(\n    mockMvc,\n)\ncache_key:\n  plain\n"
    assert run(text, "a.kt") == (text, [])
