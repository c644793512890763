"""`gristmill`: the root of the command tree, and the one place where errors become exit codes.

0 success · 1 the answer is no · 2 usage · 3 configuration or credentials · 4 partial failure (run again to
resume) · 5 conflict · 6 integrity · 70 a bug of ours · 130 interrupted · 141 broken pipe
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from foundation.errors import GristmillError, InternalError
from pipeline.cli import archive, build, explain, inspect, optout, query, redaction, release, review
from pipeline.cli.output import report
from pipeline.runner import told

EPILOG = (
    "Exit codes: 0 ok, 1 answer is no, 2 usage, 3 configuration, 4 partial failure, 5 conflict, 6 integrity, 70 bug."
)


def application() -> typer.Typer:
    """The whole command tree."""
    app = typer.Typer(
        name="gristmill",
        help="Turn an archive of source code into a licence-clean, redacted, deduplicated, versioned corpus.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    build.register(app)
    app.add_typer(archive.app, name="archive")
    app.add_typer(optout.app, name="optout")
    release.register(app)
    query.register(app)
    explain.register(app)
    inspect.register(app)
    app.add_typer(redaction.app, name="redaction")
    app.add_typer(review.app, name="review")
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run the command line; returns its exit code."""
    as_json = "--json" in arguments
    try:
        application()(arguments, standalone_mode=True)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 0 if exit_.code is None else 2
    except GristmillError as error:
        return report(error, as_json=as_json)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if os.environ.get("GRISTMILL_DEBUG"):
            raise
        wrapped = InternalError(
            told(error), hint="a bug of ours; set GRISTMILL_DEBUG=1 for the traceback, which may quote contents"
        )
        return report(wrapped, as_json=as_json)
    return 0


if __name__ == "__main__":
    main()
