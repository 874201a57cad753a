"""The environment of the CI run as one value."""

from __future__ import annotations

from collections.abc import Mapping

from assent.core.evidence import Run


def read_run(environ: Mapping[str, str]) -> Run | None:
    """The CI run, or None outside CI.

    GitHub Actions and GitLab CI are known by their own variables; any other system can set
    `ASSENT_RUN_ID` (and `ASSENT_RUN_ATTEMPT`, `ASSENT_RUN_ADDRESS`).
    """
    if environ.get("ASSENT_RUN_ID"):
        return Run(
            system="ci",
            id=environ["ASSENT_RUN_ID"],
            attempt=_attempt(environ.get("ASSENT_RUN_ATTEMPT")),
            address=environ.get("ASSENT_RUN_ADDRESS") or None,
        )
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_RUN_ID"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        repository = environ.get("GITHUB_REPOSITORY", "")
        return Run(
            system="github",
            id=environ["GITHUB_RUN_ID"],
            attempt=_attempt(environ.get("GITHUB_RUN_ATTEMPT")),
            address=f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}",
        )
    if environ.get("GITLAB_CI") == "true" and environ.get("CI_JOB_ID"):
        return Run(system="gitlab", id=environ["CI_JOB_ID"], address=environ.get("CI_JOB_URL"))
    return None


def _attempt(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else 1
