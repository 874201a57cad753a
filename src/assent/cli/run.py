"""What every command shares: the workspace, the output for people or machines, the exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from assent.errors import AssentError, ExitCode, OutsideError

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


def guarded(call: Callable[[], object]) -> NoReturn:
    """Run the command line, and turn every way it can end into an exit code and a message."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = call()
        sys.exit(code if isinstance(code, int) else ExitCode.DONE)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        if _wants_json():
            _say_as_json("reading the command line", error.format_message(), None, ExitCode.USAGE)
        error.show()
        sys.exit(ExitCode.USAGE)
    except AssentError as error:
        fail(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("assent: interrupted; what was not finished was not recorded", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _ignore_output()
        sys.exit(ExitCode.DONE)
    except OSError as error:
        where = f"using {error.filename}" if error.filename else "using the file system"
        fail(OutsideError(where, error.strerror or str(error)))
    except Exception as error:
        if os.environ.get("ASSENT_TRACEBACK"):
            raise
        click.echo(
            f"assent: this is a bug in Assent: {type(error).__name__}: {error}\n"
            "  hint: run it again with ASSENT_TRACEBACK=1 and report what it prints",
            err=True,
        )
        sys.exit(ExitCode.BUG)


def fail(error: AssentError) -> NoReturn:
    """Say what was being done, what went wrong and what to do next, and exit."""
    from assent.report.escape import visible

    if _wants_json():
        _say_as_json(error.doing, error.problem, error.hint, error.exit_code)
    click.echo(f"assent: {visible(str(error))}", err=True)
    if error.hint:
        click.echo(f"  hint: {visible(error.hint)}", err=True)
    sys.exit(error.exit_code)


def _say_as_json(doing: str, problem: str, hint: str | None, exit_code: int) -> None:
    import msgspec

    said = {"doing": doing, "problem": problem, "hint": hint, "exit_code": int(exit_code)}
    click.echo(msgspec.json.encode({"error": said}).decode())


def open_workspace(config: Path | None) -> Any:
    """The workspace around the current folder."""
    from assent.wiring import open_workspace as open_at

    return open_at(Path.cwd(), environ=os.environ, now=datetime.now(UTC), say=say, file=config)


def say(text: str) -> None:
    """Progress, for the person who waits: on standard error."""
    from assent.report.escape import visible

    click.echo(visible(text), err=True)


def finish(result: Any, as_json: bool, show: Callable[[Any], None]) -> NoReturn:
    """Print a result for machines or for people, and exit with its code."""
    try:
        if as_json:
            import msgspec

            click.echo(msgspec.json.encode(result, enc_hook=str).decode())
        else:
            show(result)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough; the verdict stands all the same
        _ignore_output()
    sys.exit(getattr(result, "exit_code", ExitCode.DONE))


def _ignore_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _wants_json() -> bool:
    return "--json" in sys.argv[1:]


def _terminated(signum: int, frame: FrameType | None) -> None:
    """A polite end, as for Ctrl-C: the team's own command is stopped with us."""
    del signum, frame
    raise KeyboardInterrupt
