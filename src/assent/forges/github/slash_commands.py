"""The comment that woke a run up: what it asks, and our one answer to it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from assent.errors import UsageError
from assent.forges.commands import ApprovalCommand, commands
from assent.forges.github.comments import Comments
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.reviews import Reviews
from assent.forges.github.schemas import Comment, Commit, Pull
from assent.ports import Asked, Command

MOST_REVISIONS = 20
"""At how many earlier revisions it is looked up what a typed digest may have meant."""


class SlashCommands:
    """Comments with slash commands in one repository."""

    def __init__(self, remote: RemoteRepository, shown: Comments, reviews: Reviews) -> None:
        self._remote = remote
        self._shown = shown
        self._reviews = reviews

    def asked(self, number: int, pull: Pull) -> Asked | None:
        """What the comment `number` asks, as the API has it; None if it asks nothing.

        An edited one is not heard, because others can edit it too; nor is one of a bot, which
        could be our own.
        """
        doing = f"reading the comment {number}"
        path = self._remote.path("issues", "comments", number)
        comment = self._remote.api.find(path, Comment, doing=doing)
        if comment is None or comment.is_edited:
            return None
        if not comment.issue_url.endswith(f"/issues/{pull.number}"):
            raise UsageError(
                doing,
                f"it is no comment on pull request {pull.number}",
                hint="does GITHUB_EVENT_PATH name the event of this run?",
            )
        person = self._remote.actor(comment.user)
        found = commands(comment.body or "")
        if person.kind != "person" or not found:
            return None
        return Asked(
            id=str(comment.id),
            by=person,
            at=comment.created_at,
            commands=tuple(self._resolved(one, comment, pull) for one in found),
        )

    def answer(self, asked: Asked, number: int, text: str) -> str:
        """Post the answer on a pull request, unless it is there already; say where."""
        sign = f"<!-- assent:answer={asked.id} -->"
        return self._shown.say_once(number, sign, f"{sign}\n\n{text}")

    def _resolved(self, command: Command, comment: Comment, pull: Pull) -> Command:
        """The command with the bundle that a typed digest meant, and where that was shown."""
        if command.model is None or command.typed is None:
            return command
        typed = ApprovalCommand(model=command.model, digest=command.typed)
        head, bundle = self._reviews.resolved(
            typed, comment.created_at, pull.number, self._revisions(pull)
        )
        if bundle is None:
            return command
        return msgspec.structs.replace(command, bundle=bundle, head=head)

    def _revisions(self, pull: Pull) -> Iterator[str]:
        """The head, which alone is reviewed, then earlier ones, newest first: what was typed for
        one of those is to be told so.
        """
        yield pull.head.sha
        path = self._remote.path("pulls", pull.number, "commits")
        doing = f"reading the commits of pull request {pull.number}"
        found = [one.sha for one in self._remote.api.pages(path, Commit, doing=doing)]
        yield from islice((sha for sha in reversed(found) if sha != pull.head.sha), MOST_REVISIONS)
