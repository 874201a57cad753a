"""Whose code can run on machines of the team's own, as far as a token can read it; for
`doctor --forge`. Whoever opens a pull request writes the workflow that it runs, `runs-on` included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assent.forges.github.api import RefusedError, segment
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import MachineGroup, MachineGroups, Machines
from assent.ports import Protection, ProtectionState

_OWN = "runners: no pull request can use a machine of this repository"
_GROUPS = "runners: the organization's machines run chosen workflows only"
_REMEDY = (
    "give the trusted workflows a runner group of an organization that is limited to them, each as "
    "owner/name/.github/workflows/FILE@refs/heads/{branch}, and to this repository; let its "
    "machines be thrown away after each job (ephemeral)"
)
_HIDDEN = "this token cannot read it (it needs an administrator's)"
_SHOWN = 3


def protections(remote: RemoteRepository) -> Iterator[Protection]:
    """The machines of the repository, then those that its organization lets it use."""
    yield _own(remote)
    if remote.facts.owner.type == "Organization":
        yield _of_organization(remote)


def _own(remote: RemoteRepository) -> Protection:
    remedy = _REMEDY.format(branch=remote.facts.default_branch)
    path = remote.path("actions", "runners")
    try:
        machines = remote.api.get(
            path, Machines, doing="reading the self-hosted runners", parameters={"per_page": "100"}
        )
    except RefusedError:
        return Protection(name=_OWN, state=ProtectionState.UNKNOWN, reason=_HIDDEN, remedy=remedy)
    if not machines.total_count:
        return Protection(
            name=_OWN, state=ProtectionState.ENFORCED, reason="it has none of its own"
        )
    whose = "that anybody opens" if not remote.facts.private else "of whoever may open one here"
    reason = f"a pull request {whose} can run on {_names(machines)}"
    kept = [runner for runner in machines.runners if not runner.ephemeral]
    if kept:
        least = "at least " if len(machines.runners) < machines.total_count else ""
        reason += f"; {least}{len(kept)} of them stay after a job, with what it has left there"
    return Protection(name=_OWN, state=ProtectionState.MISSING, reason=reason, remedy=remedy)


def _of_organization(remote: RemoteRepository) -> Protection:
    remedy = _REMEDY.format(branch=remote.facts.default_branch)
    owner, _, name = remote.facts.full_name.partition("/")
    try:
        groups = remote.api.get(
            f"/orgs/{segment(owner)}/actions/runner-groups",
            MachineGroups,
            doing="reading the runner groups of the organization",
            parameters={"per_page": "100", "visible_to_repository": name},
        )
        open_ = [
            group
            for group in groups.runner_groups
            if _is_open(remote, group) and _has_any(remote, group)
        ]
    except RefusedError:
        reason = f"{_HIDDEN[:-1]} of the organization)"
        return Protection(name=_GROUPS, state=ProtectionState.UNKNOWN, reason=reason, remedy=remedy)
    if not open_ and len(groups.runner_groups) < groups.total_count:
        reason = f"only the first {len(groups.runner_groups)} groups were looked at"
        return Protection(name=_GROUPS, state=ProtectionState.UNKNOWN, reason=reason, remedy=remedy)
    if not open_:
        reason = "every group with machines that this repository can use is limited to workflows"
        return Protection(name=_GROUPS, state=ProtectionState.ENFORCED, reason=reason)
    names = ", ".join(repr(group.name) for group in open_[:_SHOWN])
    reason = f"a pull request can run on machines of the group {names}"
    return Protection(name=_GROUPS, state=ProtectionState.MISSING, reason=reason, remedy=remedy)


def _is_open(remote: RemoteRepository, group: MachineGroup) -> bool:
    """Whether a workflow that a pull request brings can use the group."""
    if not remote.facts.private and not group.allows_public_repositories:
        return False
    return not group.restricted_to_workflows or not all(
        _stands(remote, workflow) for workflow in group.selected_workflows
    )


def _stands(remote: RemoteRepository, workflow: str) -> bool:
    """Whether a workflow is named at the default branch, or at a commit: a pull request's own copy
    is at another reference.
    """
    reference = workflow.rpartition("@")[2]
    if re.fullmatch(r"[0-9a-f]{40}", reference):
        return True
    return reference.removeprefix("refs/heads/") == remote.facts.default_branch


def _has_any(remote: RemoteRepository, group: MachineGroup) -> bool:
    owner = remote.facts.full_name.partition("/")[0]
    path = f"/orgs/{segment(owner)}/actions/runner-groups/{group.id}/runners"
    doing = f"reading the runners of the group {group.name!r}"
    return remote.api.get(path, Machines, doing=doing).total_count > 0


def _names(machines: Machines) -> str:
    names = ", ".join(repr(runner.name) for runner in machines.runners[:_SHOWN])
    more = machines.total_count - _SHOWN
    return f"{names} and {more} more" if more > 0 else names
