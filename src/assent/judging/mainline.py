"""The steps of the base branch in a clone that may have been cut off: CI checks out little."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assent.workspace import Workspace


def read_back(
    workspace: Workspace,
    tip: str,
    read: Callable[[], list[str]],
    *,
    depths: Sequence[int],
    is_enough: Callable[[list[str]], bool] | None = None,
) -> list[str]:
    """What `read` finds of the commits up to `tip`, newest first. As long as that ends where a
    shallow clone was cut off, and is not enough, the next of `depths` more commits are fetched.

    Raises `OutsideError` if that cannot be fetched.
    """
    repository, remote = workspace.repository, workspace.branch.remote
    commits = read()
    for depth in depths:
        is_cut = bool(commits) and commits[-1] in repository.cut_commits()
        if remote is None or not is_cut or (is_enough is not None and is_enough(commits)):
            break
        repository.deepen(remote, workspace.base_branch or tip, most=depth)
        commits = read()
    return commits


def mainline(
    workspace: Workspace, tip: str, *, most: int, without: Sequence[str] = ()
) -> list[str]:
    """The steps of the base branch that led to `tip`, newest first: none of those that a commit of
    `without` contains, and `most` of them at most.

    As a rule a step comes after its first parent. A branch that has merged the base branch, and
    that the base branch was then moved to as it is, has the two the other way round: then the
    forge, which knows what was the base branch, tells which side that was.
    """
    steps: list[str] = []
    here: str | None = tip
    while here is not None and len(steps) < most:
        line = workspace.repository.steps(here, most=most - len(steps), without=without)
        here = None
        for step, parents in line.items():
            steps.append(step)
            here = _turned(workspace, parents)
            if here is not None:
                break
    return steps


def _turned(workspace: Workspace, parents: Sequence[str]) -> str | None:
    """The parent that was the base branch, if it is another one than the first."""
    if len(parents) < 2:
        return None
    tips = workspace.forge.tips()  # asked of the forge once, and only if anything was merged
    if parents[0] in tips:
        return None
    return next((parent for parent in parents[1:] if parent in tips), None)
