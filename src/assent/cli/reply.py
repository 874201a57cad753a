"""The command `reply`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.published import Published
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.verbs.reply import ReplyResult, reply


@click.command()
@options.shared
def command(as_json: bool, config: Path | None) -> None:
    """Answer a slash command in a comment.

    The comment is the one that the CI run is about: /assent approve, /assent explain or
    /assent help. The answer says what the command means and whether an approval counts. Nothing
    is recorded: `approve` and `register` do that.

    \b
    Example:
      assent reply
      assent reply --json
    """
    finish(reply(open_workspace(config)), as_json, show, publish)


def show(result: ReplyResult) -> None:
    """The result for people."""
    if result.asked is None:
        output.line("nothing was asked: there is no new comment of a person with a command")
        return
    for answer in result.answers:
        about = "" if answer.model is None else f" {answer.model}"
        bundle = "" if answer.bundle is None else f" {short(answer.bundle)}"
        counts = {None: "", True: " counts", False: " does not count"}[answer.counts]
        why = f": {'; '.join(answer.why)}" if answer.why else ""
        output.line(f"{result.asked.by.login}: {answer.word}{about}{bundle}{counts}{why}")
    if result.address is not None:
        output.line(f"  answer   {result.address}")


def publish(result: ReplyResult) -> Published:
    """The result for later steps; the summary is the answer."""
    return Published(
        outputs={"comment": result.address or ""},
        summary=result.text or "Nothing was asked.",
    )
