"""Made-up values, valid for nothing, put together at run time so that no secret scanner trips over this file."""

import pyarrow as pa

from stages.redaction import Settings, redact

AWS_ID = "AKIA" + "V4TK7LRXF4WE6NGQ"
AWS_SECRET = "kagUAt4qxhgsb7dl4JWW" + "qicQxOidC10WI0kLjIdS"
GITHUB = "ghp_" + "aZRYDMLPlOhBQiT8S6sOvBjIyNpihf3QtqeJ"
GITLAB = "glpat-" + "4hohoxGGw0phviLzupuv"
SLACK = "xoxb-" + "327643092829-2131032134514-Q6e9juxIbAlXqhKtEqi5wvh9"
SLACK_HOOK = "https://hooks.slack.com/" + "services/TRHUVWY6V/BZ18W20UYKC/o8xGTpXDkccVkh99OuW1SnJN"
STRIPE = "sk_live_" + "0bWe7TCJdxhKt6YjiOBDFnxe"
SENDGRID = "SG." + "bw3FBQsackpRVb5yiuGFdD.79n0a3qwat0-XIUO3c1l5_KgzoABkljXzoqI0u9vNfg"
GOOGLE = "AIza" + "zq0mAP5Qe9BTUy1sueNitot5Gn8Z1Rv_FNW"
TWILIO = "SK" + "5ea379c354defc2b757635823ad9085c"
NPM = "npm_" + "XPZTGWuFaqHQ1nmpdMZ8rO8SsmnDPe3sBp4W"
PYPI = "pypi-" + "AgEIcHlwaS5vcmcFqESrYUwb5GqdNmr5HckeDiSX9GJhO6MqWUhbCtphoedWNSBxtg9p6T_OZ0q7YocPbrrq177k"
OPENAI = "sk-proj-" + "QK4zyHAZxXpqMszk97hCnZjyNAsKgHlkolX2myhU7dfivSR5"
AZURE = "TfwJIiV63J7P43e6XMWhPY4RuVZlwUxmD0x4vBJXIRUbNWBc" + "++axpxsY7Fq5wtS0rREJklEFrnWWfUBAaP5PwQ=="
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    + "eyJzdWIiOiI0NzExIiwiaWF0IjoxNzAwNDk1NTYyfQ."
    + "vsxtP3A2eA3am_EfPhbSD8scsDNWLQRL__cWps02EqE"
)
PASSWORD = "AGeAlk*fGpx" + "Og1#03"
PLAIN_PASSWORD = "ISWLkOvf" + "LQUGIY7"
BODY = [
    "MHcCAQEEICMnGBomhOTCSKsif9G1hKT+H8LhEYKbaFykin34zzhHoAoGCCqGSM49",
    "AwEHoUQDQgAE90zlfL6rVomo8btFsQjGzJYRI+c2HSuHW1N+pd2Wviin+mrGAaLO",
    "Fjs2oYB7tD47nyn0Qw+NwC1t+YaG0QOrsQ==",
]
HEADER, FOOTER = "-----BEGIN EC " + "PRIVATE KEY-----", "-----END EC " + "PRIVATE KEY-----"
PEM = "\n".join([HEADER, *BODY, FOOTER])


def run(text: str, path: str = "file.txt", **settings):
    """(redacted text, spans) of one text."""
    table = redact(
        pa.array([text], pa.large_string()), pa.array([path.encode()], pa.binary()), settings=Settings(**settings)
    )
    return table["text"][0].as_py(), table["redactions"][0].as_py()
