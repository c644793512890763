"""What looks like a secret and is none, a class a test: nothing of it changes at the default sensitivity."""

import base64
import hashlib
import random

import pytest

from tests.redaction.samples import run

HEX = {
    size: hashlib.new(name, b"x").hexdigest()
    for name, size in (("md5", 32), ("sha1", 40), ("sha256", 64), ("sha512", 128))
}
UUID = "40dbf4f0-a4f0-4efb-aba9-17f5d8e0ae3a"
SRI = base64.b64encode(hashlib.sha512(b"x").digest()).decode()
URL_SAFE = base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).decode().rstrip("=")
NOISE = base64.b64encode(random.Random(5).randbytes(600)).decode()

CLASSES = {
    "hashes": [
        ("a.py", f'assert sha256(data) == "{HEX[64]}"'),
        ("a.py", f'EXPECTED_MD5 = "{HEX[32]}"'),
        ("SHA256SUMS", f"{HEX[64]}  tool-1.2.tar.gz"),
        ("a.json", f'"key_hash": "{HEX[40]}", "tokenChecksum": "{HEX[128]}"'),
        ("a.yml", f"cache_key: {HEX[32]}"),
        ("a.txt", f"fingerprint of the key: {HEX[40]}"),
        ("Dockerfile", f"FROM alpine@sha256:{HEX[64]}"),
    ],
    "uuids": [
        ("a.yml", f"id: {UUID}\nrequest: {UUID}"),
        ("a.cs", f'[Guid("{UUID}")]\npublic class Key {{}}'),
        ("a.sln", f'Project("{{{UUID.upper()}}}") = "Auth", "Auth.csproj", "{{{UUID.upper()}}}"'),
        ("a.json", f'"keyId": "{UUID}", "tokenId": "{UUID}"'),
    ],
    "lock files": [
        ("package-lock.json", f'"node_modules/jsonwebtoken": {{\n  "integrity": "sha512-{SRI}"\n}}'),
        ("yarn.lock", f"jsonwebtoken@^9:\n  version 9.0.0\n  integrity sha512-{SRI}"),
        ("poetry.lock", f'{{file = "keyring-1.whl", hash = "sha256:{HEX[64]}"}}'),
        ("Cargo.lock", f'name = "secrecy"\nchecksum = "{HEX[64]}"'),
        ("go.sum", "github.com/golang-jwt/jwt v1.0.0 h1:" + base64.b64encode(bytes.fromhex(HEX[64])).decode()),
        ("composer.lock", f'"reference": "{HEX[40]}",\n"shasum": "{HEX[40]}"'),
        ("x.dist-info/RECORD", f"glsl/cap-square.glsl,sha256={URL_SAFE},970\nspotify.py,sha256={URL_SAFE},12"),
        ("a.txt", f"gitlab runner, sha256: {URL_SAFE}"),
        ("Pipfile.lock", f'"keyring": {{"hashes": ["sha256:{HEX[64]}"]}}'),
    ],
    "git objects": [
        ("a.yml", f"uses: actions/checkout@{HEX[40]} # v4"),
        ("CHANGES.md", f"- keys: rotate tokens ({HEX[40][:9]}, {HEX[40]})"),
        (".gitmodules", f"# pinned {HEX[40]}\n[submodule 'auth']"),
        ("a.txt", f"commit {HEX[40]}\ntree {HEX[40]}\nparent {HEX[40]}"),
        ("a.py", f'GIT_REVISION = "{HEX[40]}"'),
    ],
    "base64 assets": [
        ("a.css", f"url(data:image/png;base64,{NOISE})"),
        ("a.html", f'<img src="data:image/svg+xml;base64,{NOISE}">'),
        ("a.ipynb", f'"image/png": "{NOISE}"'),
        ("a.js", f'const font = "data:font/woff2;base64,{NOISE}";'),
        ("a.py", f"DATA = (\n    b'{NOISE[:76]}'\n    b'{NOISE[76:152]}'\n)"),
        ("a.js.map", f'"mappings": "{NOISE}"'),
    ],
    "test vectors": [
        ("a.py", 'KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")'),
        ("a.c", 'const char *aes_key = "00112233445566778899aabbccddeeff";'),
        ("a.py", 'secret_key = "0123456789abcdef0123456789abcdef"'),
        ("hmac_vectors.json", f'"key": "{HEX[40]}", "private_key": "{HEX[64]}"'),
        ("test_rfc4231.py", f'private_key = "{HEX[64]}"'),
    ],
    "example domains": [
        ("a.md", "mail admin@example.com, root@host.test, a@b.invalid, me@service.localhost"),
        ("a.md", "https://user:password@example.com/ or https://user:pass@example.org/"),
    ],
    "placeholders": [
        ("x.env", "PASSWORD=changeme\nTOKEN=<token>\nAPI_KEY=${API_KEY}\nSECRET=xxxxxxxxxxxxxxxx"),
        ("x.env", "DB_PASSWORD=your_password_here\nSECRET_KEY=REPLACE_ME\nACCESS_KEY=***************"),
        ("a.yml", "password: '{{ vault_password }}'\ntoken: !vault |\n  secret: $SECRET\nkey: %(key)s"),
        ("a.tf", 'password = var.database_password\ntoken = "${var.token}"\nsecret = data.secret.main.value'),
        ("a.js", "const token = process.env.TOKEN; let password = config.get('password');"),
        ("a.md", "password: `yourpassword` token: `...` api_key: `<api-key>`"),
    ],
    "minified code": [
        (
            "a.min.js",
            'function t(e){return e.key||(e.token=n(e.secret,"password"))}var o={authKey:1,accessToken:r.t};' * 40,
        ),
        ("a.min.js", 'a.password="",b.token=null,c.apiKey=void 0,d={secretKey:e[0],privateKey:f(g),csrfToken:h};' * 40),
        ("a.min.css", ".token.keyword{color:#07a}.token.password,.key:hover{content:'\\201C'}" * 40),
    ],
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_of_decoys_stays(name):
    for path, text in CLASSES[name]:
        redacted, spans = run(text, path)
        assert (redacted, spans) == (text, []), (path, [(span["kind"], span["rule"]) for span in spans])
