"""Values that stand beside the name of a service, or glued to a word for a key, without an assignment between.

`mixpanel: "…"`, `<secret>{datadog …}</secret>`, `spoonacularTOKEN-…`, `wandb SECRET …`. Two contexts:
- `glued`: a word for a key (key, token, secret, private, access, in any case, also as the end of a name), one or two
  separators, then a value that no person chose;
- `service`: the name of a widely used service, at most forty characters of words and separators, then such a value;
  a digest or a UUID there counts only if a word for a key stands between, because the same services also have
  commits, checksums and object ids.
Paths and URLs between name and value end the search. Work is linear in the window.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.redaction.assignments import names_a_secret
from stages.redaction.decoys import is_opaque, is_opaque_digest
from stages.redaction.model import Finding, Rule, Window, words

# Widely used services whose credentials are (also) plain hex, base64 or UUIDs: names as identifiers spell them.
_SERVICES = words(
    "adyen airbrake airtable akamai algolia aliyun amplitude anthropic appveyor artifactory asana assemblyai "
    "atlassian auth0 azure backblaze basecamp binance bitbucket bitly bitrise braintree brevo browserstack bugsnag "
    "buildkite chargebee circleci clearbit clickup cloudflare cloudinary codacy codeclimate codecov coinbase "
    "confluent contentful coveralls crowdin databricks datadog deepgram deepseek digitalocean discord docusign "
    "doppler dropbox dynatrace elevenlabs etherscan facebook fastly figma firebase flickr foursquare freshdesk "
    "ghost gitea github gitlab gitter grafana gumroad harvest heroku honeybadger honeycomb hubspot huggingface "
    "infura instagram intercom ipinfo ipstack jenkins jira klaviyo kraken launchdarkly linkedin linode loggly "
    "lokalise mailchimp mailgun mailjet mandrill mapbox mapquest mattermost maxmind mixpanel netlify newrelic "
    "newsapi ngrok notion npmjs okta onesignal openai opencage openweather openweathermap opsgenie pagerduty "
    "papertrail paypal paystack pinecone pipedrive plaid plivo posthog postman postmark pubnub pulumi pusher "
    "railway rapidapi razorpay recaptcha replicate rollbar rubygems salesforce saucelabs scaleway segment sendbird "
    "sendgrid sentry shodan shopify shutterstock slack snyk softlayer sonarcloud sonarqube sourcegraph sparkpost "
    "splunk spotify square squarespace stripe sumologic supabase surveymonkey tableau tailscale telegram tencent "
    "todoist tomtom travisci trello tumblr twilio twitch twitter typeform unsplash vercel virustotal vultr wakatime "
    "wandb webex webflow wistia wordnik yandex yelp zapier zendesk zoho zoom zulip"
)
_KEY_WORD = re.compile(r"key|token|secret|private|pass|pwd|credential|\bpat\b|api\W{0,4}$", re.I)
_GLUED = re.compile(
    r"(?:key|token|secret|private|access)(?P<sep>[\-_.:= \t]{1,3})"
    r"(?!(?:key|token|secret|private|access)[\-_.:= \t])(?P<value>[A-Za-z0-9][A-Za-z0-9+/_\-]{15,511}={0,2})"
    r"(?![\w(\[=])",
    re.I,
)
# What says that a digest is one.
_TOLD = re.compile(r"hash|digest|(?<![a-z])sha\d|md5|checksum|fingerprint|thumbprint|commit|revision", re.I)
_BEFORE = re.compile(r"[\w\-]{1,48}$")
_SERVICE = re.compile(
    rf"(?<![a-z/@.])(?:{'|'.join(_SERVICES)})(?P<between>[\w \t.\-\"'`:=>(){{}},|\[\]$]{{0,40}}?)"
    r"(?<![A-Za-z0-9+/_=.\-])(?P<value>(?=[A-Za-z0-9+/_\-]{0,12}[0-9])[A-Za-z0-9+][A-Za-z0-9+/_=.\-]{15,511})"
    r"(?![\w(\[+/=\-])",
    re.I,
)


def find_glued(window: Window) -> Iterator[Finding]:
    """Values directly behind a word for a key."""
    for match in _GLUED.finditer(window.text):
        value = match["value"]
        strong = is_opaque_digest(value) or (len(value) >= 20 and is_opaque(value))
        before = _BEFORE.search(window.text, max(0, match.start() - 32), match.start("sep"))
        told = _TOLD.search(window.text, max(0, match.start() - 40), match.start("sep"))
        if strong and before and not told and names_a_secret(before[0]):
            yield window.finding(*match.span("value"), "KEY", "glued")


def find_beside_service(window: Window) -> Iterator[Finding]:
    """Values shortly behind the name of a service."""
    for match in _SERVICE.finditer(window.text):
        value = match["value"]
        if _TOLD.search(match["between"]):
            continue
        named = _KEY_WORD.search(match["between"]) is not None
        if (named and is_opaque_digest(value)) or (len(value) >= (16 if named else 20) and is_opaque(value)):
            yield window.finding(*match.span("value"), "KEY", "service")


GLUED = Rule(
    name="glued",
    kinds=("KEY",),
    triggers=(r"(?:key|token|secret|private|access)[\-_.:= \t]{1,3}[A-Za-z0-9][A-Za-z0-9+/_\-]{15}",),
    find=find_glued,
    level=1,
    caseless=True,
)
SERVICES = Rule(
    name="service",
    kinds=("KEY",),
    # A few names at a time: one expression of all of them is too large for Vectorscan.
    triggers=tuple(
        rf"(?:{'|'.join(_SERVICES[at : at + 12])})[^\n/]{{0,40}}[^A-Za-z0-9+/_=.\-\n]"
        r"[A-Za-z0-9+/_\-]{0,12}[0-9][A-Za-z0-9+/_=\-]{3}"
        for at in range(0, len(_SERVICES), 12)
    ),
    find=find_beside_service,
    level=1,
    caseless=True,
)
