"""The only file that names concrete adapters: from a folder to a workspace."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from assent.ci.environment import read_context
from assent.config.read import read_config
from assent.config.settings import FILE, Config
from assent.core.context import Context
from assent.errors import AssentError, OutsideError, UsageError
from assent.forges.local import LocalForge, Person
from assent.git import BaseBranch, Repository
from assent.ledgers.git.ledger import GitLedger
from assent.ports import Forge, Store
from assent.setup.pipelines import Pipelines
from assent.stores.directory import DirectoryStore
from assent.workspace import Workspace

_ADDRESS = re.compile(
    r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)(?P<host>[A-Za-z0-9.-]+)(?::\d+)?[/:]"
    r"(?P<name>[A-Za-z0-9_-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
_GITLAB_ADDRESS = re.compile(
    r"(?:https://(?:[^@/]*@)?(?P<host>[A-Za-z0-9.-]+)(?P<port>:\d+)?/"
    r"|(?:ssh://git@(?P<ssh>[A-Za-z0-9.-]+)(?::\d+)?/|git@(?P<scp>[A-Za-z0-9.-]+):))"
    r"(?P<name>[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*?/[A-Za-z0-9_.-]+?)(?:\.git)?/?"
)


def open_workspace(
    start: Path,
    *,
    environ: Mapping[str, str],
    now: datetime,
    say: Callable[[str], None],
    file: Path | None = None,
) -> Workspace:
    """The workspace around `start`: the nearest `assent.yaml` there or above, or `file`.

    Raises `UsageError` if there is none, or no Git repository around it.
    """
    stopwatch_s = time.monotonic()
    path = _find(start) if file is None else file
    config = read_config(_read(path), str(path))
    root = path.resolve().parent
    _say_left(root / ".assent" / "aside", say)
    context = _context(environ)
    repository = Repository(
        root, _credentials(environ, context), account=_git_account(environ, context), say=say
    )
    remote = _remote(repository, config)
    forge: Forge
    named = _forge_name(environ, context)
    if named in ("github", "gitlab"):
        make = _github if named == "github" else _gitlab
        forge = make(environ, context, repository, path, say)
        base = BaseBranch(repository, remote, ask=forge.branch)
    else:
        base = BaseBranch(repository, remote)
        forge = LocalForge(
            repository,
            base=base,
            people=_People(lambda: _people(repository, base.commit, path, config)),
            folder=root / ".assent" / "review",
        )
    return Workspace(
        root=root,
        config=config,
        repository=repository,
        branch=base,
        forge=forge,
        store=_store(root, config.store),
        ledger=GitLedger(repository, remote),
        context=context,
        folder_store=DirectoryStore,
        started=now,
        stopwatch_s=stopwatch_s,
        environ=environ,
        say=say,
    )


def pipelines_of(forge: str, *, origin: str | None = None, install: str | None = None) -> Pipelines:
    """What runs Assent in the CI of a forge: from where it is fetched (`origin`), and what jobs
    install.
    """
    if forge == "github":
        from assent.forges.github.workflows import GitHubWorkflows

        return GitHubWorkflows(origin)
    from assent.forges.gitlab.pipelines import GitLabPipelines

    return GitLabPipelines(templates=origin, install=install)


def _say_left(folder: Path, say: Callable[[str], None]) -> None:
    """Name what runs that were killed have left aside, whichever verb this is."""
    if not folder.is_dir():
        return
    from assent.making.aside import left_below
    from assent.making.run_lock import goes_on

    for one in left_below(folder):
        if not goes_on(one):
            say(
                f"{one.name}: a run was cut off, and outputs of earlier runs are still in {one}: "
                "`train`, `evaluate`, `bundle` and `review` bring them back"
            )


def _context(environ: Mapping[str, str]) -> Context:
    """The CI run. Its address is kept for ever, so what is secret in it is not."""
    context = read_context(environ)
    run = context.run
    if run is None or run.address is None:
        return context
    from assent.measure.redaction import redact_text  # only in CI is there anything to redact

    run = msgspec.structs.replace(run, address=redact_text(run.address))
    return msgspec.structs.replace(context, run=run)


def _forge_name(environ: Mapping[str, str], context: Context) -> str | None:
    """Which forge it is: that of its own CI, and wherever else what `ASSENT_FORGE` says."""
    asked = environ.get("ASSENT_FORGE") or None
    doing = "choosing the forge"
    if asked not in (None, "github", "gitlab", "local"):
        raise UsageError(
            doing,
            f"ASSENT_FORGE is {asked!r}",
            hint="write github, gitlab or local, or leave it out",
        )
    if asked == "local" and context.system in ("github", "gitlab"):
        where = "GitHub Actions" if context.system == "github" else "GitLab CI"
        raise UsageError(
            doing, f"ASSENT_FORGE is local in a run of {where}, where anybody could claim any name"
        )
    return asked or context.system


def _token(environ: Mapping[str, str]) -> str | None:
    return environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or None


def _gitlab_token(environ: Mapping[str, str]) -> str | None:
    return environ.get("ASSENT_GITLAB_TOKEN") or None


def _credentials(environ: Mapping[str, str], context: Context) -> list[tuple[str, str]]:
    """What Git needs to fetch and push in CI when the checkout has kept no token, or one that may
    not push: a job's own token of GitLab may so only where the project allows it.
    """
    if context.system == "github":
        account, token = "x-access-token", _token(environ)
    elif context.system == "gitlab":
        # A token of Git's own: the one for the API need not push where only Maintainers may.
        account, token = "oauth2", environ.get("ASSENT_LEDGER_TOKEN") or _gitlab_token(environ)
    else:
        return []
    if token is None or context.server_url is None:
        return []
    import base64  # only CI needs it

    secret = base64.b64encode(f"{account}:{token}".encode()).decode()
    name = f"http.{context.server_url}/.extraheader"
    # The empty value ends what the checkout may have kept: two tokens are refused.
    return [(name, ""), (name, f"AUTHORIZATION: basic {secret}")]


def _git_account(environ: Mapping[str, str], context: Context) -> str:
    """Who Git is in CI and what it needs, for whom a remote has refused; empty outside."""
    if context.system == "github":
        return "Git acts with the job's token: it needs the permission `contents: write` to push"
    if context.system != "gitlab":
        return ""
    needed = (
        "a project or group access token that is valid, with the scope `write_repository`, and "
        "with the role Maintainer where `assent/*` is protected"
    )
    if environ.get("ASSENT_LEDGER_TOKEN"):
        return f"Git acts with ASSENT_LEDGER_TOKEN: it must be {needed}"
    own = "ASSENT_GITLAB_TOKEN" if _gitlab_token(environ) else "the job token (CI_JOB_TOKEN)"
    return (
        f"Git acts with {own}, because ASSENT_LEDGER_TOKEN is not set here: a protected variable, "
        f"{needed}"
    )


def _github(
    environ: Mapping[str, str],
    context: Context,
    repository: Repository,
    path: Path,
    say: Callable[[str], None],
) -> Forge:
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
        file=repository.relative(path.resolve()),
        say=say,
    )


def _github_address(environ: Mapping[str, str], repository: Repository) -> tuple[str, str]:
    """The repository's name and the API's address, by the address of `origin`."""
    doing = "looking for the repository on GitHub"
    address = repository.config("remote.origin.url") or ""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise UsageError(
            doing,
            "`origin` is no address of GitHub",
            hint="set GITHUB_REPOSITORY to owner/name, or run it in a clone from GitHub",
        )
    host = found["host"].lower()
    api = "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"
    return found["name"], environ.get("GITHUB_API_URL") or api


def _gitlab(
    environ: Mapping[str, str],
    context: Context,
    repository: Repository,
    path: Path,
    say: Callable[[str], None],
) -> Forge:
    from assent.forges.gitlab.forge import GitLabForge

    is_here = context.system == "gitlab"
    name, api = context.repository, context.api_url
    if not is_here or name is None or api is None:
        name, api = gitlab_address(environ, repository)
    return GitLabForge(
        name,
        api=api,
        token=_gitlab_token(environ),
        job_token=environ.get("CI_JOB_TOKEN") or None if is_here else None,
        checkout=repository,
        merge_request=context.merge_request,
        note=context.note if is_here else None,
        run=None if not is_here or context.run is None else context.run.id,
        run_address=None if context.run is None else context.run.address,
        sha=context.sha,
        ref=context.ref,
        before=context.before,
        account=environ.get("ASSENT_ACCOUNT") or None,
        file=repository.relative(path.resolve()),
        say=say,
    )


def gitlab_address(environ: Mapping[str, str], repository: Repository) -> tuple[str, str]:
    """The project's name and the API's address, by the variables, else by the address of `origin`.
    Below which path of its host a server is, that address does not tell.
    """
    named, api = environ.get("CI_PROJECT_PATH"), environ.get("CI_API_V4_URL")
    if named and api:
        return named, api
    address = repository.config("remote.origin.url") or ""
    found = _GITLAB_ADDRESS.fullmatch(address)
    if found is None:
        raise UsageError(
            "looking for the project on GitLab",
            "`origin` is no address of GitLab",
            hint="set CI_PROJECT_PATH to group/project and CI_API_V4_URL to "
            "https://<your server>/api/v4, or run it in a clone from GitLab",
        )
    host = (found["host"] or found["ssh"] or found["scp"]).lower() + (found["port"] or "")
    return named or found["name"], api or f"https://{host}/api/v4"


def _find(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        if (folder / ".git").exists():
            break
    raise UsageError(
        f"looking for {FILE}",
        f"there is none in {start} or above it",
        hint="run `assent init` to write one, or name one with --config",
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"reading {path}", "there is no such file", hint="run `assent init` to write one"
        ) from None
    except OSError as error:
        raise OutsideError(f"reading {path}", error.strerror or str(error)) from None


def _remote(repository: Repository, config: Config) -> str | None:
    """The remote that holds the ledger: the one named (`git:upstream`), else `origin`, else the
    only one, else none. Raises `UsageError` where several could be meant.
    """
    _, _, named = config.ledger.partition(":")
    remotes = repository.remotes()
    if not named:
        if "origin" in remotes or not remotes:
            return "origin" if remotes else None
        if len(remotes) == 1:
            return remotes[0]
        raise UsageError(
            "looking for the remote that holds the ledger",
            f"there are {', '.join(remotes[:5])}, and none is called origin",
            hint=f"name it in {FILE}: `ledger: git:{remotes[0]}`",
        )
    if named in remotes:
        return named
    raise UsageError(
        f"opening the ledger {config.ledger!r}",
        f"the repository has no remote {named!r}",
        hint=f"add it with `git remote add {named} …`, or correct `ledger` in {FILE}",
    )


class _People(Sequence[Person]):
    """The people of the base branch, read when the forge first asks: most verbs never do."""

    def __init__(self, read: Callable[[], Sequence[Person]]) -> None:
        self._read = read

    @cached_property
    def _all(self) -> Sequence[Person]:
        return self._read()

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]


def _people(
    repository: Repository, base: str | None, path: Path, config: Config
) -> tuple[Person, ...]:
    """The people of the base branch: a change cannot name its own approvers."""
    listed = config
    if base is not None:
        text = repository.show(base, repository.relative(path.resolve()))
        if text is not None:
            try:
                listed = read_config(text, f"{path} of the base branch")
            except AssentError as error:
                # Judging will fail on it with the same words; reading must still work.
                listed = Config(models={}, policies={}, people={})
                del error
    return tuple(
        Person(name=name, email=person.email, groups=person.groups)
        for name, person in listed.people.items()
    )


def _store(root: Path, address: str) -> Store:
    if "://" in address:
        raise UsageError(
            f"opening the store {address!r}",
            "this release stores in folders only",
            hint="set `store` to a folder, shared or not",
        )
    return DirectoryStore((root / Path(address).expanduser()).resolve())
