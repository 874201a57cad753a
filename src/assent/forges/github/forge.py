"""GitHub as a `Forge`: pull requests, reviews, the comment, the deploy button."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from assent.core.evidence import Run
from assent.errors import IdleError, UsageError
from assent.forges.archives import LIMITS, Limits
from assent.forges.github import artifacts
from assent.forges.github.api import Api
from assent.forges.github.changes import Changes, Woken, WorkflowWakeup
from assent.forges.github.comments import Comments
from assent.forges.github.deployments import Deployments
from assent.forges.github.protections import Protections
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.reviews import Reviews
from assent.forges.github.roles import Roles
from assent.forges.github.runs import Runs
from assent.forges.github.schemas import Comment, Pull
from assent.forges.remote.forge import RemoteForge
from assent.forges.remote.proposals import Proposals
from assent.forges.remote.slash_commands import SlashCommands
from assent.git import Repository
from assent.ports import Guards, KnownQueue, Notice, ReviewQueue

WORKFLOW = ".github/workflows/assent.yml"
_NO_QUEUE = KnownQueue(
    lacking="on GitHub the end of each run of a pull request starts its review (`workflow_run`)"
)


def _silent(text: str) -> None:
    del text


class GitHubForge(RemoteForge[Pull, Comment]):
    """The `Forge` of one repository of GitHub, for one run.

    `api` is the address of the API, `event`, `payload`, `run`, `sha`, `ref` and `before` are what
    the CI says of this run (None on a laptop), `workflow` is the file of the untrusted workflow
    whose runs are reviewed, `account` the login that the token acts as where GitHub cannot tell,
    `file` the path of `assent.yaml` in the repository, `limits` what an artifact may be. `wait`
    sleeps, `say` tells people.

    Nothing is sent, and PyGithub is not imported, before something is asked.
    """

    _remote: RemoteRepository
    _changes: Changes
    _shown: Comments
    _runs: Runs

    def __init__(
        self,
        repository: str,
        *,
        api: str,
        token: str | None,
        checkout: Repository,
        event: str | None = None,
        payload: Mapping[str, Any] | None = None,
        run: str | None = None,
        run_address: str | None = None,
        sha: str | None = None,
        ref: str | None = None,
        before: str | None = None,
        workflow: str = WORKFLOW,
        account: str | None = None,
        file: str = "assent.yaml",
        limits: Limits = LIMITS,
        wait: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = _silent,
    ) -> None:
        self._remote = RemoteRepository(
            Api(api, token, wait=wait, say=say), repository, account=account
        )
        wakeup = WorkflowWakeup(
            event=event, payload=payload or {}, run=run, sha=sha, ref=ref, before=before
        )
        self._changes = Changes(self._remote, checkout, wakeup, workflow=workflow, wait=wait)
        self._roles = Roles(self._remote, file=file, say=say)
        self._shown = Comments(self._remote, run_address=run_address)
        self._reviews = Reviews(self._remote, self._shown)
        self._slash_commands = SlashCommands(self._remote, self._shown, self._reviews)
        self._runs = Runs(self._remote, run=run)
        self._deployments = Deployments(self._remote)
        self._proposals = Proposals(self._remote, Pull)
        self._limits = limits

    def _asked_in(self) -> int | None:
        return self._changes.comment()

    def comment(self, notice: Notice) -> str:
        """See `Forge.comment`. A group of the merge queue waits for the verdict, too."""
        address = super().comment(notice)
        current = self._current
        if isinstance(current, Woken) and current.request is not None and current.group is not None:
            self._shown.pass_on(current.request.number, current.group, notice)
        return address

    @property
    def review_queue(self) -> ReviewQueue:
        """See `Forge.review_queue`."""
        return _NO_QUEUE

    def fetch(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run | None:
        """See `Forge.fetch`. That the run is one of the workflow that trains, and whose pull
        request it is of, was asked when the change was looked for.
        """
        run = self._current.run if isinstance(self._current, Woken) else None
        if run is None or run.event != "pull_request":
            return None
        if run.status != "completed":
            raise IdleError(
                f"fetching the artifact {name!r} of run {run.id}",
                "it was started again meanwhile",
                hint="its end wakes up the next review",
            )
        limits = self._limits.of(size_bytes)
        return artifacts.fetch(self._remote, run, name, folder, limits=limits)

    def fetch_own(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run:
        """See `Forge.fetch_own`."""
        run = self._runs.own()
        if run is None:
            doing = f"fetching the artifact {name!r}"
            raise UsageError(doing, "this is no run of GitHub Actions", hint=f"leave out {name!r}")
        limits = self._limits.of(size_bytes)
        return artifacts.fetch(self._remote, run, name, folder, limits=limits)

    @property
    def guards(self) -> Guards:
        """See `Forge.guards`."""
        return Protections(self._remote)
