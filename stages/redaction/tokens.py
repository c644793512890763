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

# rule: (Vectorscan trigger, Python expression); the trigger is the expression's telling start.
_TOKENS: dict[str, tuple[str, str]] = {
    "aws-access-key-id": ("(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}", r"(?<![A-Za-z0-9/+])(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9/+])"),
    "github-token": ("gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{36}", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{36,255})"),
    "gitlab-token": ("gl(?:pat|dt|ft|soat|rt|cbt|ptt|imt|agent|oas|ffct)-[A-Za-z0-9_\\-]{20}|GR1348941", r"(?<![A-Za-z0-9])(?:gl(?:pat|dt|ft|soat|rt|cbt|ptt|imt|agent|oas|ffct)-[A-Za-z0-9_\-]{20,512}(?:\.[0-9a-z]{2}\.?[0-9a-z]{7,9})?|GR1348941[A-Za-z0-9_\-]{20})"),
    "slack-token": ("xox[abepors]-[0-9A-Za-z]|xapp-[0-9]-|xoxe\\.xox", r"(?<![A-Za-z0-9])(?:xox[abeoprs](?:\.xox[bp])?-[0-9A-Za-z\-]{10,250}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+)"),
    "slack-webhook": ("hooks\\.slack\\.com/(?:services|workflows|triggers)/", r"(?:https?://)?hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_]{30,80}"),
    "discord-webhook": ("discord(?:app)?\\.com/api/webhooks/", r"(?:https?://)?(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w\-]{60,72}"),
    "stripe-key": ("[rs]k_(?:live|test)_[A-Za-z0-9]{10}|whsec_[A-Za-z0-9]{24}", r"(?<![A-Za-z0-9])(?:[rs]k_(?:live|test)_[A-Za-z0-9]{10,247}|whsec_[A-Za-z0-9+/]{24,64}=?)"),
    "sendgrid-key": ("SG\\.[A-Za-z0-9_\\-]{16,32}\\.", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}"),
    "twilio-key": ("(?:SK|AC)[0-9a-fA-F]{32}", r"(?<![A-Za-z0-9])(?:SK|AC)[0-9a-fA-F]{32}(?![A-Za-z0-9])"),
    "npm-token": ("npm_[A-Za-z0-9]{36}", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    "pypi-token": ("pypi-Ag[A-Za-z0-9_\\-]{50}", r"(?<![A-Za-z0-9])pypi-Ag(?:EIcHlwaS5vcmc|ENdGVzdC5weXBpLm9yZw)[A-Za-z0-9_\-]{50,1000}"),
    "rubygems-token": ("rubygems_[0-9a-f]{48}", r"rubygems_[0-9a-f]{48}"),
    "crates-token": ("cio[A-Za-z0-9]{32}", r"(?<![A-Za-z0-9])cio[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    "docker-token": ("dckr_(?:pat|oat)_[A-Za-z0-9_\\-]{20}", r"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{20,40}"),
    "google-api-key": ("AIza[A-Za-z0-9_\\-]{35}", r"(?<![A-Za-z0-9_\-])AIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])"),
    "google-oauth": ("ya29\\.[A-Za-z0-9_\\-]{20}|GOCSPX-[A-Za-z0-9_\\-]{20}", r"(?<![A-Za-z0-9])(?:ya29\.[A-Za-z0-9_\-]{20,1024}|GOCSPX-[A-Za-z0-9_\-]{20,40})"),
    "openai-key": ("sk-(?:proj-|svcacct-|admin-|ant-|or-v1-)?[A-Za-z0-9_\\-]{32}", r"(?<![A-Za-z0-9_\-])sk-(?:(?:proj|svcacct|admin|None|or-v1)-[A-Za-z0-9_\-]{32,220}|ant-(?:api|admin)\d\d-[A-Za-z0-9_\-]{80,120}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})(?![A-Za-z0-9_\-])"),
    "huggingface-token": ("hf_[A-Za-z]{34}|api_org_[A-Za-z]{34}", r"(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{34,40}|api_org_[A-Za-z]{34})(?![A-Za-z0-9])"),
    "azure-storage-key": ("(?:AccountKey|SharedAccessKey)\\s?=\\s?[A-Za-z0-9+/]{40}", r"(?:AccountKey|SharedAccessKey)\s?=\s?([A-Za-z0-9+/]{42,86}={1,2})"),
    "azure-sas": ("[?&;]sig=[A-Za-z0-9%+/]{40}", r"[?&;]sig=([A-Za-z0-9%+/]{42,70}(?:=|%3[dD])?)"),
    "telegram-token": ("[0-9]{8,10}:AA[A-Za-z0-9_\\-]{33}", r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])"),
    "digitalocean-token": ("do[opr]_v1_[a-f0-9]{64}", r"do[opr]_v1_[a-f0-9]{64}"),
    "shopify-token": ("shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    "square-token": ("sq0(?:csp|atp)-[0-9A-Za-z_\\-]{22}", r"sq0(?:csp|atp)-[0-9A-Za-z\-_]{22,43}"),
    "mailgun-key": ("key-[0-9a-f]{32}", r"(?<![A-Za-z0-9])key-[0-9a-f]{32}(?![A-Za-z0-9])"),
    "mailchimp-key": ("[0-9a-f]{32}-us[0-9]", r"(?<![A-Za-z0-9])[0-9a-f]{32}-us\d{1,2}(?!\d)"),
    "newrelic-key": ("NR(?:AK|AA|II|JS|RA)-[A-Za-z0-9]", r"(?<![A-Za-z0-9])NR(?:AK|AA|II|JS|RA)-[A-Za-z0-9_\-]{19,42}"),
    "databricks-token": ("dapi[a-f0-9]{32}", r"(?<![A-Za-z0-9])dapi[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])"),
    "vault-token": ("hv[sbr]\\.[A-Za-z0-9_\\-]{24}", r"(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_\-]{24,300}"),
    "atlassian-token": ("ATATT3[A-Za-z0-9_\\-]{20}|ATBB[A-Za-z0-9]{32}|ATCTT3[A-Za-z0-9_\\-]{20}", r"(?<![A-Za-z0-9])(?:AT(?:AT|CT)T3[A-Za-z0-9_\-=]{60,250}|ATBB[A-Za-z0-9]{32})"),
    "linear-token": ("lin_api_[A-Za-z0-9]{40}", r"lin_api_[A-Za-z0-9]{40}"),
    "notion-token": ("(?:secret|ntn)_[A-Za-z0-9]{43}", r"(?<![A-Za-z0-9])(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{46})(?![A-Za-z0-9])"),
    "grafana-token": ("gl(?:sa|c)_[A-Za-z0-9+/]{32}", r"(?<![A-Za-z0-9])(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{32,400}={0,3})"),
    "sentry-token": ("sntry[su]_[A-Za-z0-9+/=_]{40}", r"sntry[su]_[A-Za-z0-9+/=_]{40,300}"),
    "doppler-token": ("dp\\.(?:pt|st|ct|sa|scim|audit)\\.[A-Za-z0-9_\\-.]{40}", r"(?<![A-Za-z0-9])dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_\-.]{40,60}"),
    "age-secret-key": ("AGE-SECRET-KEY-1[A-Z0-9]{58}", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    "nkey-seed": ("S[ACNOUX][A-Z2-7]{56}", r"(?<![A-Za-z0-9])S[ACNOUX][A-Z2-7]{56}(?![A-Za-z0-9])"),
    "jwt": ("ey[A-Za-z0-9_\\-]{10,}\\.ey[A-Za-z0-9_\\-]{10}", r"(?<![A-Za-z0-9_\-])ey[A-Za-z0-9_\-]{10,2000}\.ey[A-Za-z0-9_\-]{10,16000}(?:\.[A-Za-z0-9_\-]{0,2000})?={0,2}"),
    "basic-auth-header": ("(?i)authorization[^\\n]{0,24}basic\\s+[A-Za-z0-9+/]{6}", r"(?i:authorization[\"'\]\)]{0,3}\s*[:=,]?>?\s*\(?[\"'`]?basic)\s+([A-Za-z0-9+/]{6,512}={0,2})"),
    "bearer-header": ("(?i)bearer\\s+[A-Za-z0-9._~+/\\-]{16}", r"(?i:bearer)\s+((?=[^\s\"']*\d)[A-Za-z0-9._~+/\-]{16,2048}={0,2})"),
}  # fmt: skip


def _find(window: Window, *, name: str, pattern: re.Pattern[str]) -> Iterator[Finding]:
    group = 1 if pattern.groups else 0
    for match in pattern.finditer(window.text):
        if not is_sample(match[group]):
            yield window.finding(*match.span(group), "KEY", name)


def token_rules() -> tuple[Rule, ...]:
    """One rule for each shape of token."""
    return tuple(
        Rule(name=name, kinds=("KEY",), triggers=(trigger,), find=partial(_find, name=name, pattern=re.compile(pattern)))
        for name, (trigger, pattern) in _TOKENS.items()
    )
