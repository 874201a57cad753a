"""The steps of the base branch in a clone that may have been cut off: CI checks out little."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assent.verbs.workspace import Workspace


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
    found = read()
    for depth in depths:
        is_cut = bool(found) and found[-1] in repository.cut_commits()
        if remote is None or not is_cut or (is_enough is not None and is_enough(found)):
            break
        repository.deepen(remote, workspace.base_branch or tip, most=depth)
        found = read()
    return found
