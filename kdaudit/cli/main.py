"""The command ``kdaudit``: its verbs, its errors and its exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from kdaudit.cli.audit import audit
from kdaudit.cli.check import check
from kdaudit.cli.dash import dash
from kdaudit.cli.demo import demo
from kdaudit.cli.doctor import doctor
from kdaudit.cli.init import init
from kdaudit.cli.ls import ls
from kdaudit.cli.probe import probe
from kdaudit.cli.report import report
from kdaudit.cli.show import show
from kdaudit.cli.verify import verify

INTERNAL = 70

app = typer.Typer(
    name="kdaudit",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Audit a model through small proxies distilled from it, and say whether what they show holds for the model.",
    epilog="Exit codes: 0 complete, 1 a claim failed (kdaudit probe), 2 usage or input, 3 cancelled (resumable), "
    "4 a question could not be asked or (kdaudit probe) is undecided, 5 integrity, 70 internal.",
)
for verb in (audit, probe, demo, check, init, report, show, ls, verify, dash, doctor):
    app.command()(verb)


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),  # noqa: FBT001 - typer
) -> None:
    """Audit a model through small proxies distilled from it, and say whether what they show holds for the model."""
    if version:
        from importlib import metadata

        typer.echo(metadata.version("kdaudit"))
        raise typer.Exit


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(code_of(list(sys.argv[1:] if arguments is None else arguments)))


def code_of(arguments: list[str]) -> int:
    """Run the command line and return its exit code.

    Errors are told in one sentence on standard error; a traceback stands only where ``KDAUDIT_DEBUG`` is set.
    """
    from kdaudit.errors import KdauditError

    try:
        code = app(arguments, standalone_mode=False)
    except typer.Exit as leaving:
        return leaving.exit_code
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("cancelled", err=True)
        return 3
    except KdauditError as error:
        _debug()
        typer.echo(f"kdaudit: {error}", err=True)
        return error.exit_code
    except BrokenPipeError:
        # whoever read our output went away, as `| head` does; nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the outermost place, where each fault gets its exit code
        return _usage(error) or _internal(error)
    return int(code or 0)


def _usage(error: Exception) -> int:
    """Show a fault in the use of the command line; return 2, or 0 if it is none."""
    # the parser's errors can show themselves; their class has moved between releases of its libraries
    show = getattr(error, "show", None)
    if show is None or not hasattr(error, "exit_code"):
        return 0
    show()
    return 2


def _internal(error: Exception) -> int:
    _debug()
    typer.echo(
        f"kdaudit: internal error, {type(error).__name__}: {error}. Set KDAUDIT_DEBUG=1 to see where; "
        "answers already given are on disk.",
        err=True,
    )
    return INTERNAL


def _debug() -> None:
    if os.environ.get("KDAUDIT_DEBUG"):
        import traceback

        traceback.print_exc()
