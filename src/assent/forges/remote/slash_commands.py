"""The message that woke a run up: what it asks, and our one answer to it."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from assent.forges.commands import ApprovalCommand, commands
from assent.forges.remote.comments import RemoteComments
from assent.forges.remote.repository import Message, Remote, Request
from assent.forges.remote.reviews import RemoteReviews
from assent.ports import Asked, Command

R = TypeVar("R", bound=Request)
M = TypeVar("M", bound=Message)


class SlashCommands(Generic[R, M]):
    """Messages with slash commands in one repository."""

    def __init__(
        self, remote: Remote, shown: RemoteComments[R, M], reviews: RemoteReviews[R, M]
    ) -> None:
        self._remote = remote
        self._shown = shown
        self._reviews = reviews

    def asked(self, number: int, request: R) -> Asked | None:
        """What the message `number` asks, as the API has it; None if it asks nothing.

        An edited one is not heard, because others can edit it too; nor is one of a bot, which
        could be our own.
        """
        doing = f"reading the {self._remote.dialect.message} {number}"
        message = self._shown.find(request, number, doing=doing)
        if message is None or message.is_of_forge or message.is_edited:
            return None
        typed = commands(message.text)
        person = self._remote.actor(message.by)
        if person.kind != "person" or not typed:
            return None
        at = self._shown.timestamp(message.created_at, doing)
        return Asked(
            id=str(message.id),
            by=person,
            at=at,
            commands=tuple(self._resolved(command, at, request) for command in typed),
        )

    def answer(self, asked: Asked, request: R, text: str) -> str:
        """Post the answer on a request, unless it is there already; say where."""
        sign = f"<!-- assent:answer={asked.id} -->"
        return self._shown.say_once(request, sign, f"{sign}\n\n{text}")

    def _resolved(self, command: Command, at: str, request: R) -> Command:
        """The command with the bundle that a typed digest meant, and where that was shown."""
        if command.model is None or command.typed is None:
            return command
        typed = ApprovalCommand(model=command.model, digest=command.typed)
        revisions = self._reviews.revisions(request)
        head, bundle = self._reviews.resolved(typed, at, request.number, revisions)
        if bundle is None:
            return command
        return msgspec.structs.replace(command, bundle=bundle, head=head)
