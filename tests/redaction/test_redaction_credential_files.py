"""The files that tools keep credentials in: every value that opens something goes, the rest of the file stays."""

import base64

import pytest

from tests.redaction.samples import AWS_ID, AWS_SECRET, JWT, NPM, PASSWORD, PEM, PLAIN_PASSWORD, PYPI, run

PAIR = base64.b64encode(f"me:{PLAIN_PASSWORD}".encode()).decode()
UUID = "40dbf4f0-a4f0-4efb-aba9-17f5d8e0ae3a"
KEY_DATA = base64.b64encode(PEM.encode()).decode()
OPAQUE = "k7JXtY3qW0vB" + "9sLmR2dHfGz8"

FILES = {
    ".npmrc": [
        (f"//packages.acme.io/:_authToken={NPM}\n", NPM),
        (f"//npm.acme.io/:_authToken={UUID}\nalways-auth=true\n", UUID),
        (f"//npm.acme.io/:_auth={PAIR}\n", PAIR),
        (f"//npm.acme.io/:username=me\n//npm.acme.io/:_password={PAIR}\n", PAIR),
    ],
    ".yarnrc.yml": [(f'npmRegistries:\n  "//npm.acme.io":\n    npmAuthToken: {UUID}\n', UUID)],
    ".netrc": [
        (f"machine api.acme.io login me password {PASSWORD}\n", PASSWORD),
        (f"machine api.acme.io\n\tlogin me\n\tpassword {PLAIN_PASSWORD}\n\ndefault login anonymous\n", PLAIN_PASSWORD),
    ],
    ".pypirc": [
        (f"[pypi]\nusername = __token__\npassword = {PYPI}\n", PYPI),
        (f"[acme]\nrepository = https://pypi.acme.io\nusername: me\npassword: {PASSWORD}\n", PASSWORD),
    ],
    "pip.conf": [(f"[global]\nindex-url = https://me:{PLAIN_PASSWORD}@pypi.acme.io/simple\n", PLAIN_PASSWORD)],
    "kubeconfig": [
        (f"users:\n- name: me\n  user:\n    token: {JWT}\n", JWT),
        (f"users:\n- name: me\n  user:\n    client-key-data: {KEY_DATA}\n", KEY_DATA),
        (f"users:\n- name: me\n  user:\n    username: admin\n    password: {PASSWORD}\n", PASSWORD),
    ],
    ".env": [
        (f"export DB_PASSWORD='{PASSWORD}'\nDEBUG=1\n", PASSWORD),
        (f'API_TOKEN="{OPAQUE}" # for tests\n', OPAQUE),
        (
            f"DATABASE_URL=postgresql+asyncpg://app:{PLAIN_PASSWORD}@db.acme.io:5432/app?sslmode=require\n",
            PLAIN_PASSWORD,
        ),
        (f"JWT={JWT}\n", JWT),
    ],
    ".git-credentials": [(f"https://me:{OPAQUE}@git.acme.io\n", OPAQUE)],
    ".aws/credentials": [
        (f"[default]\naws_access_key_id = {AWS_ID}\nregion = eu-west-1\n", AWS_ID),
        (f"[default]\naws_secret_access_key = {AWS_SECRET}\n", AWS_SECRET),
    ],
    ".docker/config.json": [(f'{{"auths": {{"registry.acme.io": {{"auth": "{PAIR}"}}}}}}\n', PAIR)],
    ".my.cnf": [(f"[client]\nuser=root\npassword={PLAIN_PASSWORD}\n", PLAIN_PASSWORD)],
    "terraform.tfvars": [(f'db_password = "{PASSWORD}"\nregion = "eu"\n', PASSWORD)],
    "gradle.properties": [(f"signing.password={PLAIN_PASSWORD}\norg.gradle.jvmargs=-Xmx2g\n", PLAIN_PASSWORD)],
    "settings.xml": [(f"<server><id>a</id><password>{PASSWORD}</password></server>\n", PASSWORD)],
    "appsettings.json": [
        (f'"Default": "Server=db;Database=app;User Id=app;Password={PLAIN_PASSWORD};Encrypt=True"\n', PLAIN_PASSWORD)
    ],
    "Program.cs": [(f'var c = "Data Source=db;Initial Catalog=app;UID=app;pwd={PLAIN_PASSWORD}";\n', PLAIN_PASSWORD)],
    "Main.java": [(f'"jdbc:mysql://db.acme.io/app?user=app&password={PLAIN_PASSWORD}&ssl=1"\n', PLAIN_PASSWORD)],
    "app.js": [(f"axios.get('https://api.acme.io', {{auth: {{username: 'me', password: '{PASSWORD}'}}}})\n", PASSWORD)],
    "amqp.py": [(f'BROKER = "amqps://app:{PLAIN_PASSWORD}@mq.acme.io/v"\n', PLAIN_PASSWORD)],
}


@pytest.mark.parametrize("path", FILES)
def test_credentials_go_and_nothing_else(path):
    for text, value in FILES[path]:
        redacted, spans = run(text, path)
        left, _, right = text.partition(value)
        assert redacted in {f"{left}<KEY>{right}", f"{left}<PASSWORD>{right}"}, text.partition("=")[0]
        assert [span["original_length"] for span in spans] == [len(value)]
