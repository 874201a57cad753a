"""Who pushed a merge request, and for whom an agent opened it, as far as GitLab tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from assent.core.change import Author
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import Event, MergeRequest, Note
from assent.forges.http_retries import RefusedError
from assent.forges.makers import Push, author

MOST_EVENTS = 2000
"""How many of a project's newest pushes are looked at for those of one branch."""
MOST_BEFORE = 300
"""How many older ones than the first of a branch are, for an earlier branch of its name."""
MOST_OF_BRANCH = 100
"""How many of the newest pushes to the default branch are enough."""
_AGENTS = ("duo-", "duo_", "gitlabduo", "amazon-q")
"""How the logins of coding agents begin. Whoever is assigned to what they open asked for it."""
_ASKS = re.compile(r"(?:assigned to|requested review from) (?P<who>@.+)")
_LOGIN = re.compile(r"@([A-Za-z0-9_][A-Za-z0-9_.-]*)")


def read_pushes(remote: RemoteRepository, request: MergeRequest) -> list[Push] | None:
    """The pushes to the branch of a merge request, and to an earlier one of this name that was
    deleted shortly before, oldest first, as far as they are among the project's newest; None where
    GitLab does not tell, as of a fork that the token does not see.
    """
    source = request.source
    if source is None:
        return None
    pushes: list[Push] = []
    is_earlier, new = False, None
    events = remote.api.pages(
        f"/projects/{source}/events",
        Event,
        doing=f"asking who pushed {request.source_branch}",
        parameters={"action": "pushed"},
    )
    try:
        for place, event in enumerate(islice(events, MOST_EVENTS)):
            if new is not None and place > new + MOST_BEFORE:
                break
            data = event.push_data
            if data is None or (data.ref_type, data.ref) != ("branch", request.source_branch):
                continue
            if data.commit_to is None:
                is_earlier = bool(pushes)  # else it was deleted after the merge
                continue
            by = remote.actor(event.author)
            pushes.append(
                Push(by=by, before=data.commit_from, after=data.commit_to, is_earlier=is_earlier)
            )
            if data.commit_from is None:
                is_earlier, new = True, place if new is None else new
    except RefusedError as error:
        if error.status in (401, 403, 404):
            return None
        raise
    return pushes[::-1]


def pushes_to(remote: RemoteRepository, branch: str) -> list[Push]:
    """The newest pushes to a branch of this project, newest first, as far as they are among the
    newest ones of the project; none where GitLab does not tell. It counts a merge as a push of
    whoever pressed the button.
    """
    events = remote.api.pages(
        remote.path("events"),
        Event,
        doing=f"asking who pushed {branch}",
        parameters={"action": "pushed"},
    )
    pushes: list[Push] = []
    try:
        for event in islice(events, MOST_EVENTS):
            data = event.push_data
            if data is None or (data.ref_type, data.ref) != ("branch", branch):
                continue
            if data.commit_to is not None:
                by = remote.actor(event.author)
                pushes.append(Push(by=by, before=data.commit_from, after=data.commit_to))
            if len(pushes) == MOST_OF_BRANCH:
                break
    except RefusedError as error:
        if error.status in (401, 403, 404):
            return []
        raise
    return pushes


def asked_for_by(remote: RemoteRepository, request: MergeRequest) -> list[Author]:
    """For whom an automation has opened a merge request: whom it has assigned, or asked for a
    review, as GitLab's own notes say, and for a coding agent whoever is assigned. Nobody for a
    person's own.
    """
    opener = request.opener
    if opener is None or remote.actor(opener).kind == "person":
        return []
    path = remote.path("merge_requests", request.number, "notes")
    doing = f"reading the notes of merge request {request.number}"
    users = [
        remote.account(login, doing=doing)
        for login in _asked_in(list(remote.api.pages(path, Note, doing=doing)), opener.id)
    ]
    if opener.username.lower().startswith(_AGENTS):
        users += request.assignees
    people = {actor.key: actor for actor in map(remote.actor, users) if actor.kind == "person"}
    return [author(person) for person in people.values()]


def _asked_in(notes: Sequence[Note], opener: int) -> list[str]:
    matches = [
        _ASKS.fullmatch(note.body.strip())
        for note in notes
        if note.is_of_forge and note.by is not None and note.by.id == opener
    ]
    return list(
        dict.fromkeys(login for match in matches if match for login in _LOGIN.findall(match["who"]))
    )
