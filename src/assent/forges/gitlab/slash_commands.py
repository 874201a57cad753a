"""The note that woke a run up: what it asks, and our one answer to it."""

from __future__ import annotations

import msgspec

from assent.forges.commands import ApprovalCommand, commands
from assent.forges.gitlab.comments import Comments
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.reviews import Reviews
from assent.forges.gitlab.schemas import MergeRequest, Note
from assent.forges.gitlab.timestamps import timestamp
from assent.ports import Asked, Command


class SlashCommands:
    """Notes with slash commands in one project."""

    def __init__(self, remote: RemoteRepository, shown: Comments, reviews: Reviews) -> None:
        self._remote = remote
        self._shown = shown
        self._reviews = reviews

    def asked(self, number: int, request: MergeRequest) -> Asked | None:
        """What the note `number` asks, as the API has it; None if it asks nothing.

        An edited one is not heard, because others can edit it too; nor is one of a bot, which
        could be our own.
        """
        doing = f"reading the note {number}"
        path = self._remote.path("merge_requests", request.iid, "notes", number)
        note = self._remote.api.find(path, Note, doing=doing)
        if note is None or note.system or note.is_edited:
            return None
        found = commands(note.body)
        person = self._remote.actor(note.author)
        if person.kind != "person" or not found:
            return None
        at = timestamp(note.created_at, doing)
        return Asked(
            id=str(note.id),
            by=person,
            at=at,
            commands=tuple(self._resolved(one, at, request) for one in found),
        )

    def answer(self, asked: Asked, request: MergeRequest, text: str) -> str:
        """Post the answer on a merge request, unless it is there already; say where."""
        sign = f"<!-- assent:answer={asked.id} -->"
        return self._shown.say_once(request, sign, f"{sign}\n\n{text}")

    def _resolved(self, command: Command, at: str, request: MergeRequest) -> Command:
        """The command with the bundle that a typed digest meant, and where that was shown."""
        if command.model is None or command.typed is None:
            return command
        typed = ApprovalCommand(model=command.model, digest=command.typed)
        revisions = self._reviews.revisions(request)
        head, bundle = self._reviews.resolved(typed, at, request.iid, revisions)
        if bundle is None:
            return command
        return msgspec.structs.replace(command, bundle=bundle, head=head)
