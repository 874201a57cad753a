"""GraphQL: the one mutation that the REST API does not have, `minimizeComment`."""

from __future__ import annotations

import re
from typing import Any

from tests.github.accounts import ROLES, Token
from tests.github.pulls import Comment
from tests.github.world import GitHub
from tests.standin.listening import Answer

MUTATION = re.compile(
    r"\s*mutation\s*\w*\s*\(\s*\$(?P<variable>\w+)\s*:\s*MinimizeCommentInput!\s*\)\s*\{\s*"
    r"minimizeComment\s*\(\s*input\s*:\s*\$(?P=variable)\s*\)\s*\{(?P<wanted>[\s\w{}]*)\}\s*\}\s*"
)
CLASSIFIERS = {"ABUSE", "DUPLICATE", "LOW_QUALITY", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM"}
FIELDS = {"clientMutationId", "minimizedComment", "isMinimized", "minimizedReason"}


def answer(github: GitHub, token: Token, sent: Any) -> tuple[Answer, str | None]:
    """The answer, and what is wrong with the request if it is not the mutation we know."""
    match = MUTATION.fullmatch(sent.get("query", "")) if isinstance(sent, dict) else None
    if match is None:
        return _error("PARSE_ERROR", "unexpected"), "not the mutation minimizeComment"
    given = (sent.get("variables") or {}).get(match["variable"], {})
    unknown = set(given) - {"subjectId", "classifier", "clientMutationId"}
    unknown |= set(re.findall(r"\w+", match["wanted"])) - FIELDS
    if unknown or given.get("classifier") not in CLASSIFIERS or "subjectId" not in given:
        return _error("INVALID", "invalid input"), f"invalid input or unknown fields: {given}"
    comment = _comment(github, given["subjectId"])
    if comment is None:
        said = f"Could not resolve to a node with the global id of '{given['subjectId']}'"
        return _error("NOT_FOUND", said), None
    role = comment.pull.repository.built_in_role(token.account)
    may_write = token.may("pull_requests", "write") or token.may("issues", "write")
    is_own = comment.author.id == token.account.id
    if token.kind != "installation" and not is_own:
        may_write = may_write and ROLES.index(role) >= ROLES.index("write")
    if not may_write:
        return _error("FORBIDDEN", "Resource not accessible by integration"), None
    comment.is_minimized = True
    shown: dict[str, object] = {"isMinimized": True}
    if "minimizedReason" in match["wanted"]:
        shown["minimizedReason"] = given["classifier"].lower()
    return Answer({"data": {"minimizeComment": {"minimizedComment": shown}}}), None


def _comment(github: GitHub, node: str) -> Comment | None:
    every = (one for pull in github.repository.pulls for one in pull.comments)
    return next((one for one in every if one.node_id == node), None)


def _error(kind: str, said: str) -> Answer:
    """GraphQL says no with status 200."""
    failed = {"type": kind, "path": ["minimizeComment"], "message": said}
    return Answer({"data": {"minimizeComment": None}, "errors": [failed]})
