"""Provider tokens: values whose own shape names their issuer, so that no context is needed.

The shapes are those their issuers document. Every expression runs in Vectorscan to find the line and in
Python's `re` to find the value; the value is group 1 where there is one. Documented sample values
(`AKIAIOSFODNN7EXAMPLE`, `xxxx`) are kept, see `decoys.is_sample`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from stages.redaction.decoys import is_sample
from stages.redaction.model import Finding, Rule, Window
from stages.redaction.prefixes import PREFIXES

# rule: (Vectorscan trigger, Python expression); the trigger is the expression's telling start.
_TOKENS: dict[str, tuple[str, str]] = {
    "aws-access-key-id": (
        r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
        r"(?<![A-Za-z0-9/+])(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9/+])",
    ),
    "github-token": (
        r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{36}",
        r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{36,255})",
    ),
    "gitlab-token": (
        r"gl(?:pat|dt|ft|soat|rt|cbt|ptt|imt|agent|oas|ffct)-[A-Za-z0-9_\-]{20}|GR1348941",
        r"(?<![A-Za-z0-9])(?:gl(?:pat|dt|ft|soat|rt|cbt|ptt|imt|agent|oas|ffct)-[A-Za-z0-9_\-]{20,512}(?:\.[0-"
        r"9a-z]{2}\.?[0-9a-z]{7,9})?|GR1348941[A-Za-z0-9_\-]{20})",
    ),
    "slack-token": (
        r"xox[abepors]-[0-9A-Za-z]|xapp-[0-9]-|xoxe\.xox",
        r"(?<![A-Za-z0-9])(?:xox[abeoprs](?:\.xox[bp])?-[0-9A-Za-z\-]{10,250}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+)",
    ),
    "slack-webhook": (
        r"hooks\.slack\.com/(?:services|workflows|triggers)/",
        r"(?:https?://)?hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_]{30,80}",
    ),
    "discord-webhook": (
        r"discord(?:app)?\.com/api/webhooks/",
        r"(?:https?://)?(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w\-]{60,72}",
    ),
    "stripe-key": (
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{10}|whsec_[A-Za-z0-9]{24}",
        r"(?<![A-Za-z0-9])(?:[rs]k_(?:live|test)_[A-Za-z0-9]{10,247}|whsec_[A-Za-z0-9+/]{24,64}=?)",
    ),
    "sendgrid-key": (
        r"SG\.[A-Za-z0-9_\-]{16,32}\.",
        r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}",
    ),
    "twilio-key": (
        r"(?:SK|AC)[0-9a-fA-F]{32}",
        r"(?<![A-Za-z0-9])(?:SK|AC)[0-9a-fA-F]{32}(?![A-Za-z0-9])",
    ),
    "npm-token": (
        r"npm_[A-Za-z0-9]{36}",
        r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])",
    ),
    "pypi-token": (
        r"pypi-Ag[A-Za-z0-9_\-]{50}",
        r"(?<![A-Za-z0-9])pypi-Ag(?:EIcHlwaS5vcmc|ENdGVzdC5weXBpLm9yZw)[A-Za-z0-9_\-]{50,1000}",
    ),
    "rubygems-token": (
        r"rubygems_[0-9a-f]{48}",
        r"rubygems_[0-9a-f]{48}",
    ),
    "crates-token": (
        r"cio[A-Za-z0-9]{32}",
        r"(?<![A-Za-z0-9])cio[A-Za-z0-9]{32}(?![A-Za-z0-9])",
    ),
    "docker-token": (
        r"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{20}",
        r"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{20,40}",
    ),
    "google-api-key": (
        r"AIza[A-Za-z0-9_\-]{35}",
        r"(?<![A-Za-z0-9_\-])AIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])",
    ),
    "google-oauth": (
        r"ya29\.[A-Za-z0-9_\-]{20}|GOCSPX-[A-Za-z0-9_\-]{20}",
        r"(?<![A-Za-z0-9])(?:ya29\.[A-Za-z0-9_\-]{20,1024}|GOCSPX-[A-Za-z0-9_\-]{20,40})",
    ),
    "openai-key": (
        r"sk-(?:proj-|svcacct-|admin-|ant-|or-v1-)?[A-Za-z0-9_\-]{32}",
        r"(?<![A-Za-z0-9_\-])sk-(?:(?:proj|svcacct|admin|None|or-v1)-[A-Za-z0-9_\-]{32,220}|ant-(?:api|admin)"
        r"\d\d-[A-Za-z0-9_\-]{80,120}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})(?![A-Za-z0-9_\-]"
        r")",
    ),
    "huggingface-token": (
        r"hf_[A-Za-z]{34}|api_org_[A-Za-z]{34}",
        r"(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{34,40}|api_org_[A-Za-z]{34})(?![A-Za-z0-9])",
    ),
    "azure-storage-key": (
        r"(?:AccountKey|SharedAccessKey)\s?=\s?[A-Za-z0-9+/]{40}",
        r"(?:AccountKey|SharedAccessKey)\s?=\s?([A-Za-z0-9+/]{42,86}={1,2})",
    ),
    "azure-sas": (
        r"[?&;]sig=[A-Za-z0-9%+/]{40}",
        r"[?&;]sig=([A-Za-z0-9%+/]{42,70}(?:=|%3[dD])?)",
    ),
    "telegram-token": (
        r"[0-9]{8,10}:AA[A-Za-z0-9_\-]{33}",
        r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])",
    ),
    "digitalocean-token": (
        r"do[opr]_v1_[a-f0-9]{64}",
        r"do[opr]_v1_[a-f0-9]{64}",
    ),
    "shopify-token": (
        r"shp(?:at|ca|pa|ss|ua|it)_[a-zA-Z0-9]{32}",
        r"shp(?:at|ca|pa|ss|ua|it)_[a-zA-Z0-9]{32}",
    ),
    "square-token": (
        r"sq0(?:csp|atp)-[0-9A-Za-z_\-]{22}",
        r"sq0(?:csp|atp)-[0-9A-Za-z\-_]{22,43}",
    ),
    "mailgun-key": (
        r"key-[0-9a-f]{32}",
        r"(?<![A-Za-z0-9])key-[0-9a-f]{32}(?![A-Za-z0-9])",
    ),
    "mailchimp-key": (
        r"[0-9a-f]{32}-us[0-9]",
        r"(?<![A-Za-z0-9])[0-9a-f]{32}-us\d{1,2}(?!\d)",
    ),
    "newrelic-key": (
        r"NR(?:AK|AA|II|JS|RA)-[A-Za-z0-9]",
        r"(?<![A-Za-z0-9])NR(?:AK|AA|II|JS|RA)-[A-Za-z0-9_\-]{19,42}",
    ),
    "databricks-token": (
        r"dapi[a-f0-9]{32}",
        r"(?<![A-Za-z0-9])dapi[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])",
    ),
    "vault-token": (
        r"hv[sbr]\.[A-Za-z0-9_\-]{24}",
        r"(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_\-]{24,300}",
    ),
    "atlassian-token": (
        r"ATATT3[A-Za-z0-9_\-]{20}|ATBB[A-Za-z0-9]{32}|ATCTT3[A-Za-z0-9_\-]{20}",
        r"(?<![A-Za-z0-9])(?:AT(?:AT|CT)T3[A-Za-z0-9_\-=]{60,250}|ATBB[A-Za-z0-9]{32})",
    ),
    "linear-token": (
        r"lin_api_[A-Za-z0-9]{40}",
        r"lin_api_[A-Za-z0-9]{40}",
    ),
    "notion-token": (
        r"(?:secret|ntn)_[A-Za-z0-9]{43}",
        r"(?<![A-Za-z0-9])(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{46})(?![A-Za-z0-9])",
    ),
    "grafana-token": (
        r"gl(?:sa|c)_[A-Za-z0-9+/]{32}",
        r"(?<![A-Za-z0-9])(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{32,400}={0,3})",
    ),
    "sentry-token": (
        r"sntry[su]_[A-Za-z0-9+/=_]{40}",
        r"sntry[su]_[A-Za-z0-9+/=_]{40,300}",
    ),
    "doppler-token": (
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_\-.]{40}",
        r"(?<![A-Za-z0-9])dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_\-.]{40,60}",
    ),
    "age-secret-key": (
        r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
        r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    ),
    "nkey-seed": (
        r"S[ACNOUX][A-Z2-7]{56}",
        r"(?<![A-Za-z0-9])S[ACNOUX][A-Z2-7]{56}(?![A-Za-z0-9])",
    ),
    "azure-ad-client-secret": (
        r"[0-9]Q~[A-Za-z0-9_~.\-]{31}",
        r"(?<![A-Za-z0-9_~.\-])[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}(?![A-Za-z0-9_~\-])",
    ),
    "flyio-token": (
        r"fo1_[A-Za-z0-9_\-]{40}|fm[12][ar]?_[A-Za-z0-9+/]{90}",
        r"(?<![A-Za-z0-9])(?:fo1_[\w\-]{43}|fm[12][ar]?_[A-Za-z0-9+/]{90,2000}={0,3})",
    ),
    "planetscale-token": (
        r"pscale_(?:tkn|pw|oauth)_",
        r"(?<![A-Za-z0-9])pscale_(?:tkn|pw|oauth)_[\w=.\-]{32,64}",
    ),
    "facebook-token": (
        r"EAA[A-Za-z0-9]{60}",
        r"(?<![A-Za-z0-9+/=_\-])EAA[A-Za-z0-9]{60,400}(?![A-Za-z0-9+/=_\-])",
    ),
    "xai-key": (
        r"xai-[A-Za-z0-9_]{70}",
        r"(?<![A-Za-z0-9])xai-[A-Za-z0-9_]{70,90}(?![A-Za-z0-9])",
    ),
    "mapbox-token": (
        r"[spt]k\.eyJ[A-Za-z0-9_\-]{20}",
        r"(?<![A-Za-z0-9])[st]k\.eyJ[A-Za-z0-9_\-]{20,300}\.[A-Za-z0-9_\-]{20,40}",
    ),
    "teams-webhook": (
        r"(?:webhook\.office\.com/webhookb2/|outlook\.office(?:365)?\.com/webhook/)",
        r"https://(?:[\w\-]+\.webhook\.office\.com/webhookb2|outlook\.office(?:365)?\.com/webhook)/[\w@\-]{36,"
        r"80}(?:/IncomingWebhook/[\w\-]{20,64}/[\w\-]{20,64})?",
    ),
    "zapier-webhook": (
        r"hooks\.zapier\.com/hooks/catch/",
        r"hooks\.zapier\.com/hooks/catch/([A-Za-z0-9]+(?:/[A-Za-z0-9]+)?)",
    ),
    "amazon-mws-token": (
        r"amzn\.mws\.[0-9a-f]{8}-",
        r"amzn\.mws\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    "typeform-token": (
        r"tfp_[A-Za-z0-9_.\-]{40}",
        r"(?<![A-Za-z0-9])tfp_[\w.\-]{40,60}",
    ),
    "elevenlabs-key": (
        r"sk_[a-f0-9]{48}",
        r"(?<![A-Za-z0-9])sk_[a-f0-9]{48}(?![A-Za-z0-9])",
    ),
    "launchdarkly-key": (
        r"(?:sdk|mob|api)-[0-9a-z]{8}-[0-9a-z]{4}-",
        r"(?<![A-Za-z0-9\-])(?:sdk|mob|api)-[0-9a-z]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12}(?![A-"
        r"Za-z0-9])",
    ),
    "harness-key": (
        r"[ps]at\.[A-Za-z0-9_\-]{22}\.",
        r"(?<![A-Za-z0-9])[ps]at\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}(?![A-Za-z0-9])",
    ),
    "jwt": (
        r"ey[A-Za-z0-9_\-]{10,}\.ey[A-Za-z0-9_\-]{10}",
        r"(?<![A-Za-z0-9_\-])ey[A-Za-z0-9_\-]{10,2000}\.ey[A-Za-z0-9_\-]{10,16000}(?:\.[A-Za-z0-9_\-]{0,2000})"
        r"?={0,2}",
    ),
    "basic-auth-header": (
        r"(?i)authorization[^\n]{0,24}basic\s+[A-Za-z0-9+/]{6}",
        r"(?i:authorization[\"'\]\)]{0,3}\s*[:=,]?>?\s*\(?[\"'`]?basic)\s+([A-Za-z0-9+/]{6,512}={0,2})",
    ),
    "bearer-header": (
        r"(?i)bearer\s+[A-Za-z0-9._~+/\-]{16}",
        r"(?i:bearer)\s+((?=[^\s\"']*\d)[A-Za-z0-9._~+/\-]{16,2048}={0,2})",
    ),
}


def _find(window: Window, *, name: str, pattern: re.Pattern[str]) -> Iterator[Finding]:
    group = 1 if pattern.groups else 0
    for match in pattern.finditer(window.text):
        if not is_sample(match[group]):
            yield window.finding(*match.span(group), "KEY", name)


def token_rules() -> tuple[Rule, ...]:
    """One rule for each shape of token."""
    prefixed = {name: (shape, rf"(?<![A-Za-z0-9+])(?:{shape})(?![A-Za-z0-9+])") for name, shape in PREFIXES.items()}
    return tuple(
        Rule(
            name=name, kinds=("KEY",), triggers=(trigger,), find=partial(_find, name=name, pattern=re.compile(pattern))
        )
        for name, (trigger, pattern) in (_TOKENS | prefixed).items()
    )
