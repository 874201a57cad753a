"""Which repository a folder is in."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from assent.errors import AssentError, UsageError
from assent.git.process import GitError, git, told


def find_top(folder: Path) -> tuple[Path, dict[str, str]]:
    """The top of the working tree around `folder`, and what Git must be told to see it.

    Nothing, as a rule: Git looks in the folder and above it. Only where it finds nothing there,
    and variables name a repository whose working tree the folder is in (dotfiles are often kept
    so), it is that one. Never the other way round: a hook that goes on to another repository
    means the one that it has gone to.
    """
    doing = f"looking for the Git repository of {folder}"
    try:
        return _top(folder, {}, doing), {}
    except GitError as error:
        named = _named() if "not a git repository" in error.stderr else {}
        if "GIT_DIR" not in named:
            raise _none_found(doing, folder, error) from None
    try:
        top = _top(folder, named, doing)
    except GitError as error:
        raise UsageError(
            doing,
            f"there is none, and the one that GIT_DIR names has no files here ({error.problem})",
            hint="set GIT_WORK_TREE to the folder of its files as well, or unset GIT_DIR",
        ) from None
    if not folder.resolve().is_relative_to(top.resolve()):
        raise UsageError(
            doing,
            f"there is none, and the one that GIT_DIR names has its files in {top}",
            hint="change to that folder, or unset GIT_DIR",
        )
    return top, {**named, "GIT_WORK_TREE": str(top)}


def _top(folder: Path, env: Mapping[str, str], doing: str) -> Path:
    arguments = ["rev-parse", "--path-format=absolute", "--show-toplevel"]
    shown = git(arguments, folder=folder, doing=doing, env=env)
    return Path(os.fsdecode(shown.removesuffix(b"\n")))


def _named() -> dict[str, str]:
    """The repository that this process was told of, with paths that hold in every folder."""
    given = told("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
    return {name: str(Path(path).absolute()) for name, path in given.items()}


def _none_found(doing: str, folder: Path, error: GitError) -> AssentError:
    """Why there is no working tree, in words that help; Git's own where they do."""
    if "must be run in a work tree" in error.stderr:
        return UsageError(
            doing,
            "it is a bare repository, or a Git folder, without files",
            hint="clone it, or `git worktree add` a folder to work in",
        )
    if "dubious ownership" in error.stderr:
        return UsageError(
            doing,
            f"it belongs to another user, and Git does not open it ({error.problem})",
            hint=f"if you trust it: git config --global --add safe.directory '{folder}'",
        )
    if "not a git repository" not in error.stderr:
        return error
    left = _LEFT.search(error.stderr)
    if left is not None:
        return UsageError(
            doing,
            f"the file .git here leads to {left['path']!r}, which is no repository any more",
            hint="was the clone that this worktree or submodule is of moved or deleted? "
            "`git worktree repair` in it puts that right",
        )
    return UsageError(doing, "there is none", hint=_where_git_stops(folder))


_LEFT = re.compile(r"not a git repository: (?P<path>.*)")


def _where_git_stops(folder: Path) -> str:
    """What to do where Git finds no repository, although there may be one."""
    home = next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)
    if home is None:
        return "run `git init` here, or change to your repository"
    if told("GIT_CEILING_DIRECTORIES"):
        return f"there is a .git in {home}, but GIT_CEILING_DIRECTORIES keeps Git from looking"
    return (
        f"there is a .git in {home} that Git does not take: is it complete? Where another file "
        "system begins between, set GIT_DISCOVERY_ACROSS_FILESYSTEM=1"
    )
