"""Notes of merge requests. GitLab takes its own quick actions out of them, and obeys."""

from __future__ import annotations

import re

from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.records import Note
from tests.gitlab.routing import Call, RefusedError, answers, found, ordered
from tests.gitlab.shapes import merge_requests
from tests.standin.listening import Answer

LONGEST = 1_000_000
QUICK = re.compile(
    r"/(approve|unapprove|merge|close|reopen|assign|unassign|reviewer|assign_reviewer|label|"
    r"unlabel|milestone|draft|ready|rebase|target_branch|title|lock|unlock|todo|subscribe|"
    r"unsubscribe|react|estimate|spend|submit_review|request_review|request_changes|tableflip|"
    r"shrug|copy_metadata|confidential|done)(\s.*)?"
)


@answers("notes/list", "reporter", is_for_jobs=True)
def every(call: Call) -> Answer:
    """Newest first, unless asked otherwise."""
    wanted = call.text("activity_filter", "all_notes")
    by = call.text("order_by", "created_at")
    chosen = [
        one
        for one in call.merge_request().notes
        if _is_shown(call, one)
        and (wanted == "all_notes" or one.is_system == (wanted == "only_activity"))
    ]
    newest = ordered(call, chosen, lambda one: (getattr(one, by), one.id), "desc")
    return call.page(newest, lambda one: merge_requests.note(call.where, one))


@answers("notes/get", "reporter", is_for_jobs=True)
def one(call: Call) -> Answer:
    return Answer(merge_requests.note(call.where, _note(call)))


@answers("notes/create", "reporter")
def create(call: Call) -> Answer:
    change = call.merge_request()
    body, obeyed = _commands(_checked(call))
    for command in obeyed:
        _obey(call, change, command)
    if obeyed and not body.strip():
        shown = {"commands_changes": {}, "summary": [f"Applied {one}." for one in obeyed]}
        return Answer(shown, 202)
    made = change.note(call.person, body, internal=call.body.get("internal", False))
    return Answer(merge_requests.note(call.where, made), 201)


@answers("notes/update", "reporter")
def update(call: Call) -> Answer:
    """Quick actions are taken out of a changed note too."""
    note = _own(call)
    body, obeyed = _commands(_checked(call))
    for command in obeyed:
        _obey(call, note.merge_request, command)
    if body != note.body:
        note.edit(body)
    return Answer(merge_requests.note(call.where, note))


@answers("notes/delete", "reporter")
def delete(call: Call) -> Answer:
    _own(call).delete()
    return Answer(None, 204)


def _note(call: Call) -> Note:
    number = call.number("note_id")
    own = call.merge_request().notes
    return found(next((one for one in own if one.id == number and _is_shown(call, one)), None))


def _own(call: Call) -> Note:
    """One's own note; a maintainer may change those of others too."""
    note = _note(call)
    is_allowed = note.author is call.user or call.project.level(call.user) >= 40
    if note.is_system or not is_allowed:
        raise RefusedError(403, "403 Forbidden")
    return note


def _is_shown(call: Call, note: Note) -> bool:
    return not note.is_internal or call.project.level(call.user) >= 20


def _checked(call: Call) -> str:
    body: str = call.body["body"]
    if not body.strip():
        raise RefusedError(400, '400 Bad request - Note {:note=>["can\'t be blank"]}')
    if len(body) > LONGEST:
        said = f'{{:note=>["is too long (maximum is {LONGEST} characters)"]}}'
        raise RefusedError(400, f"400 Bad request - Note {said}")
    return body


def _commands(body: str) -> tuple[str, list[str]]:
    """The body without quick actions, and those. Blocks of code are left alone."""
    kept, obeyed, is_code = [], [], False
    for line in body.splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
        if not is_code and QUICK.fullmatch(line):
            obeyed.append(line.split()[0])
        else:
            kept.append(line)
    return ("\n".join(kept), obeyed) if obeyed else (body, [])


def _obey(call: Call, change: MergeRequest, command: str) -> None:
    change.commands.append(command)
    if command == "/approve":
        change.approve(call.person)
    elif command == "/unapprove":
        change.unapprove(call.person)
    elif command == "/close":
        change.close(call.person)
