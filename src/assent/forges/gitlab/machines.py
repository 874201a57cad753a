"""What the jobs of a project may do and on whose machines they run, as far as a token can read it;
for `doctor --forge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import Machine, MachineFacts, ProtectedBranch
from assent.forges.http_retries import RefusedError
from assent.ports import Protection, ProtectionState

_PUSHING = "job tokens: no job can push with its own"
_CHANGES = "pipelines of merge requests: none counts as protected"
_RUNNERS = "runners: pipelines of merge requests cannot use the one that reaches the store"
_MOST = 50
"""How many runners are looked at."""
_OWN = ("project_type", "group_type")
"""Runners of the team's own; others belong to whoever runs the server."""


def protections(
    remote: RemoteRepository, branches: Sequence[ProtectedBranch] | None
) -> Iterator[Protection]:
    """What a job's own token may do, which pipelines are protected, and where they run.
    `branches` are the protected branches and patterns, None if they cannot be read.
    """
    yield _pushing(remote)
    yield _changes(remote, branches)
    yield _runners(remote)


def _pushing(remote: RemoteRepository) -> Protection:
    may = remote.facts.ci_push_repository_for_job_token_allowed
    remedy = (
        "CI/CD, Job token permissions: do not allow Git push requests. Every job has such a token "
        "and cannot be without, that of a training included"
    )
    if may is None:
        reason = "GitLab does not say (older than 17.2, or not to this token)"
        return Protection(
            name=_PUSHING, state=ProtectionState.UNKNOWN, reason=reason, remedy=remedy
        )
    if may:
        reason = "whatever a job runs can push to this repository as whoever started it"
        return Protection(
            name=_PUSHING, state=ProtectionState.MISSING, reason=reason, remedy=remedy
        )
    return Protection(
        name=_PUSHING, state=ProtectionState.ENFORCED, reason="GitLab refuses its push"
    )


def _changes(remote: RemoteRepository, branches: Sequence[ProtectedBranch] | None) -> Protection:
    """Whether a merge request from one protected branch into another gets protected variables."""
    is_on = remote.facts.protect_merge_request_pipelines
    remedy = (
        "CI/CD, Variables: do not allow merge request pipelines to access protected variables and "
        f"runners (new projects do); or protect no branch but {remote.branch} and assent/*"
    )
    if is_on is None or (is_on and branches is None):
        reason = "this token cannot read it, or GitLab is older than 18.10 and does not tell"
        return Protection(
            name=_CHANGES, state=ProtectionState.UNKNOWN, reason=reason, remedy=remedy
        )
    if not is_on:
        reason = "GitLab gives none of them protected variables or runners"
        return Protection(name=_CHANGES, state=ProtectionState.ENFORCED, reason=reason)
    others = sorted({branch.name for branch in branches or ()} - {remote.branch, "assent/*"})
    if not others:
        reason = (
            f"only {remote.branch} and assent/* are protected: no merge request comes from there"
        )
        return Protection(name=_CHANGES, state=ProtectionState.ENFORCED, reason=reason)
    return Protection(
        name=_CHANGES,
        state=ProtectionState.MISSING,
        reason=f"a merge request from {', '.join(others[:3])} gets protected variables and "
        "runners, and runs its own code with them",
        remedy=remedy,
    )


def _runners(remote: RemoteRepository) -> Protection:
    remedy = (
        "make the runner that reaches the store a protected one (CI/CD, Runners, Edit, Protected), "
        "and run trainings on others"
    )
    try:
        runners = list(islice(_own(remote), _MOST + 1))
        open_ = [runner for runner in runners if runner.access_level != "ref_protected"]
    except RefusedError:
        reason = "this token cannot read it (it needs the role Maintainer)"
        return Protection(
            name=_RUNNERS, state=ProtectionState.UNKNOWN, reason=reason, remedy=remedy
        )
    if not runners:
        reason = (
            "the project has no runner of its own, and GitLab does not know whether one of the "
            "server's, which every pipeline can use, reaches the store"
        )
        return Protection(
            name=_RUNNERS, state=ProtectionState.UNKNOWN, reason=reason, remedy=remedy
        )
    if len(open_) == len(runners):
        reason = f"none of {len(runners)} runners of its own is protected"
        return Protection(
            name=_RUNNERS, state=ProtectionState.MISSING, reason=reason, remedy=remedy
        )
    if not open_ and len(runners) > _MOST:
        reason = f"the first {_MOST} are protected, and the others were not looked at"
        return Protection(
            name=_RUNNERS, state=ProtectionState.UNKNOWN, reason=reason, remedy=remedy
        )
    if not open_:
        reason = "all of its runners are protected"
        return Protection(name=_RUNNERS, state=ProtectionState.ENFORCED, reason=reason)
    names = ", ".join(repr(runner.description or str(runner.id)) for runner in open_[:3])
    return Protection(
        name=_RUNNERS,
        state=ProtectionState.UNKNOWN,
        reason=f"some are protected; {names} not, and GitLab does not know which reach the store",
        remedy=remedy,
    )


def _own(remote: RemoteRepository) -> Iterator[MachineFacts]:
    listed = remote.api.pages(remote.path("runners"), Machine, doing="reading the runners")
    for machine in listed:
        if machine.runner_type in _OWN:
            doing = f"reading the runner {machine.id}"
            yield remote.api.get(f"/runners/{machine.id}", MachineFacts, doing=doing)
