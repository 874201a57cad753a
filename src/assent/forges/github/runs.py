"""Runs of workflows: who started them, and who let them go on."""

from __future__ import annotations

from assent.core.change import Review, ReviewState
from assent.core.evidence import Run
from assent.core.identity import Actor
from assent.errors import PolicyError
from assent.forges.github.api import RefusedError
from assent.forges.github.repository import FORGE, RemoteRepository
from assent.forges.github.schemas import EnvironmentFacts, Pull, RunApproval, WorkflowRun
from assent.forges.remote.changes import Found
from assent.ports import DeploymentRequest


class Runs:
    """The run that we are, if it is one, and others of the repository. Each is read once."""

    def __init__(self, remote: RemoteRepository, *, run: str | None) -> None:
        self._remote = remote
        self._run = run
        self._attempts: dict[tuple[str, int], WorkflowRun | None] = {}

    def own(self) -> WorkflowRun | None:
        """The run that we are; None outside CI."""
        return None if self._run is None else self._own(self._run)

    def presser(self) -> Actor:
        """Who started this run, or its latest attempt; outside CI the account of the token."""
        if self._run is None:
            return self._remote.actor(self._remote.own)
        run = self._own(self._run)
        return self._remote.actor(run.triggering_actor or run.actor)

    def deployment_request(self, environment: str) -> DeploymentRequest:
        """See `Forge.deployment_request`."""
        is_guarded = self._is_guarded(environment)
        if self._run is None:
            return DeploymentRequest(by=self.presser(), is_guarded=is_guarded)
        run = self._own(self._run)
        approvals = self._remote.api.get(
            self._remote.path("actions", "runs", self._run, "approvals"),
            tuple[RunApproval, ...],
            doing=f"reading who let run {self._run} go on",
        )
        return DeploymentRequest(
            by=self.presser(),
            approvals=tuple(
                Review(
                    person=self._remote.actor(approval.user),
                    state=ReviewState.APPROVED,
                    at=run.run_started_at or run.created_at,
                    head=run.head_sha,
                    bundle=None,
                    reason=(approval.comment or "").strip() or None,
                )
                for approval in approvals
                if approval.state == "approved" and _names(approval, environment)
            ),
            is_guarded=is_guarded,
        )

    def starters(self, run: Run, of: Found[Pull]) -> tuple[Actor, ...]:
        """See `Forge.started`: whoever asked for the attempt that the bundle was made in, which was
        compared with GitHub's word when the bundle was taken. Another attempt made another bundle,
        or none. What runs on a schedule nobody has caused: GitHub names whoever wrote the schedule.
        Where it is not told who pushed, whoever caused the first attempt may have. A run is of a
        change if it ran its revision or its branch, or the default branch, whose code
        nobody chooses alone.
        """
        if run.system != FORGE:
            return ()
        doing = f"looking for run {run.id}, which the bundle says it was made in"
        is_number = run.id.isascii() and run.id.isdigit()
        workflow_run = self._remote.run(run.id, doing=doing) if is_number else None
        if workflow_run is None:
            raise PolicyError(doing, "this repository has no such run", hint=_AGAIN)
        if not self._is_of(workflow_run, of):
            raise PolicyError(
                doing,
                f"it ran {workflow_run.head_sha[:12]}, which is not of {of.change.id}",
                hint=_AGAIN,
            )
        if workflow_run.event == "schedule" and run.attempt <= 1:
            return ()
        attempt = self._attempt(run, workflow_run, doing)
        if attempt is None:
            raise PolicyError(doing, f"it has no attempt {run.attempt}", hint=_AGAIN)
        accounts = [attempt.triggering_actor or attempt.actor]
        if not of.is_told and workflow_run.event != "schedule":
            # A push has started the first one: by whom, if not told.
            accounts.append(workflow_run.actor)
        actors = [self._remote.actor(account) for account in accounts if account is not None]
        return tuple({actor.key: actor for actor in actors}.values())

    def _is_of(self, run: WorkflowRun, of: Found[Pull]) -> bool:
        if run.head_sha in (of.change.head, of.change.commit):
            return True
        source = None if run.head_repository is None else run.head_repository.id
        if source == self._remote.facts.id and run.head_branch == self._remote.facts.default_branch:
            return True
        if of.request is None or of.request.head.repo is None:
            return False
        return source == of.request.head.repo.id and run.head_branch == of.request.head.ref

    def _own(self, run: str) -> WorkflowRun:
        doing = f"reading run {run}"
        workflow_run = self._remote.run(run, doing=doing)
        if workflow_run is None:
            raise RefusedError(doing, "GitHub answered 404", status=404, hint=_RUN_HINT)
        return workflow_run

    def _attempt(self, run: Run, latest: WorkflowRun, doing: str) -> WorkflowRun | None:
        """One attempt of a run."""
        if run.attempt == latest.run_attempt:
            return latest
        key = (run.id, run.attempt)
        if key not in self._attempts:
            path = self._remote.path("actions", "runs", run.id, "attempts", run.attempt)
            self._attempts[key] = self._remote.api.find(path, WorkflowRun, doing=doing)
        return self._attempts[key]

    def _is_guarded(self, environment: str) -> bool:
        try:
            facts = self._remote.api.find(
                self._remote.path("environments", environment),
                EnvironmentFacts,
                doing=f"reading the environment {environment!r}",
            )
        except RefusedError as error:
            if error.is_of_plan:
                return False
            raise
        rules = () if facts is None else facts.protection_rules
        return any(rule.type == "required_reviewers" for rule in rules)


_AGAIN = "let CI train and evaluate the newest revision"
_RUN_HINT = "is GITHUB_RUN_ID the run of this repository, and may the token read `actions`?"


def _names(approval: RunApproval, environment: str) -> bool:
    """Whether it was given for this environment. GitHub does not tell its letters' case apart."""
    return environment.casefold() in {
        environment_name.name.casefold() for environment_name in approval.environments
    }
