"""Who pushed a pull request, and for whom an agent opened it, as far as GitHub tells."""

from __future__ import annotations

from itertools import islice

import msgspec

from assent.core.change import Author
from assent.forges.github.api import RefusedError, segment
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Activity, Pull, PullEvent
from assent.forges.makers import Push, author
from assent.forges.remote.commits import Account

AGENTS = frozenset(
    {
        "copilot",
        "copilot-swe-agent[bot]",
        "claude[bot]",
        "chatgpt-codex-connector[bot]",
        "cursor[bot]",
        "devin-ai-integration[bot]",
        "google-labs-jules[bot]",
    }
)
"""Logins of coding agents, in lower case. Whoever is assigned to what they open asked for it."""
MOST_PUSHES = 300
"""How many of the newest pushes to the default branch are looked at."""
_MERGES = ("pr_merge", "merge_queue_merge")
_NONE = "0" * 40


def read_pushes(remote: RemoteRepository, pull: Pull) -> list[Push] | None:
    """Every push to the branch of a pull request, and to earlier ones of this name, oldest first;
    None where GitHub does not tell: on an older server, or of a fork that the token does not see.
    """
    source = pull.head.repo
    if source is None or "/" not in source.full_name:
        return None
    owner, _, name = source.full_name.partition("/")
    try:
        activities = list(
            remote.api.pages(
                "/".join(["/repos", segment(owner), segment(name), "activity"]),
                Activity,
                doing=f"asking who pushed {pull.head.ref}",
                parameters={"ref": f"refs/heads/{pull.head.ref}"},
            )
        )
    except RefusedError as error:
        if error.status in (403, 404, 422):
            return None
        raise
    pushes: list[Push] = []
    for activity in sorted(activities, key=lambda activity: activity.id):
        if activity.before == _NONE:
            pushes = [msgspec.structs.replace(each, is_earlier=True) for each in pushes]
        if activity.after != _NONE:
            before = None if activity.before == _NONE else activity.before
            pushes.append(
                Push(by=remote.actor(activity.actor), before=before, after=activity.after)
            )
    return pushes


def pushes_to(remote: RemoteRepository, branch: str) -> list[Push]:
    """The newest pushes to a branch of this repository, newest first; none where GitHub does not
    tell.
    """
    pages = remote.api.pages(
        remote.path("activity"),
        Activity,
        doing=f"asking who pushed {branch}",
        parameters={"ref": f"refs/heads/{branch}"},
    )
    try:
        activities = list(islice(pages, MOST_PUSHES))
    except RefusedError as error:
        if error.status in (403, 404, 422):
            return []
        raise
    return [
        Push(
            by=remote.actor(activity.actor),
            before=None if activity.before == _NONE else activity.before,
            after=activity.after,
            is_merge=activity.activity_type in _MERGES,
        )
        for activity in activities
        if activity.after != _NONE
    ]


def asked_for_by(remote: RemoteRepository, pull: Pull) -> list[Author]:
    """For whom an automation has opened a pull request: whom it has assigned, or asked for a
    review, and for a coding agent whoever is assigned. Nobody for a person's own.
    """
    opener = pull.opener
    if opener is None or remote.actor(opener).kind == "person":
        return []
    path = remote.path("issues", pull.number, "events")
    doing = f"reading the events of pull request {pull.number}"
    is_agent = opener.login.lower() in AGENTS
    accounts = [
        _about(event, opener, is_agent=is_agent)
        for event in remote.api.pages(path, PullEvent, doing=doing)
    ]
    actors = [remote.actor(account) for account in accounts if account is not None]
    people = {actor.key: actor for actor in actors if actor.kind == "person"}
    return [author(person) for person in people.values()]


def _about(event: PullEvent, opener: Account, *, is_agent: bool) -> Account | None:
    is_own = event.actor is not None and event.actor.id == opener.id
    if event.event == "assigned" and (is_own or is_agent):
        return event.assignee
    return event.requested_reviewer if event.event == "review_requested" and is_own else None
