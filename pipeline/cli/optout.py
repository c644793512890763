"""`gristmill optout …`: the opt-out registry from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from foundation.canonical import Json
from foundation.errors import AnswerIsNo
from foundation.exclusions import PURPOSES, Exclusion, Selector, read_exclusions, write_exclusions
from pipeline.cli.output import Output, printable
from registry import (
    Decided,
    Head,
    Registry,
    Request,
    Submission,
    brief,
    covering,
    open_registry,
    parse_selector,
    question_about,
    understood,
)

DEFAULT_REGISTRY = "gristmill-registry.db"
_SUBMIT = """Ask for an owner, repository, path, content or host to be left out; it is held, and so left out, at once.

Prints what was understood and a receipt. The receipt is the only way to withdraw: keep it. The same
request by the same requester, while open, gives the same receipt. Makes the registry if there is none.

\b
Examples:
  gristmill optout submit owner landley --requester rob@example.org
  gristmill optout submit repository https://gitlab.com/group/sub/project --include-forks
  gristmill optout submit path landley/toybox --glob 'docs/**' --dry-run
  gristmill optout submit content swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2
"""
_LS = """List requests and where they stand; never who made them, nor their receipts.

\b
Examples:
  gristmill optout ls
  gristmill optout ls --state held --format csv
"""
_STATUS = """Where the request with a receipt stands.

\b
Examples:
  gristmill optout status RECEIPT
"""
_DECIDE = """Move a request on: to effective, to refused, or to held.

Reason codes: effective verified|honoured; refused not_owner|not_found|shared_content|duplicate|abuse;
held after_review. Exits 5 if the request's state does not allow it.

\b
Examples:
  gristmill optout decide 17 effective --reason verified --actor alex
  gristmill optout decide 18 refused --reason not_owner --actor alex --dry-run
"""
_WITHDRAW = """Take a request back; only its receipt can.

\b
Examples:
  gristmill optout withdraw RECEIPT
"""
_EXPORT = """Write the exclusions in force, for `gristmill build --exclusions`.

The same sequence always gives the same bytes. Exits 6 if the registry's log was tampered with. The file
names owners and repositories: do not publish it.

\b
Examples:
  gristmill optout export --out exclusions.json
  gristmill optout export --sequence 120 --out as-of-120.json
"""
_CHECK = """Is this left out? Exits 1 if it is, and names the exclusions; 0 if it is not.

TARGET is an origin (URL or OWNER/NAME), or a content's SWHID, whose origin and path qualifiers count too.

\b
Examples:
  gristmill optout check landley/toybox
  gristmill optout check https://github.com/landley/toybox --path docs/a.txt
  gristmill optout check swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2 --exclusions exclusions.json
"""
_VERIFY = """Check the hash-chained log and everything it commits to; exits 6 naming the first entry that is wrong.

With --against, also that an earlier export's log head is still part of this history.

\b
Examples:
  gristmill optout verify
  gristmill optout verify --against exclusions.json
"""
_LS_COLUMNS = ("request", "state", "reason", "kind", "selector", "sequence", "received", "at")

app = typer.Typer(no_args_is_help=True, help="The opt-out registry: who asked to be left out, and what builds exclude.")

Place = Annotated[
    str,
    typer.Option("--registry", envvar="GRISTMILL_REGISTRY", help="A file, sqlite:///FILE or postgresql://…"),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes on stderr.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be recorded; record nothing.")]


@app.command("submit", help=_SUBMIT)
def submit_command(
    kind: Annotated[str, typer.Argument(help="owner, repository, path, content or host.")],
    selector: Annotated[str, typer.Argument(help="Name (landley, landley/toybox), URL, SWHID or host.")],
    *,
    glob: Annotated[str | None, typer.Option("--glob", help="For kind path: which files, as in .gitignore.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Forge of a bare name (default: github.com).")] = None,
    owner_id: Annotated[int | None, typer.Option("--owner-id", help="The forge's number of the owner.")] = None,
    repository_id: Annotated[
        int | None, typer.Option("--repository-id", help="The forge's number of the repository.")
    ] = None,
    former_name: Annotated[list[str] | None, typer.Option("--former-name", help="An earlier full name.")] = None,
    include_forks: Annotated[bool, typer.Option("--include-forks", help="Forks too.")] = False,
    include_future: Annotated[
        bool, typer.Option("--include-future/--existing-only", help="Repositories made later too.")
    ] = True,
    purpose: Annotated[list[str] | None, typer.Option("--purpose", help="Refused use: train, redistribute.")] = None,
    requester: Annotated[str, typer.Option("--requester", help="Who asks: a contact; shown to nobody.")] = "",
    note: Annotated[str, typer.Option("--note", help="Free text; stored as it is, shown to nobody.")] = "",
    dry_run: DryRun = False,
    registry: Place = DEFAULT_REGISTRY,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run `optout submit`; see `_SUBMIT`."""
    parsed = parse_selector(
        kind,
        selector,
        host=host,
        glob=glob,
        owner_id=owner_id,
        repository_id=repository_id,
        former_names=former_name or (),
        include_forks=include_forks,
        include_future=include_future,
        purposes=purpose or PURPOSES,
    )
    with _opened(registry) as desk:
        done = desk.submit(parsed, requester=requester, note=note, dry_run=dry_run)
    output = Output(json=as_json, quiet=quiet)
    _submitted(output, done, selector=parsed, dry_run=dry_run)
    _say_dry(output, dry_run)


@app.command("ls", help=_LS)
def ls_command(
    *,
    state: Annotated[str | None, typer.Option("--state", help="Only requests in this state.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only selectors of this kind.")] = None,
    format_: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
    registry: Place = DEFAULT_REGISTRY,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run `optout ls`; see `_LS`."""
    with _opened(registry) as desk:
        found = desk.list(state=state, kind=kind)
    rows = [_request(one) for one in found]
    Output(json=as_json, quiet=quiet).rows(rows, columns=_LS_COLUMNS, format=format_)


@app.command("status", help=_STATUS)
def status_command(
    receipt: Annotated[str, typer.Argument(help="As `submit` printed it.")],
    *,
    registry: Place = DEFAULT_REGISTRY,
    as_json: AsJson = False,
) -> None:
    """Run `optout status`; see `_STATUS`."""
    with _opened(registry) as desk:
        found = desk.status(receipt)
    lines = [
        understood(found.selector),
        f"request {found.id}: {found.state} ({found.reason}) since {found.at}, sequence {found.sequence}",
        f"received {found.received}; builds {'leave it out' if found.excludes else 'do not leave it out'}",
    ]
    Output(json=as_json).document(_request(found), text=_printable(lines))


@app.command("decide", help=_DECIDE)
def decide_command(
    request: Annotated[int, typer.Argument(help="Number of the request, as `ls` shows it.")],
    state: Annotated[str, typer.Argument(help="effective, refused or held.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Reason code; see above.")],
    actor: Annotated[str, typer.Option("--actor", help="Who decides.")],
    dry_run: DryRun = False,
    registry: Place = DEFAULT_REGISTRY,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run `optout decide`; see `_DECIDE`."""
    with _opened(registry) as desk:
        done = desk.decide(request, state, reason=reason, actor=actor, dry_run=dry_run)
    _decided(Output(json=as_json, quiet=quiet), done, dry_run=dry_run)


@app.command("withdraw", help=_WITHDRAW)
def withdraw_command(
    receipt: Annotated[str, typer.Argument(help="As `submit` printed it.")],
    *,
    dry_run: DryRun = False,
    registry: Place = DEFAULT_REGISTRY,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run `optout withdraw`; see `_WITHDRAW`."""
    with _opened(registry) as desk:
        done = desk.withdraw(receipt, dry_run=dry_run)
    _decided(Output(json=as_json, quiet=quiet), done, dry_run=dry_run)


@app.command("export", help=_EXPORT)
def export_command(
    *,
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    sequence: Annotated[int | None, typer.Option("--sequence", help="State as of this one (default: now).")] = None,
    registry: Place = DEFAULT_REGISTRY,
    as_json: AsJson = False,
) -> None:
    """Run `optout export`; see `_EXPORT`."""
    with _opened(registry) as desk:
        found = desk.export(sequence)
    write_exclusions(out, found)
    document: dict[str, Json] = {
        "file": str(out),
        "sequence": found.sequence,
        "log_head": found.log_head,
        "exclusions": len(found.entries),
        "sha256": found.sha256,
    }
    text = f"{out}: {len(found.entries)} exclusions at sequence {found.sequence}, sha256 {found.sha256}"
    Output(json=as_json).document(document, text=printable(text))


@app.command("check", help=_CHECK)
def check_command(
    target: Annotated[str, typer.Argument(help="Origin URL, OWNER/NAME, or SWHID.")],
    *,
    path: Annotated[str | None, typer.Option("--path", help="A path in the origin.")] = None,
    name: Annotated[list[str] | None, typer.Option("--name", help="A further full name it has or had.")] = None,
    owner_id: Annotated[int | None, typer.Option("--owner-id", help="The forge's number of the owner.")] = None,
    repository_id: Annotated[
        int | None, typer.Option("--repository-id", help="The forge's number of the repository.")
    ] = None,
    exclusions: Annotated[
        Path | None, typer.Option("--exclusions", help="Ask an exported file instead of the registry.")
    ] = None,
    registry: Place = DEFAULT_REGISTRY,
    as_json: AsJson = False,
) -> None:
    """Run `optout check`; see `_CHECK`."""
    question = question_about(target, path=path, names=name or (), owner_id=owner_id, repository_id=repository_id)
    if exclusions:
        known = read_exclusions(exclusions)
    else:
        with _opened(registry) as desk:
            known = desk.export()
    found = covering(question, known)
    document: dict[str, Json] = {
        "excluded": bool(found),
        "sequence": known.sequence,
        "exclusions": [_exclusion(entry) for entry in found],
    }
    lines = [f"{entry.id} ({entry.state}): {understood(entry)}" for entry in found]
    Output(json=as_json).document(document, text=_printable(lines or ["not excluded"]))
    if found:
        raise AnswerIsNo(f"excluded by {', '.join(entry.id for entry in found)}")


@app.command("verify", help=_VERIFY)
def verify_command(
    *,
    against: Annotated[Path | None, typer.Option("--against", help="An exclusions file exported earlier.")] = None,
    registry: Place = DEFAULT_REGISTRY,
    as_json: AsJson = False,
) -> None:
    """Run `optout verify`; see `_VERIFY`."""
    earlier = read_exclusions(against) if against else None
    expected = Head(earlier.sequence, earlier.log_head) if earlier else None
    with _opened(registry) as desk:
        head = desk.verify_log(expected=expected)
    text = f"ok: {head.sequence} entries, head {head.hash}"
    Output(json=as_json).document({"ok": True, "sequence": head.sequence, "log_head": head.hash}, text=text)


def _printable(lines: list[str]) -> str:
    return "\n".join(printable(line) for line in lines)


@contextmanager
def _opened(location: str) -> Iterator[Registry]:
    registry = open_registry(location)
    try:
        yield registry
    finally:
        registry.close()


def _submitted(output: Output, done: Submission, *, selector: Selector, dry_run: bool) -> None:
    document: dict[str, Json] = {
        "receipt": None if dry_run else done.receipt,
        "request": done.request,
        "state": done.state,
        "sequence": done.sequence,
        "created": done.created,
        "understood": done.understood,
        "selector": selector.model_dump(mode="json"),
        "recorded": done.created and not dry_run,
    }
    lines = [done.understood, f"request {done.request}: {done.state} at sequence {done.sequence}"]
    if not dry_run:
        lines.append(f"receipt {done.receipt}")
    output.document(document, text=_printable(lines))
    if not done.created:
        output.note("this request is open already; nothing was recorded anew")


def _request(one: Request) -> dict[str, Json]:
    return {
        "request": one.id,
        "state": one.state,
        "reason": one.reason,
        "kind": one.selector.kind,
        "selector": brief(one.selector),
        "understood": understood(one.selector),
        "sequence": one.sequence,
        "received": one.received,
        "at": one.at,
        "excludes": one.excludes,
    }


def _exclusion(entry: Exclusion) -> dict[str, Json]:
    return {"id": entry.id, "kind": entry.kind, "state": entry.state, "understood": understood(entry)}


def _decided(output: Output, done: Decided, *, dry_run: bool) -> None:
    document: dict[str, Json] = {
        "request": done.request,
        "before": done.before,
        "after": done.after,
        "reason": done.reason,
        "sequence": done.sequence,
        "recorded": not dry_run,
    }
    text = f"request {done.request}: {done.before} → {done.after} ({done.reason}) at sequence {done.sequence}"
    output.document(document, text=text)
    _say_dry(output, dry_run)


def _say_dry(output: Output, dry_run: bool) -> None:
    if dry_run:
        output.note("dry run: nothing was recorded")
