"""How GitHub is opened: its address, its token, and who Git is in its CI."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assent.core.context import Context
from assent.errors import UsageError
from assent.forges.opening import GitSettings, Say, git_header
from assent.git import Repository
from assent.ports import Forge
from assent.setup.pipelines import Pipelines

ADDRESS = re.compile(
    r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)(?P<host>[A-Za-z0-9.-]+)(?::\d+)?[/:]"
    r"(?P<name>[A-Za-z0-9_-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?"
)


def credentials(environ: Mapping[str, str], context: Context) -> GitSettings:
    """See `Opening.credentials`."""
    token = _token(environ)
    if token is None or context.server_url is None:
        return []
    return git_header(context.server_url, "x-access-token", token)


def git_account(environ: Mapping[str, str]) -> str:  # noqa: ARG001  # one token for all of it
    """See `Opening.git_account`."""
    return "Git acts with the job's token: it needs the permission `contents: write` to push"


def open_forge(
    environ: Mapping[str, str],
    context: Context,
    repository: Repository,
    file: str,
    say: Say,
) -> Forge:
    """See `Opening.open_forge`."""
    from assent.forges.github.forge import WORKFLOW, GitHubForge

    name, api = context.repository, context.api_url
    if context.system != "github" or name is None or api is None:
        name, api = _github_address(environ, repository)
    return GitHubForge(
        name,
        api=api,
        token=_token(environ),
        checkout=repository,
        event=context.event or None,
        payload=context.payload,
        run=None if context.system != "github" or context.run is None else context.run.id,
        run_address=None if context.run is None else context.run.address,
        sha=context.sha,
        ref=context.ref,
        before=context.before,
        workflow=environ.get("ASSENT_WORKFLOW") or WORKFLOW,
        account=environ.get("ASSENT_ACCOUNT") or None,
        file=file,
        say=say,
    )


def pipelines(origin: str | None, install: str | None) -> Pipelines:  # noqa: ARG001  # the actions do
    """See `Opening.pipelines`."""
    from assent.forges.github.workflows import GitHubWorkflows

    return GitHubWorkflows(origin)


def _token(environ: Mapping[str, str]) -> str | None:
    return environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or None


def _github_address(environ: Mapping[str, str], repository: Repository) -> tuple[str, str]:
    """The repository's name and the API's address, by the address of `origin`."""
    doing = "looking for the repository on GitHub"
    address = repository.config("remote.origin.url") or ""
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise UsageError(
            doing,
            "`origin` is no address of GitHub",
            hint="set GITHUB_REPOSITORY to owner/name, or run it in a clone from GitHub",
        )
    host = match["host"].lower()
    api = "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"
    return match["name"], environ.get("GITHUB_API_URL") or api
