"""The environment of the CI run: which system it is of, whose own reader says the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assent.core.context import Channel, Context
from assent.core.evidence import Run
from assent.forges.variables import TOKENS, ReadFile, attempt_of

__all__ = ["TOKENS", "read_channel", "read_context", "read_file", "read_run"]


def read_file(path: str, limit: int) -> bytes:
    """The first `limit` bytes of a file. Raises `OSError`."""
    with Path(path).open("rb") as file:
        return file.read(limit)


def read_context(environ: Mapping[str, str], read_file: ReadFile = read_file) -> Context:
    """The run that `environ` tells of. Raises `UsageError` for what cannot be what it says."""
    run = read_run(environ)
    if environ.get("GITHUB_ACTIONS") == "true":
        from assent.forges.github import context as github

        return github.read_context(environ, read_file, run)
    if environ.get("GITLAB_CI") == "true":
        from assent.forges.gitlab import context as gitlab

        return gitlab.read_context(environ, read_file, run)
    return Context(system=None if run is None else run.system, run=run)


def read_channel(environ: Mapping[str, str]) -> Channel | None:
    """Where the job writes what is not for its log: in GitHub Actions always, on GitLab where
    `ASSENT_REPORTS` names a folder; else None.
    """
    if environ.get("GITLAB_CI") == "true" and environ.get("ASSENT_REPORTS"):
        from assent.forges.gitlab import context as gitlab

        return gitlab.read_channel(environ)
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    from assent.forges.github import context as github

    return github.read_channel(environ)


def read_run(environ: Mapping[str, str]) -> Run | None:
    """The CI run, or None outside CI.

    GitHub Actions and GitLab CI are known by their own variables; any other system can set
    `ASSENT_RUN_ID` (and `ASSENT_RUN_ATTEMPT`, `ASSENT_RUN_ADDRESS`).
    """
    if environ.get("ASSENT_RUN_ID"):
        return Run(
            system="ci",
            id=environ["ASSENT_RUN_ID"],
            attempt=attempt_of(environ.get("ASSENT_RUN_ATTEMPT")),
            address=environ.get("ASSENT_RUN_ADDRESS") or None,
        )
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_RUN_ID"):
        from assent.forges.github import context as github

        return github.read_run(environ)
    if environ.get("GITLAB_CI") == "true":
        from assent.forges.gitlab import context as gitlab

        return gitlab.read_run(environ)
    return None
