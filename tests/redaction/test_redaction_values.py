"""What must go goes, exactly; what must stay stays, untouched."""

import pytest

from tests.redaction.samples import (
    AWS_ID,
    AWS_SECRET,
    AZURE,
    GITHUB,
    GITLAB,
    GOOGLE,
    JWT,
    NPM,
    OPENAI,
    PASSWORD,
    PEM,
    PLAIN_PASSWORD,
    PYPI,
    SENDGRID,
    SLACK,
    SLACK_HOOK,
    STRIPE,
    TWILIO,
    run,
)

KEYS = {
    "aws id": ("prod.env", f"AWS_ACCESS_KEY_ID={AWS_ID}", AWS_ID),
    "aws secret": ("prod.env", f"AWS_SECRET_ACCESS_KEY={AWS_SECRET}", AWS_SECRET),
    "github": ("a.py", f'token = "{GITHUB}"', GITHUB),
    "github in prose": ("README.md", f"use {GITHUB} here", GITHUB),
    "gitlab": ("a.yml", f"  token: {GITLAB}", GITLAB),
    "slack": ("check.ini", f"[bot]\ntoken={SLACK}", SLACK),
    "slack hook": ("a.js", f"post('{SLACK_HOOK}', x)", SLACK_HOOK),
    "stripe": ("docker-compose.yml", f'      STRIPE_KEY: "{STRIPE}"', STRIPE),
    "sendgrid": ("a.rb", f"key = '{SENDGRID}'", SENDGRID),
    "google": ("a.html", f"<script src='https://maps/api/js?key={GOOGLE}'>", GOOGLE),
    "twilio": ("x.env", f"TWILIO_API_KEY={TWILIO}", TWILIO),
    "npm": (".npmrc", f"//registry.example.org/:_authToken={NPM}", NPM),
    "npm basic": (
        ".npmrc",
        "//npm.example.org/:_auth=Y2ktYm90OlpLV09KbC1IWlNjSlJaIzk5",
        "Y2ktYm90OlpLV09KbC1IWlNjSlJaIzk5",
    ),
    "pypi": (".pypirc", f"[pypi]\nusername = __token__\npassword = {PYPI}", PYPI),
    "openai": ("a.yaml", f"OPENAI_API_KEY: {OPENAI}", OPENAI),
    "azure": ("a.yml", f"AZURE: AccountName=toolbox;AccountKey={AZURE};EndpointSuffix=x", AZURE),
    "jwt": ("a.py", f'HEADERS = {{"Authorization": "Bearer {JWT}"}}', JWT),
    "kubeconfig": (
        "kubeconfig",
        "    token: c2VjcmV0LXRva2VuLTk4NzY1NDMyMTA5ODc2",
        "c2VjcmV0LXRva2VuLTk4NzY1NDMyMTA5ODc2",
    ),
    "pem": ("key.pem", PEM, PEM),
    "pem in json": ("a.json", '{"private_key": "' + PEM.replace("\n", "\\n") + '\\n"}', PEM.replace("\n", "\\n")),
}

PASSWORDS = {
    "dotenv": ("x.env", f"SMTP_PASSWORD={PASSWORD}", PASSWORD),
    "properties, German": ("a.properties", f"kennwort={PASSWORD}", PASSWORD),
    "yaml unquoted": ("a.yml", f"db:\n  password: {PASSWORD} # prod", PASSWORD),
    "toml": ("a.toml", f'password = "{PASSWORD}"', PASSWORD),
    "python": ("a.py", f"connect(user='x', password='{PASSWORD}')", PASSWORD),
    "dollar sign": ("a.py", 'password = "aB3$xY9z"', "aB3$xY9z"),
    "go": ("a.go", f'password := "{PASSWORD}"', PASSWORD),
    "xml": ("a.xml", f"<password>{PASSWORD}</password>", PASSWORD),
    "url": ("a.py", f'U = "postgres://toolbox:{PLAIN_PASSWORD}@db.internal:5432/x"', PLAIN_PASSWORD),
    "url, no user": ("x.env", f"REDIS_URL=redis://:{PLAIN_PASSWORD}@cache:6379/0", PLAIN_PASSWORD),
    "pair": ("a.py", f'AUTH = ("deployer", "{PASSWORD}")', PASSWORD),
    "netrc": (".netrc", f"machine host login me password {PLAIN_PASSWORD}", PLAIN_PASSWORD),
    "command line": ("run.md", f"tool --user admin --password {PLAIN_PASSWORD}", PLAIN_PASSWORD),
}

PERSONAL = {
    "address": (
        "a.py",
        "# ask marta.kowalczyk@brightforge-labs.io or else",
        "marta.kowalczyk@brightforge-labs.io",
        "EMAIL",
    ),
    "plus": ("a.md", "| j.okafor+oncall@brightforge-labs.io |", "j.okafor+oncall@brightforge-labs.io", "EMAIL"),
    "idn": ("a.md", "nuit@équipe-forge.fr", "nuit@équipe-forge.fr", "EMAIL"),
    "idn local": ("a.md", "empfänger=sigrid.bäck@prüfstand-nord.de", "sigrid.bäck@prüfstand-nord.de", "EMAIL"),
    "v4": ("x.env", "BASTION=78.141.62.146", "78.141.62.146", "IP_ADDRESS"),
    "v4 with port": ("a.py", "connect('151.243.146.233:8080')", "151.243.146.233", "IP_ADDRESS"),
    "v6": ("x.env", "B=2a03:6885:f2e8:7f72::8b1", "2a03:6885:f2e8:7f72::8b1", "IP_ADDRESS"),
    "phone": ("C.md", "| +44 7700 900461 |", "+44 7700 900461", "PHONE"),
    "phone, brackets": ("C.md", "| +1 (202) 555-0143 |", "+1 (202) 555-0143", "PHONE"),
    "phone, national": ("a.py", 'phone = "020 8366 1177"', "020 8366 1177", "PHONE"),
    "card": ("C.md", "corporate card 4556739744508063.", "4556739744508063", "CREDIT_CARD"),
    "card, groups": ("C.md", "4556 7397 4450 8063", "4556 7397 4450 8063", "CREDIT_CARD"),
}

DECOYS = {
    "documented key": ("x.env", "AWS_ACCESS_KEY_ID=AKIA" + "IOSFODNN7EXAMPLE"),
    "documented secret": ("x.env", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "variable": ("x.env", "ADMIN_PASSWORD=${ADMIN_PASSWORD}"),
    "slot": ("x.env", "API_KEY=<YOUR_API_KEY>"),
    "changeme": ("x.env", "OLD_PASSWORD=changeme"),
    "crosses": ("x.properties", "password=xxxxxxxxxxxxxxxx"),
    "default url": ("x.env", "TEST_DATABASE_URL=postgres://postgres:postgres@localhost:5432/test"),
    "sample url": ("a.py", 'EXAMPLE = "https://user:password@example.com/"'),
    "reference": ("a.js", "user.password = req.body.password; const token = getToken(user);"),
    "environment": ("a.py", 'api_key = os.environ["API_KEY"]'),
    "type": ("a.ts", "password: string; token?: AccessTokenResponse;"),
    "label": ("a.js", "passwordField: 'password', title: 'Enter your password'"),
    "encode": ("a.py", 'key = password.encode("utf-8")'),
    "commit": ("a.yml", "commit: a28245293b3a50647789a95e329ee100de0e4163"),
    "digest": ("a.yml", "digest: sha256:3b396da9210b7ad0463dca63e32f04a072cbb77c74f92579146f48b2fe504c74"),
    "uuid": ("a.yml", "request-id: 40dbf4f0-a4f0-4efb-aba9-17f5d8e0ae3a"),
    "md5": ("a.json", '"md5": "2ac0c625c4596689095791f25a481507"'),
    "integrity": (
        "package-lock.json",
        '"integrity": "sha512-ca6MrOuIOx2vu+ru2SLaUyDpbVHA4cKB03g21seb1gLEpaI4gW7csvi0ufr/LQraFz/pbaU+Yv+JiowV4HM7Q=="',
    ),
    "base64": (
        "a.json",
        '"lorem": "bG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBpc2NpbmcgZWxpdCBsb3JlbSBp"',
    ),
    "public key": (
        "k.pub",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICYrSDEiAJVu4FKo8Ns1ZRv7Uue9bI62hIhGHlzMeV+i toolbox@deploy",
    ),
    "public pem": ("k.pem", PEM.replace("EC PRIVATE", "PUBLIC")),
    "empty pem": ("k.pem", "-----BEGIN PRIVATE " + "KEY-----\n***\n-----END PRIVATE KEY-----\n"),
    "key header in code": ("a.py", 'if "BEGIN RSA PRIVATE ' + 'KEY" in text: load(text)'),
    "reserved domains": ("a.md", "noreply@example.com support@example.org name@domain.invalid user@localhost"),
    "remote": ("a.py", 'REMOTE = "git@github.com:polyglot/toolbox.git"'),
    "scope": ("a.json", '"@types/node": "^1", "@babel/core@7.9.6": "x"'),
    "retina": ("a.css", "url(logo@2x.png) url(icon@2x.png)"),
    "decorator": ("a.py", "x = a@b.transpose(1)\n@app.route('/x')\n"),
    "private": ("x.env", "PEERS=10.11.0.4,192.168.17.20,0.0.0.0,127.0.0.1,::1,8.8.8.8,203.0.113.7,2001:db8::1"),
    "version": ("x.env", "BUILD=4.18.0.372\nversion = '6.1.7601.17514'\nrequires foo==12.34.56.78"),
    "oid": ("a.json", '"oid": "1.3.6.1.4.1.311"'),
    "slices": ("a.py", "x[::2], y[1::3], Foo::Bar, std::dead::beef"),
    "time": ("a.log", "12:34:56 00:1B:44:11:3A:B7"),
    "order": ("C.md", "Order number 4556737586899854, ISBN 978-3-16-148410-0, ticket 20211130-0017."),
    "float": ("a.csv", "0.4556739744508063,1700000000000"),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_are_replaced_exactly(name):
    path, text, value = KEYS[name]
    redacted, spans = run(text, path)
    assert redacted == text.replace(value, "<KEY>" + "\n" * value.count("\n"))
    assert [span["kind"] for span in spans] == ["KEY"]


@pytest.mark.parametrize("name", PASSWORDS)
def test_passwords_are_replaced_exactly(name):
    path, text, value = PASSWORDS[name]
    redacted, _ = run(text, path)
    assert redacted in {text.replace(value, "<PASSWORD>"), text.replace(value, "<KEY>")}


@pytest.mark.parametrize("name", PERSONAL)
def test_personal_data_are_replaced_exactly(name):
    path, text, value, kind = PERSONAL[name]
    redacted, spans = run(text, path)
    assert redacted == text.replace(value, f"<{kind}>")
    assert [span["kind"] for span in spans] == [kind]


@pytest.mark.parametrize("name", DECOYS)
def test_decoys_stay(name):
    path, text = DECOYS[name]
    assert run(text, path) == (text, [])


def test_key_cut_up_by_string_literals_leaves_valid_code():
    lines = [f'    "{line}\\n"' for line in PEM.split("\n")]
    text = "KEY = (\n" + "\n".join(lines) + "\n)\n"
    redacted, spans = run(text, "key.py")
    compile(redacted, "key.py", "exec")
    assert redacted.count("\n") == text.count("\n")
    assert not any(line in redacted for line in PEM.split("\n"))
    assert len(spans) == len(lines)


def test_private_key_without_footer_is_cut_where_its_lines_end():
    text = "\n".join(["before", *PEM.split("\n")[:3], "after"])
    redacted, _ = run(text, "k.pem")
    assert redacted == "before\n<KEY>\n\n\nafter"
