"""What every command shares: the workspace, the output for people or machines, the exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeGuard, TypeVar

import click

from assent.cli.flags import read_state
from assent.cli.pages import with_pages
from assent.errors import AssentError, ExitCode, IdleError, OutsideError

if TYPE_CHECKING:
    from assent.cli.published import Published
    from assent.workspace import Workspace

R = TypeVar("R")
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


def guarded(call: Callable[[], object]) -> NoReturn:
    """Run the command line, and turn every way it can end into an exit code and a message."""
    try:
        _guarded(call)
    except KeyboardInterrupt:  # again, while an end was being told
        sys.exit(INTERRUPTED)
    finally:
        _let_interrupts_end_it()


def _guarded(call: Callable[[], object]) -> NoReturn:
    try:
        signal.signal(signal.SIGTERM, _terminated)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see `assent.__main__`
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = call()
        sys.exit(code if isinstance(code, int) else ExitCode.DONE)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        # No verb at all: its list is the answer, but a job that names none has done nothing.
        click.echo(error.ctx.get_help(), err=True)
        sys.exit(ExitCode.USAGE)
    except click.ClickException as error:
        if _wants_json():
            _say_as_json("reading the command line", error.format_message(), None, ExitCode.USAGE)
        _show_usage(error)
        _annotate("reading the command line", error.format_message())
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
            f"assent: this is a bug in Assent: {_shown(f'{type(error).__name__}: {error}')}\n"
            "  hint: run it again with ASSENT_TRACEBACK=1 and report what it prints",
            err=True,
        )
        sys.exit(ExitCode.BUG)


def colour() -> bool | None:
    """Whether there are colours: none where somebody has asked for none (https://no-color.org), and
    where the terminal knows none; else as Click has it, which is in a terminal alone.
    """
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return False if is_plain else None


def fail(error: AssentError) -> NoReturn:
    """Say what was being done, what went wrong and what to do next, and exit."""
    hint = None if error.hint is None else with_pages(error.hint)
    if _wants_json():
        _say_as_json(error.doing, error.problem, hint, error.exit_code)
    click.echo(f"assent: {_shown(str(error))}", err=True)
    if hint:
        click.echo(f"  hint: {_shown(hint)}", err=True)
    _annotate(error.doing, f"{error.problem}{f' → {hint}' if hint else ''}")
    sys.exit(error.exit_code)


def _show_usage(error: click.ClickException) -> None:
    """As Click shows it, with what was given made visible: in CI it can come from a form."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        click.echo(
            f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n", err=True
        )
    click.echo(f"Error: {_shown(error.format_message())}", err=True)


def _shown(text: str) -> str:
    """`text` on one line, every character visible, and no command to the CI's log."""
    from assent.ci.outputs import inert
    from assent.report.escape import visible

    return inert(visible(text))


def _annotate(doing: str, problem: str) -> None:
    """Show an error beside the run, where the log can."""
    if _is_step():
        from assent.ci.outputs import annotation
        from assent.report.escape import visible

        click.echo(annotation("error", f"assent: {visible(doing)}", visible(problem)), err=True)


def _is_step() -> bool:
    from assent.ci.outputs import is_step

    return is_step(os.environ)


def _say_as_json(doing: str, problem: str, hint: str | None, exit_code: int) -> None:
    import msgspec

    from assent.ci.outputs import inert_json

    error = {"doing": doing, "problem": problem, "hint": hint, "exit_code": int(exit_code)}
    click.echo(inert_json(msgspec.json.encode({"error": error}).decode()))


class Judged(Protocol):
    """A result that says by which code it is told."""

    @property
    def exit_code(self) -> int:
        """0 if all is well."""


def open_workspace(config: Path | None, *, is_silent: bool = False) -> Workspace:
    """The workspace around the current folder. With `is_silent`, progress is told to nobody."""
    from assent.wiring import open_workspace as open_at

    told = (lambda _: None) if is_silent else say
    return open_at(Path.cwd(), environ=os.environ, now=datetime.now(UTC), say=told, file=config)


def say(text: str) -> None:
    """Progress, for the person who waits: on standard error."""
    click.echo(_shown(text), err=True)


@contextmanager
def own_output(as_json: bool) -> Iterator[int | None]:
    """Where the team's own commands write their output: a file descriptor, None for as it is.

    It must not mix with the JSON on standard output. Where the runner reads commands from what is
    printed, in order only within one stream, both streams go to standard error, between two lines
    that only Assent can write, and the commands are not told of the files that outputs and
    variables are written to. In the CI of a forge they are not told of the tokens that Assent acts
    with. Whoever needs those here has read them when the workspace was opened. A token that every
    job has is theirs as well: they fetch packages and data with it.
    """
    from assent.ci.environment import hidden_tokens
    from assent.ci.outputs import STEP_FILES, new_token, resume, stop

    tokens = hidden_tokens(os.environ)
    if not _is_step():
        with _hidden(tokens):
            yield sys.stderr.fileno() if as_json else None
        return

    token = new_token()
    with _hidden((*STEP_FILES, *tokens)):
        click.echo(stop(token), err=True)
        try:
            yield sys.stderr.fileno()
        finally:
            click.echo(resume(token), err=True)


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def idle(exit_zero: bool) -> Iterator[None]:
    """With `exit_zero`, that there is nothing to judge is said and is no failure."""
    try:
        yield
    except IdleError as error:
        if not exit_zero:
            raise
        click.echo(f"nothing to judge: {_shown(str(error))}", err=True)
        sys.exit(ExitCode.DONE)


def finish(
    result: R,
    as_json: bool,
    show: Callable[[R], None],
    publish: Callable[[R], Published] | None = None,
    *,
    exit_zero: bool = False,
) -> NoReturn:
    """Print a result for machines or for people, publish it in CI, and exit with its code.

    With `exit_zero` the verdict is in what was published and not in the exit code.
    """
    try:
        if as_json:
            import msgspec

            from assent.ci.outputs import inert_json

            click.echo(inert_json(msgspec.json.encode(result, enc_hook=str).decode()))
        else:
            show(result)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough; the verdict stands all the same
        _ignore_output()
    if publish is not None:
        _publish(result, publish)
    if _is_judged(result) and not exit_zero:
        sys.exit(result.exit_code)
    sys.exit(ExitCode.DONE)


def _is_judged(result: object) -> TypeGuard[Judged]:
    """Without `isinstance`, for which newer Pythons import more than a short verb does."""
    return hasattr(result, "exit_code")


def _publish(result: R, published: Callable[[R], Published]) -> None:
    if not _is_step() and not os.environ.get("ASSENT_REPORTS"):
        return
    from assent.ci.environment import read_channel
    from assent.cli.published import publish

    channel = read_channel(os.environ)
    if channel is not None:
        publish(published(result), channel, lambda line: click.echo(line, err=True))


def _ignore_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _wants_json() -> bool:
    if "--json" in sys.argv[1:]:
        return True
    verb = sys.argv[1].upper() if len(sys.argv) > 1 else ""
    return read_state(os.environ.get(f"ASSENT_{verb}_JSON", "")) is True


def _let_interrupts_end_it() -> None:
    """From here on there is nothing to tell any more, and to stop is all that is left to do."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(sign) is not signal.SIG_IGN:
            signal.signal(sign, signal.SIG_DFL)


def _terminated(signum: int, frame: FrameType | None) -> None:
    """A polite end, as for Ctrl-C: the team's own command is stopped with us."""
    del signum, frame
    raise KeyboardInterrupt
