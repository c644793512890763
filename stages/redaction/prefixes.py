"""Tokens whose prefix (or fixed inner mark) names their issuer: name → shape, as the issuers document them.

A shape runs as it stands in Vectorscan, and between non-alphanumeric characters in Python's `re`. The whole match is
the secret. Shapes are long or particular enough that no word, identifier or digest has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_HEX4 = r"-[A-Fa-f0-9]{4}"
_UUID = rf"[A-Fa-f0-9]{{8}}{_HEX4}{_HEX4}{_HEX4}-[A-Fa-f0-9]{{12}}"

PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "1password-service-account": r"ops_eyJ[A-Za-z0-9+/]{200,1000}={0,3}",
        "1password-secret-key": r"A3-[A-Z0-9]{6}-[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
        "adafruit-io-key": r"aio_[A-Za-z0-9]{28}",
        "adobe-client-secret": r"p8e-[A-Za-z0-9\-_]{32}",
        "airtable-token": r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}",
        "alibaba-access-key-id": r"LTAI[A-Za-z0-9]{12,24}",
        "apify-token": r"apify_(?:api|proxy)_[A-Za-z0-9\-]{34,40}",
        "artifactory-token": r"AKCp[a-zA-Z0-9]{60,80}|cmVmd[A-Za-z0-9]{59}",
        "asana-token": r"[0-2]/[0-9]{13,17}(?:/[0-9]{13,17})?:[a-f0-9]{32}",
        "aws-bedrock-key": r"ABSK[A-Za-z0-9+/]{108,270}={0,2}",
        "aws-session-token": r"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/]{100,2000}={0,2}",
        "axiom-token": rf"xa[ap]t-{_UUID}",
        "azure-identifiable-key": (
            r"[A-Za-z0-9+/]{76}(?:APIM|ACDb|\+(?:ABa|AMC|ASt))[A-Za-z0-9+/]{5}[AQgw]==|"
            r"[A-Za-z0-9+/]{33}(?:AIoT|\+(?:ASb|AEh|ARm))[A-Za-z0-9+/]{5}[AEIMQUYcgkosw048]=|"
            r"[A-Za-z0-9_\-]{44}AzFu[A-Za-z0-9_\-]{5}[AQgw]==|[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}|"
            r"[A-Za-z0-9]{33}AzCa[A-P][A-Za-z0-9]{5}=|[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5}|"
            r"[A-Za-z0-9]{52}JQQJ9[9D][A-Za-z0-9]{26}(?:==)?"
        ),
        "azure-refresh-token": r"[01]\.A[A-Za-z0-9_\-]{24,90}\.(?:1\.)?AgAB[A-Za-z0-9_\-.]{100,2000}",
        "baidu-key": r"bce-v3/ALTAK-[A-Za-z0-9]{21}/[a-f0-9]{40}",
        "bannerbear-key": r"bb_(?:pr|ma)_[a-f0-9]{30}",
        "bitbucket-data-center-token": r"BBDC-[A-Za-z0-9+/@_\-]{40,50}",
        "brevo-key": r"x(?:keysib|smtpsib)-[a-f0-9]{64}-[A-Za-z0-9]{16}",
        "buildkite-token": r"bk(?:ua|pt|et|ct)_[a-f0-9]{40}",
        "cerebras-key": r"csk-[a-z0-9]{48}",
        "circleci-token": r"CCI(?:PAT|PRJ)_[A-Za-z0-9]{16,30}_[A-Za-z0-9]{40,64}",
        "clojars-token": r"CLOJARS_[a-z0-9]{60}",
        "cloudflare-origin-key": r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}",
        "contentful-token": r"CFPAT-[A-Za-z0-9_\-]{43}",
        "defined-networking-token": r"dnkey-[a-z0-9=_\-]{26}-[a-z0-9=_\-]{52}",
        "deno-token": r"dd[pow]_[A-Za-z0-9]{36}",
        "discord-bot-token": r"[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}",
        "django-insecure-key": r"django-insecure-[^\s\"'`]{40,64}",
        "docker-swarm-token": r"SWMTKN-1-[a-z0-9]{50}-[a-z0-9]{25}|SWMKEY-1-[A-Za-z0-9+/]{40,50}",
        "dropbox-token": r"sl\.(?:u\.)?[A-Za-z0-9_\-]{120,1200}",
        "duffel-token": r"duffel_(?:test|live)_[A-Za-z0-9_\-]{43}",
        "dynatrace-token": r"dt0[a-z][0-9]{2}\.[A-Z2-7]{24}\.[A-Z2-7]{64}",
        "easypost-key": r"EZ[AT]K[a-zA-Z0-9]{54}",
        "figma-token": r"fig[dou]r?_[A-Za-z0-9_\-]{40,60}",
        "firebase-messaging-key": r"AAAA[A-Za-z0-9_\-]{7}:APA91b[A-Za-z0-9_\-]{134}",
        "firecrawl-key": r"fc-[a-f0-9]{32}",
        "fleetbase-key": r"flb_(?:live|test)_[A-Za-z0-9]{20}",
        "flutterwave-key": r"FLW(?:SEC|PUB)K(?:_TEST)?-[a-h0-9]{32}-X",
        "frameio-token": r"fio-u-[A-Za-z0-9_=\-]{64}",
        "google-refresh-token": r"1//0[A-Za-z0-9_\-]{60,250}",
        "groq-key": r"gsk_[A-Za-z0-9]{52}",
        "heroku-token": rf"HRKU-(?:[A-Za-z0-9_\-]{{60}}|{_UUID})",
        "hubspot-token": rf"pat-(?:na|eu|ap)[1-9]-{_UUID}",
        "infracost-key": r"ico-[A-Za-z0-9]{32}",
        "intra42-secret": r"s-s4t2(?:ud|af)-[a-f0-9]{64}",
        "jina-key": r"jina_[A-Za-z0-9_\-]{60}",
        "kerberos-ticket": (r"\$krb5(?:asrep|tgs|pa)\$[0-9]{1,2}\$(?:[^\s\"'`$]{1,160}\$){1,4}[a-fA-F0-9]{64,4096}"),
        "langsmith-key": r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}",
        "lichess-token": r"lip_[A-Za-z0-9]{20}",
        "mailersend-token": r"mlsn\.[a-z0-9]{64}",
        "mandrill-key": r"md-[A-Za-z0-9_\-]{22}",
        "maxmind-key": r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
        "netlify-token": r"nf[pcou]_[A-Za-z0-9]{36}",
        "newrelic-license-key": r"[a-f0-9]{36}NRAL",
        "nuget-key": r"oy2[a-z0-9]{43}",
        "nvidia-key": r"nvapi-[A-Za-z0-9_\-]{60,70}",
        "octopus-deploy-key": r"API-[A-Z0-9]{25,27}",
        "onfido-token": r"api_(?:live|sandbox)(?:_(?:us|ca))?\.[A-Za-z0-9_\-]{11}\.[A-Za-z0-9_\-]{32}",
        "perplexity-key": r"pplx-[A-Za-z0-9]{48,56}",
        "pinecone-key": r"pcsk_[A-Za-z0-9_]{60,80}",
        "plaid-token": rf"access-(?:sandbox|development|production)-{_UUID}",
        "posthog-key": r"ph[xrs]_[A-Za-z0-9]{40,50}",
        "postman-key": r"PMA[KT]-[A-Za-z0-9]{24,27}(?:-[a-f0-9]{34})?",
        "prefect-key": r"pn[bu]_[A-Za-z0-9]{36}",
        "pubnub-key": r"(?:sec|sub|pub)-c-[A-Za-z0-9]{8}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{12}",
        "pulumi-token": r"pul-[a-f0-9]{40}",
        "razorpay-key": r"rzp_(?:live|test)_[A-Za-z0-9]{14}",
        "readme-key": r"rdme_[a-z0-9]{70}",
        "replicate-token": r"r8_[A-Za-z0-9_\-]{37}",
        "resend-key": r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
        "rootly-key": r"rootly_[a-f0-9]{64}",
        "runpod-key": r"rpa_[A-Z0-9]{40}[a-z0-9]{0,6}",
        "salesforce-token": (
            r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{80,260}|5Aep861[A-Za-z0-9._]{72,100}|3MVG9[A-Za-z0-9._]{80,251}"
        ),
        "scalingo-token": r"tk-us-[A-Za-z0-9_\-]{48}",
        "segment-token": r"sgp_[A-Za-z0-9]{64}",
        "shippo-token": r"shippo_(?:live|test)_[a-f0-9]{40}",
        "sonarqube-token": r"sq[apu]_[a-f0-9]{40}",
        "sourcegraph-token": r"sg[pd]_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40,64}|slk_[a-f0-9]{64}",
        "spectralops-token": r"spu-[a-z0-9]{32}",
        "stackhawk-key": r"hawk\.[A-Za-z0-9_\-]{20}\.[A-Za-z0-9_\-]{20}",
        "stytch-secret": r"secret-(?:test|live)-[A-Za-z0-9_\-]{32,48}=?",
        "supabase-token": r"sbp_(?:v0_)?[a-f0-9]{40}|sb_secret_[A-Za-z0-9_\-]{31,36}",
        "tailscale-key": r"tskey-(?:[a-z]+-)?[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,40}",
        "tavily-key": r"tvly-(?:dev-|prod-)?[A-Za-z0-9\-]{32,40}",
        "teamwork-token": r"tkn\.v1_[A-Za-z0-9]{40,80}(?:={0,2})",
        "tencent-secret-id": r"AKID[A-Za-z0-9]{32}",
        "terraform-cloud-token": r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-]{60,70}",
        "trello-token": r"ATTA[A-Za-z0-9]{72}",
        "trufflehog-key": r"thog-(?:key|secret)-[a-f0-9]{16,32}",
        "twitch-stream-key": r"live_[0-9]{8,10}_[A-Za-z0-9]{30}",
        "ubidots-token": r"BBFF-[A-Za-z0-9]{30}",
        "vercel-token": r"vc[pkria]_[A-Za-z0-9]{24,60}",
        "volcengine-access-key-id": r"AKLT[A-Za-z0-9+/_\-]{40,60}={0,2}",
        "wakatime-key": rf"waka_{_UUID}",
        "wandb-key": r"wandb_v1_[A-Za-z0-9_]{60,90}",
        "yandex-key": (
            r"AQVN[A-Za-z0-9_\-]{35,38}|y[0-3]_[A-Za-z0-9_\-]{55,70}|YC[a-zA-Z0-9_\-]{38}|"
            r"t1\.[A-Z0-9a-z_\-]{50,300}={0,2}\.[A-Z0-9a-z_\-]{86}={0,2}"
        ),
        "zoho-token": r"1000\.[a-f0-9]{32}\.[a-f0-9]{32}",
        "zuplo-key": r"zpka_[a-z0-9]{32}_[a-f0-9]{8}",
    }
)
