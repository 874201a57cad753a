"""Comments in the conversation of a pull request, and reactions to them."""

from __future__ import annotations

from datetime import datetime

from tests.github.accounts import ROLES
from tests.github.pulls import Comment
from tests.github.routing import Call, RefusedError, answers, found
from tests.github.shapes import people, pulls
from tests.github.shapes.addresses import stamp
from tests.standin.listening import Answer

LONGEST = 65_536


@answers("issues/list-comments", "issues", "pull_requests")
def every(call: Call) -> Answer:
    comments = call.pull().comments
    if since := call.query.get("since"):
        comments = [one for one in comments if one.updated_at >= datetime.fromisoformat(since)]
    return call.page(comments, lambda one: pulls.comment(call.where, one))


@answers("issues/list-events", "issues", "pull_requests")
def its_events(call: Call) -> Answer:
    return call.page(call.pull().events, lambda one: pulls.event(call.where, call.repository, one))


@answers("issues/get-comment", "issues", "pull_requests")
def one(call: Call) -> Answer:
    return Answer(pulls.comment(call.where, _comment(call)))


@answers("issues/create-comment", "issues", "pull_requests", level="write")
def create(call: Call) -> Answer:
    pull = call.pull()
    comment = pull.comment(call.account, _text(call))
    return Answer(pulls.comment(call.where, comment), 201)


@answers("issues/update-comment", "issues", "pull_requests", level="write")
def update(call: Call) -> Answer:
    """Whoever may write here may edit what others wrote."""
    comment = _comment(call)
    is_own = comment.author.id == call.account.id
    role = call.repository.built_in_role(call.account)
    may_edit = call.token.kind == "installation" or ROLES.index(role) >= ROLES.index("write")
    if not (is_own or may_edit):
        raise RefusedError(403, "Must have write rights to Repository.")
    comment.edit(_text(call))
    return Answer(pulls.comment(call.where, comment))


@answers("reactions/create-for-issue-comment", "issues", "pull_requests", level="write")
def react(call: Call) -> Answer:
    """The same reaction twice is one."""
    comment = _comment(call)
    content = call.body["content"]
    same = [one for one in comment.reactions if one[1:] == (call.account, content)]
    reaction = same[0] if same else (call.github.next_id(), call.account, content)
    if not same:
        comment.reactions.append(reaction)
    shown = {
        "id": reaction[0],
        "node_id": f"REA_{reaction[0]}",
        "user": people.user(call.where, call.account),
        "content": content,
        "created_at": stamp(call.github.now),
    }
    return Answer(shown, 200 if same else 201)


def _comment(call: Call) -> Comment:
    return found(call.repository.comment(call.number("comment_id")))


def _text(call: Call) -> str:
    text = str(call.body["body"])
    if not text.strip():
        raise RefusedError(422, "Validation Failed", errors=["body can't be blank"])
    if len(text) > LONGEST:
        said = f"body is too long (maximum is {LONGEST} characters)"
        raise RefusedError(422, "Validation Failed", errors=[said])
    return text
