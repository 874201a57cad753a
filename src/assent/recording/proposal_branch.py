"""A branch of Assent's own with one commit: made beside the working tree, and pushed over nothing
but what Assent itself has pushed.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from assent.errors import OutsideError, PolicyError
from assent.git import GitError, Repository, refusal
from assent.ports import CommitAuthor


def tip(repository: Repository, remote: str | None, branch: str) -> str | None:
    """The newest commit of a branch as the remote (None: this repository) has it now. It is
    fetched if it is not here.
    """
    ref = f"refs/heads/{branch}"
    if remote is None:
        return repository.resolve(ref)
    shown = repository.remotely(
        "ls-remote", remote, ref, doing=f"looking for the branch {branch} of {remote}"
    )
    # Git also lists references whose names only end in this one.
    tips = {name: oid for oid, _, name in (line.partition("\t") for line in shown.splitlines())}
    if ref in tips:
        repository.bring(remote, tips[ref])
    return tips.get(ref)


def require_own(repository: Repository, base: str, commit: str, own: CommitAuthor) -> None:
    """Raise `PolicyError` if somebody else has put a commit on the branch, merges aside: what
    they did would be lost.
    """
    doing = f"reading the commits up to {commit[:12]}"
    shown = repository.run("log", "--no-merges", "--format=%ae", f"{base}..{commit}", doing=doing)
    others = sorted({address for address in shown.splitlines() if address != own.email})
    if others:
        raise PolicyError(
            "replacing the branch",
            f"{', '.join(others)} has put a commit on it",
            hint="merge it or delete it; the next run then begins anew",
        )


def commit_file(
    repository: Repository,
    parent: str,
    path: str,
    content: bytes,
    *,
    message: str,
    by: CommitAuthor,
    at: str,
) -> str:
    """A commit on `parent` in which one file is another one. Neither the working tree nor its
    index is touched.
    """
    doing = f"writing a commit with {path}"
    with TemporaryDirectory(prefix="assent-") as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        repository.git("read-tree", parent, doing=doing, env=env)
        blob = repository.git("hash-object", "-w", "--stdin", doing=doing, stdin=content)
        entry = f"100644,{blob.decode().strip()},{path}"
        repository.git("update-index", "--add", "--cacheinfo", entry, doing=doing, env=env)
        tree = repository.git("write-tree", doing=doing, env=env).decode().strip()
    who = {"NAME": by.name, "EMAIL": by.email, "DATE": at}
    env = {f"GIT_{role}_{key}": who[key] for role in ("AUTHOR", "COMMITTER") for key in who}
    made = repository.git(
        "commit-tree", tree, "-p", parent, doing=doing, stdin=message.encode(), env=env
    )
    return made.decode().strip()


def push(
    repository: Repository, remote: str | None, branch: str, commit: str, *, expected: str | None
) -> None:
    """Let the branch be at `commit`, if it still is at `expected` (None: not there)."""
    doing = f"pushing the branch {branch}"
    ref = f"refs/heads/{branch}"
    try:
        if remote is None:
            repository.run("update-ref", ref, commit, expected or "", doing=doing)
            return
        lease = f"--force-with-lease={ref}:{expected or ''}"
        repository.remotely(
            *("push", "--quiet", "--porcelain", "--no-verify", lease, remote, f"{commit}:{ref}"),
            doing=doing,
        )
    except GitError as error:
        refused = refusal(error)
        problem = error.problem
        hint = error.hint or "may this account push there?"
        if refused is not None:
            problem = f"{remote} has refused the push: {refused.words}"
        if remote is None or (refused is not None and refused.is_overtaken):
            hint = "somebody else may have pushed in between: run the verb again"
        raise OutsideError(doing, problem, hint=hint) from None
