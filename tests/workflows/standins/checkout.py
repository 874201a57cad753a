"""`actions/checkout` 7: the same commands of Git, so the same refs and the same configuration."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import uuid
from pathlib import Path

from tests.workflows.standins.toolkit import (
    call,
    fail,
    read_flag,
    read_input,
    refuse,
    say,
    workspace,
    write,
)

SHA = re.compile(r"[0-9a-fA-F]{40}")
TAGS = "+refs/tags/*:refs/tags/*"


def main() -> None:
    refuse("ssh-key", "sparse-checkout", "github-server-url")
    for name in ("lfs", "submodules"):
        if read_input(name) != "false":
            fail(f"the stand-in does not know {name}")
    place = (workspace() / read_input("path")).resolve()
    if not place.is_relative_to(workspace().resolve()):
        fail(f"Repository path '{place}' is not under '{workspace()}'")
    ref, sha = wanted()
    if not read_flag("allow-unsafe-pr-checkout"):
        check_that_it_is_safe(ref, sha)
    server = os.environ["GITHUB_SERVER_URL"]
    prepare(place, f"{server}/{read_input('repository')}")
    credentials = configure(place, server)
    ref = ref or ("" if sha else default_branch(place))
    fetch(place, ref, sha)
    call("git", "checkout", "--quiet", "--force", *start(place, ref, sha), cwd=place)
    if not read_flag("persist-credentials"):
        forget(place, credentials)
    write("STATE", "place", str(place))
    write("STATE", "credentials", str(credentials))
    write("OUTPUT", "ref", ref)
    write("OUTPUT", "commit", call("git", "log", "-1", "--format=%H", cwd=place))


def wanted() -> tuple[str, str]:
    """The ref and the SHA to check out; one of them may be empty, both for the default branch."""
    given = read_input("ref")
    if SHA.fullmatch(given):
        return "", given
    if given:
        return given, ""
    if read_input("repository").lower() == os.environ["GITHUB_REPOSITORY"].lower():
        return os.environ["GITHUB_REF"], os.environ["GITHUB_SHA"]
    return "", ""


def check_that_it_is_safe(ref: str, sha: str) -> None:
    """Since 7.0.0 code of a fork is refused where a workflow has the rights of the repository."""
    name = os.environ["GITHUB_EVENT_NAME"]
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text())
    if name == "pull_request_target":
        change = event.get("pull_request", {})
        head = change.get("head", {}).get("repo") or {}
        known = {change.get("head", {}).get("sha"), change.get("merge_commit_sha")}
    elif name == "workflow_run":
        run = event.get("workflow_run", {})
        if not str(run.get("event")).startswith("pull_request"):
            return
        head = run.get("head_repository") or {}
        known = {(run.get("head_commit") or {}).get("id"), run.get("head_sha")}
    else:
        return
    if head.get("id") in (None, event.get("repository", {}).get("id")):
        return
    is_fork = read_input("repository").lower() == str(head.get("full_name")).lower()
    is_pull = re.fullmatch(r"refs/pull/[0-9]+/(head|merge)", ref) is not None
    if is_fork or is_pull or (sha and sha.lower() in known):
        fail(f"Refusing to check out fork pull request code from a '{name}' workflow.")


def prepare(place: Path, address: str) -> None:
    """A repository with nothing but its remote; one of an earlier step is used again."""
    place.mkdir(parents=True, exist_ok=True)
    if (place / ".git").is_dir():
        known = call("git", "config", "--local", "--get", "remote.origin.url", cwd=place)
        if known == address:
            if read_flag("clean"):
                call("git", "clean", "-ffdx", cwd=place)
                call("git", "reset", "--hard", "HEAD", cwd=place)
            return
    for found in place.iterdir():
        shutil.rmtree(found) if found.is_dir() and not found.is_symlink() else found.unlink()
    call("git", "-c", "init.defaultBranch=main", "init", "--quiet", place)
    call("git", "remote", "add", "origin", address, cwd=place)
    call("git", "config", "--local", "gc.auto", "0", cwd=place)


def configure(place: Path, server: str) -> Path:
    """The token lies in a file outside of the workspace, which the configuration includes."""
    secret = base64.b64encode(f"x-access-token:{read_input('token')}".encode()).decode()
    say(f"::add-mask::{secret}")
    path = Path(os.environ["RUNNER_TEMP"]) / f"git-credentials-{uuid.uuid4()}.config"
    header = f"http.{server}/.extraheader"
    call("git", "config", "--file", path, header, f"AUTHORIZATION: basic {secret}")
    call("git", "config", "--local", f"includeIf.gitdir:{place}/.git.path", path, cwd=place)
    return path


def forget(place: Path, credentials: Path) -> None:
    credentials.unlink(missing_ok=True)
    call(
        "git", "config", "--local", "--unset-all", f"includeIf.gitdir:{place}/.git.path", cwd=place
    )


def default_branch(place: Path) -> str:
    answer = call("git", "ls-remote", "--symref", "origin", "HEAD", cwd=place)
    found = re.search(r"^ref: (\S+)\tHEAD$", answer, re.MULTILINE)
    return found[1] if found else fail("the default branch cannot be determined")


def fetch(place: Path, ref: str, sha: str) -> None:
    command = ["git", "-c", "protocol.version=2", "fetch", "--no-tags", "--prune"]
    command.append("--no-recurse-submodules")
    if read_input("filter"):
        command.append(f"--filter={read_input('filter')}")
    depth = int(read_input("fetch-depth"))
    if depth > 0:
        tags = [TAGS] if read_flag("fetch-tags") else []
        names = [one for one in refspecs(ref, sha) if not (tags and ":refs/tags/" in one)]
        call(*command, f"--depth={depth}", "origin", *tags, *names, cwd=place)
    else:
        if (place / ".git/shallow").exists():
            command.append("--unshallow")
        pull = refspecs(ref, sha) if ref.startswith("refs/pull/") else []
        call(*command, "origin", "+refs/heads/*:refs/remotes/origin/*", TAGS, *pull, cwd=place)
        if not is_there(place, ref, sha):
            call(*command, "origin", *refspecs(ref, sha), cwd=place)
    if not is_there(place, ref, sha):
        fail(f"The ref '{ref}' does not point to the expected commit '{sha}'.")


def refspecs(ref: str, sha: str) -> list[str]:
    if ref.startswith("refs/heads/"):
        return [f"+{sha or ref}:refs/remotes/origin/{ref.removeprefix('refs/heads/')}"]
    if ref.startswith("refs/pull/"):
        return [f"+{sha or ref}:refs/remotes/pull/{ref.removeprefix('refs/pull/')}"]
    if ref.startswith("refs/tags/"):
        return [f"+{ref}:{ref}"]
    if sha:
        return [sha]
    if ref.startswith("refs/"):
        return [f"+{ref}:{ref}"]
    heads = f"+refs/heads/{ref}*:refs/remotes/origin/{ref}*"
    return [heads, f"+refs/tags/{ref}*:refs/tags/{ref}*"]


def is_there(place: Path, ref: str, sha: str) -> bool:
    """Whether the fetch has brought what was asked for."""
    if not sha or ref.startswith("refs/pull/"):
        return True
    if ref.startswith("refs/heads/"):
        return resolve(place, f"refs/remotes/origin/{ref.removeprefix('refs/heads/')}") == sha
    if ref.startswith("refs/tags/"):
        return resolve(place, f"{ref}^{{commit}}") == sha
    return resolve(place, f"{sha}^{{commit}}") == sha


def resolve(place: Path, name: str) -> str:
    command = ["git", "rev-parse", "--quiet", "--verify", name]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def start(place: Path, ref: str, sha: str) -> list[str]:
    """The arguments of `git checkout`: a branch of its own, or a detached head."""
    if not ref:
        return [sha]
    if ref.startswith("refs/pull/"):
        return [f"refs/remotes/pull/{ref.removeprefix('refs/pull/')}"]
    branch = ref.removeprefix("refs/heads/")
    if branch.startswith("refs/"):
        return [ref if ref.startswith("refs/tags/") else sha or ref]
    if resolve(place, f"refs/remotes/origin/{branch}"):
        return ["-B", branch, f"refs/remotes/origin/{branch}"]
    if ref == branch and resolve(place, f"refs/tags/{ref}"):
        return [f"refs/tags/{ref}"]
    fail(f"A branch or tag with the name '{ref}' could not be found")


if __name__ == "__main__":
    main()
