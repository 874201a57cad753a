"""Git over HTTP as GitLab has it: a token is the password, and what it may do is asked anew."""

from __future__ import annotations

import base64
import binascii
import os
import re
import subprocess
from collections.abc import Mapping

from tests.gitlab.accounts import Token
from tests.gitlab.project import Project
from tests.gitlab.world import GitLab
from tests.standin.listening import Answer

PATH = re.compile(r"/(?P<project>.+?)\.git/(?P<rest>info/refs|git-upload-pack|git-receive-pack)")
READING, WRITING = {"read_repository", "write_repository", "api"}, {"write_repository", "api"}
REPORTER, DEVELOPER = 20, 30
DENIED = (
    "HTTP Basic: Access denied. If a password was provided for Git authentication, the password "
    "was incorrect or you're required to use a token instead of a password."
)
NO_PUSH = "You are not allowed to push code to this project."
HOOK = """\
#!/bin/sh
set -f
while read -r old new ref; do
  for pattern in $CLOSED; do
    case "$ref" in
      refs/heads/$pattern)
        echo "GitLab: You are not allowed to push code to protected branches on this project." >&2
        exit 1
        ;;
    esac
  done
done
"""


def answer(
    gitlab: GitLab, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Answer | None:
    """What Git gets; None if this is no address of a repository."""
    match = PATH.fullmatch(path)
    if match is None:
        return None
    project = next((one for one in gitlab.projects if one.full_name == match["project"]), None)
    is_push = "git-receive-pack" in path or query == "service=git-receive-pack"
    token = _token(gitlab, headers.get("authorization", ""))
    if token is None and not (project and project.is_public and not is_push):
        challenge = {"WWW-Authenticate": 'Basic realm="GitLab"', "Content-Type": "text/plain"}
        return Answer(DENIED.encode(), 401, challenge)
    user = token.user if token else None
    if project is None or not (project.is_public or project.level(user) >= 10):
        return _refused("The project you were looking for could not be found.", 404)
    if token is not None:
        problem = _problem(project, token, is_push=is_push)
        if problem:
            return _refused(problem, 403)
    return _served(project, token, method, match["rest"], query, headers, body)


def _token(gitlab: GitLab, header: str) -> Token | None:
    """The token of a request, if it still opens anything. The name does not matter, but that of a
    job's token does.
    """
    kind, _, value = header.partition(" ")
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    token = gitlab.tokens.get(secret)
    if kind.lower() != "basic" or token is None or token.is_revoked or token.is_expired:
        return None
    is_job = token.kind == "job"
    return token if is_job == (name == "gitlab-ci-token") else None


def _problem(project: Project, token: Token, *, is_push: bool) -> str:
    """Why a token may not do this; empty if it may."""
    level = project.level(token.user)
    if token.kind == "job":
        return NO_PUSH if is_push or level < REPORTER else ""
    enough = WRITING if is_push else READING
    if not enough & set(token.scopes):
        return (
            "Your token does not have the scope that Git needs: write_repository."
            if is_push
            else DENIED
        )
    return NO_PUSH if level < (DEVELOPER if is_push else REPORTER) else ""


def _refused(text: str, status: int) -> Answer:
    return Answer(f"{text}\n".encode(), status, {"Content-Type": "text/plain; charset=utf-8"})


def _served(
    project: Project,
    token: Token | None,
    method: str,
    rest: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    """Git's own CGI program answers: `git help http-backend`. A hook keeps protected branches."""
    hook = project.objects.folder / "hooks/pre-receive"
    if not hook.exists():
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK)
        hook.chmod(0o755)
    level = project.level(token.user if token else None)
    closed = [one.name for one in project.protected_branches if not 0 < one.push_level <= level]
    settings = {
        "http.receivepack": "true",
        "safe.directory": "*",
        "uploadpack.allowAnySHA1InWant": "true",
        "uploadpack.allowFilter": "true",
    }
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "CLOSED": " ".join(closed),
        "GIT_PROJECT_ROOT": str(project.objects.folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
        "PATH_INFO": f"/{rest}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": token.user.username if token else "",
        "REMOTE_ADDR": "127.0.0.1",
    }
    for number, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    done = subprocess.run(
        ["git", "http-backend"], input=body, env=env, capture_output=True, check=False
    )
    if done.returncode:
        return _refused(done.stderr.decode(errors="replace"), 500)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    found = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(found.pop("Status", "200 OK").split()[0])
    return Answer(content, status, found)
