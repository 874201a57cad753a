"""How GitLab is opened: its address, its tokens, and who Git is in its CI."""

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
    r"(?:https://(?:[^@/]*@)?(?P<host>[A-Za-z0-9.-]+)(?P<port>:\d+)?/"
    r"|(?:ssh://git@(?P<ssh>[A-Za-z0-9.-]+)(?::\d+)?/|git@(?P<scp>[A-Za-z0-9.-]+):))"
    r"(?P<name>[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*?/[A-Za-z0-9_.-]+?)(?:\.git)?/?"
)


def credentials(environ: Mapping[str, str], context: Context) -> GitSettings:
    """See `Opening.credentials`. A job's own token may push only where the project allows it."""
    # A token of Git's own: the one for the API need not push where only Maintainers may.
    token = environ.get("ASSENT_LEDGER_TOKEN") or _token(environ)
    if token is None or context.server_url is None:
        return []
    return git_header(context.server_url, "oauth2", token)


def git_account(environ: Mapping[str, str]) -> str:
    """See `Opening.git_account`."""
    needed = (
        "a project or group access token that is valid, with the scope `write_repository`, and "
        "with the role Maintainer where `assent/*` is protected"
    )
    if environ.get("ASSENT_LEDGER_TOKEN"):
        return f"Git acts with ASSENT_LEDGER_TOKEN: it must be {needed}"
    own = "ASSENT_GITLAB_TOKEN" if _token(environ) else "the job token (CI_JOB_TOKEN)"
    return (
        f"Git acts with {own}, because ASSENT_LEDGER_TOKEN is not set here: a protected variable, "
        f"{needed}"
    )


def open_forge(
    environ: Mapping[str, str],
    context: Context,
    repository: Repository,
    file: str,
    say: Say,
) -> Forge:
    """See `Opening.open_forge`."""
    from assent.forges.gitlab.forge import GitLabForge

    is_here = context.system == "gitlab"
    name, api = context.repository, context.api_url
    if not is_here or name is None or api is None:
        name, api = gitlab_address(environ, repository)
    return GitLabForge(
        name,
        api=api,
        token=_token(environ),
        job_token=environ.get("CI_JOB_TOKEN") or None if is_here else None,
        checkout=repository,
        merge_request=context.request,
        note=context.message if is_here else None,
        run=None if not is_here or context.run is None else context.run.id,
        run_address=None if context.run is None else context.run.address,
        sha=context.sha,
        ref=context.ref,
        before=context.before,
        account=environ.get("ASSENT_ACCOUNT") or None,
        file=file,
        say=say,
    )


def pipelines(origin: str | None, install: str | None) -> Pipelines:
    """See `Opening.pipelines`."""
    from assent.forges.gitlab.pipelines import GitLabPipelines

    return GitLabPipelines(templates=origin, install=install)


def _token(environ: Mapping[str, str]) -> str | None:
    return environ.get("ASSENT_GITLAB_TOKEN") or None


def gitlab_address(environ: Mapping[str, str], repository: Repository) -> tuple[str, str]:
    """The project's name and the API's address, by the variables, else by the address of `origin`.
    Below which path of its host a server is, that address does not tell.
    """
    named, api = environ.get("CI_PROJECT_PATH"), environ.get("CI_API_V4_URL")
    if named and api:
        return named, api
    address = repository.config("remote.origin.url") or ""
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise UsageError(
            "looking for the project on GitLab",
            "`origin` is no address of GitLab",
            hint="set CI_PROJECT_PATH to group/project and CI_API_V4_URL to "
            "https://<your server>/api/v4, or run it in a clone from GitLab",
        )
    host = host_in(match) + (match["port"] or "")
    return named or match["name"], api or f"https://{host}/api/v4"


def host_in(address: re.Match[str]) -> str:
    """The host of an address that `ADDRESS` matches."""
    host: str = address["host"] or address["ssh"] or address["scp"]
    return host.lower()
