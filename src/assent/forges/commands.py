"""Slash commands in a comment: what a person has typed to Assent, and nothing that was quoted.

A command is a whole line at the start of a paragraph. Whatever could make a line mean something
else to Markdown (a quotation, code, HTML, mathematics) ends or suspends the reading, so a command
that is read is one that everybody sees as plain text. In doubt there is none.
"""

from __future__ import annotations

import re

import msgspec

from assent.ports import Command, CommandName

PREFIX_DIGITS = 12
"""The fewest digits of a digest that name a bundle: as many as Assent shows."""

_MODEL = r"(?P<model>[a-z0-9][a-z0-9._-]{0,199})"
_COMMANDS = {
    CommandName.APPROVE: re.compile(
        rf"/assent approve {_MODEL} (?P<typed>sha256:[0-9a-f]{{{PREFIX_DIGITS},64}})[ \t]*"
    ),
    CommandName.EXPLAIN: re.compile(rf"/assent explain(?: {_MODEL})?[ \t]*"),
    CommandName.HELP: re.compile(r"/assent help[ \t]*"),
}
_UNKNOWN = re.compile(r"/assent(?:[ \t].*)?")
_QUOTED = re.compile(r" {0,3}>")
_OPAQUE = re.compile(r"\s*(?:```|~~~|<|\$\$)")


class ApprovalCommand(msgspec.Struct, frozen=True, kw_only=True):
    """`/assent approve <model> <digest>`. `digest` may be cut off after its first digits."""

    model: str
    digest: str


def approvals(body: str) -> tuple[ApprovalCommand, ...]:
    """The approvals that a comment gives, in the order of its lines."""
    return tuple(
        ApprovalCommand(model=command.model, digest=command.typed)
        for command in commands(body)
        if command.model is not None and command.typed is not None
    )


def commands(body: str) -> tuple[Command, ...]:
    """All commands of a comment, in the order of its lines. Whoever says anything else to Assent
    asks for help.
    """
    commands_read = []
    starts_paragraph = True
    is_quoted = False
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line.strip(" \t"):
            starts_paragraph, is_quoted = True, False
            continue
        if _OPAQUE.match(line):
            break  # it may go on over empty lines, and where it ends is a matter of opinion
        is_quoted = is_quoted or _QUOTED.match(line) is not None
        command = _command(line) if starts_paragraph and not is_quoted else None
        if command is not None:
            commands_read.append(command)
            continue
        if starts_paragraph and not is_quoted and _UNKNOWN.fullmatch(line):
            commands_read.append(Command(word=CommandName.HELP))
        starts_paragraph = False  # who knows what the line opens, such as code
    return tuple(commands_read)


def _command(line: str) -> Command | None:
    for word, form in _COMMANDS.items():
        match = form.fullmatch(line)
        if match is not None:
            groups = match.groupdict()
            return Command(word=word, model=groups.get("model"), typed=groups.get("typed"))
    return None
