"""What GitLab enforces in a project, as far as a token can read it; for `doctor --forge`.

Nothing here is needed for a decision: Assent judges approvals itself. These are the locks on the
doors beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TypeVar

from assent.forges.gitlab import machines
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import (
    AccessLevel,
    ApprovalRule,
    ApprovalSettings,
    ProtectedBranch,
    ProtectedEnvironment,
    TokenFacts,
    Variable,
)
from assent.forges.http_retries import RefusedError
from assent.forges.remote.protections import STILL, told
from assent.ports import Protection, ProtectionState

T = TypeVar("T")

_TIER = "this project's tier does not have it, or this token (role Maintainer) cannot read it"
_DEVELOPER = 30
TRUSTED = "assent"
"""The environment of the jobs that judge. It holds nothing: it is who gets the tokens."""
_TOKENS = ("ASSENT_GITLAB_TOKEN", "ASSENT_LEDGER_TOKEN")


class Protections:
    """The protections of one project."""

    def __init__(self, remote: RemoteRepository) -> None:
        self._remote = remote

    def protections(
        self, *, models: Sequence[str], environments: Sequence[str], has_ledgers: bool = True
    ) -> tuple[Protection, ...]:
        """See `Guards.protections`: every protection, those of the token first."""
        guards = [self._token(), *self._tokens(), self._variables()]
        branches = self._branches()
        guards += machines.protections(self._remote, branches)
        guards.append(self._default_branch(branches))
        guards += [self._ledger(model, branches) for model in models if has_ledgers]
        guards += self._approvals()
        guards += [self._environment(name) for name in environments]
        return tuple(guards)

    def _token(self) -> Protection:
        name = "token: may read and comment"
        if self._remote.api.is_of_job:
            return Protection(
                name=name,
                state=ProtectionState.MISSING,
                reason="it is the job token, which can neither comment nor read approvals",
                remedy="set ASSENT_GITLAB_TOKEN, protected and masked, to a project access token "
                "with the scope `api` and the role Developer",
            )
        doing = "asking what the token may do"
        try:
            facts = self._remote.api.get("/personal_access_tokens/self", TokenFacts, doing=doing)
        except RefusedError as error:
            return Protection(name=name, state=ProtectionState.UNKNOWN, reason=error.problem)
        scopes = ", ".join(facts.scopes) or "no scopes"
        return told(
            name,
            is_enforced="api" in facts.scopes,
            what=f"it has the scope api, and acts as {self._remote.own.username}",
            otherwise=f"it has {scopes}",
            remedy="make a project access token with the scope `api` and the role Developer",
        )

    def _tokens(self) -> Iterator[Protection]:
        """Which pipelines and which jobs get the tokens."""
        doing = "reading the variables of the project"
        variables: list[Variable] | None = None
        with suppress(RefusedError):
            variables = list(
                self._remote.api.pages(self._remote.path("variables"), Variable, doing=doing)
            )
        for name in _TOKENS:
            own = (
                None
                if variables is None
                else [variable for variable in variables if variable.key == name]
            )
            yield self._protected(name, own)
            yield self._scoped(name, own)

    def _protected(self, variable: str, answered: list[Variable] | None) -> Protection:
        """Whether only pipelines of protected branches get a token."""
        name = f"{variable}: pipelines of merge requests do not get it"
        remedy = f"protect the variable {variable}: settings, CI/CD, variables"
        if not answered:
            return _unknown_variable(name, remedy, answered)
        return told(
            name,
            is_enforced=all(variable.protected for variable in answered),
            what="it is protected",
            otherwise="whoever pushes a branch can read it, and act as Assent",
            remedy=remedy,
        )

    def _scoped(self, variable: str, answered: list[Variable] | None) -> Protection:
        """Whether only the jobs that need a token get it: a training on the default branch is one
        of a protected pipeline, too.
        """
        name = f"{variable}: trainings on the default branch do not get it"
        remedy = (
            f"limit {variable} to the environments of the jobs that need it: {TRUSTED}, and one "
            "more variable of this key for each stage. Until then `retrain` trains nothing"
        )
        if not answered:
            return _unknown_variable(name, remedy, answered)
        scopes = [variable.environment_scope for variable in answered]
        return told(
            name,
            is_enforced="*" not in scopes,
            what=f"it is for {', '.join(sorted(scopes))} alone",
            otherwise="every job of a protected branch gets it",
            remedy=remedy,
        )

    def _variables(self) -> Protection:
        facts = self._remote.facts
        role = facts.ci_pipeline_variables_minimum_override_role
        limited = role in ("maintainer", "owner", "no_one_allowed")
        if role is None and facts.restrict_user_defined_variables is None:
            return Protection(
                name="variables: not everybody can set them when pressing the button",
                state=ProtectionState.UNKNOWN,
                reason="this token cannot read it",
                remedy=_VARIABLES,
            )
        return told(
            "variables: not everybody can set them when pressing the button",
            is_enforced=limited
            if role is not None
            else bool(facts.restrict_user_defined_variables),
            what="only maintainers can" if role in (None, "maintainer") else f"limited to {role}",
            otherwise="every developer can, those of the runner's own included",
            remedy=_VARIABLES,
        )

    # branches

    def _branches(self) -> list[ProtectedBranch] | None:
        """The protected branches and patterns; None if this token cannot read them."""
        path = self._remote.path("protected_branches")
        doing = "reading the protected branches"
        try:
            return list(self._remote.api.pages(path, ProtectedBranch, doing=doing))
        except RefusedError:
            return None

    def _default_branch(self, branches: list[ProtectedBranch] | None) -> Protection:
        branch = self._remote.branch
        name = f"{branch}: changes come by merge requests"
        remedy = f"protect {branch}: allowed to push `No one`, no force push. {STILL}"
        if branches is None:
            return _unreadable(name, remedy)
        branches_of_it = _of(branches, branch)
        is_closed = bool(branches_of_it) and not any(
            protected.allow_force_push or _lets(protected.push_access_levels)
            for protected in branches_of_it
        )
        return told(
            name,
            is_enforced=is_closed,
            what="nobody pushes to it",
            otherwise="somebody may push to it" if branches_of_it else "it is not protected",
            remedy=remedy,
        )

    def _ledger(self, model: str, branches: list[ProtectedBranch] | None) -> Protection:
        branch = f"assent/{model}"
        name = f"{branch}: cannot be rewritten or deleted"
        remedy = (
            "protect `assent/*`: allowed to push only the token's account (or maintainers), no "
            "force push. Assent finds a rewritten ledger anyway"
        )
        if branches is None:
            return _unreadable(name, remedy)
        branches_of_it = _of(branches, branch)
        is_open = any(
            protected.allow_force_push or _lets(protected.push_access_levels, to=_DEVELOPER)
            for protected in branches_of_it
        )
        return told(
            name,
            is_enforced=bool(branches_of_it) and not is_open,
            what="it is protected",
            otherwise="every developer may push to it" if branches_of_it else "it is not protected",
            remedy=remedy,
        )

    # approvals

    def _approvals(self) -> Iterator[Protection]:
        branch = self._remote.branch
        rules = self._of_tier("approval_rules", list[ApprovalRule], "the approval rules")
        yield self._tiered(
            f"{branch}: approvals are required",
            None if rules is None else any(rule.approvals_required for rule in rules),
            what="GitLab asks for approvals",
            otherwise="no approval rule asks for any",
            remedy=f"add an approval rule. {STILL}",
        )
        settings = self._of_tier("approvals", ApprovalSettings, "the approval settings")
        yield self._tiered(
            f"{branch}: nobody approves their own change",
            None if settings is None else not settings.merge_requests_author_approval,
            what="GitLab prevents it",
            otherwise="authors may approve",
            remedy="prevent approval by the author. Assent does not count it anyway",
        )
        yield self._tiered(
            f"{branch}: new commits take approvals away",
            None if settings is None else settings.reset_approvals_on_push,
            what="GitLab takes them away",
            otherwise="approvals stay when commits are added",
            remedy="remove all approvals when commits are added. Assent does not count stale ones "
            "anyway",
        )

    def _environment(self, environment: str) -> Protection:
        protected = self._of_tier(
            f"protected_environments/{environment}",
            ProtectedEnvironment,
            f"the protection of {environment}",
        )
        return self._tiered(
            f"{environment}: somebody must approve a deployment",
            None if protected is None else protected.asks,
            what="GitLab asks for approvals",
            otherwise="deployments go on at once",
            remedy="protect the environment and require approvals (Premium). Without it the "
            "approvals that the policy asks for are still needed",
        )

    def _of_tier(self, name: str, answer: type[T], what: str) -> T | None:
        """Something that only paid tiers have; None where there is none to be read."""
        head, slash, rest = name.partition("/")
        path = self._remote.path(head, *([rest] if slash else []))
        try:
            return self._remote.api.find(path, answer, doing=f"reading {what}")
        except RefusedError:
            return None

    def _tiered(
        self, name: str, is_enforced: bool | None, *, what: str, otherwise: str, remedy: str
    ) -> Protection:
        if is_enforced is None:
            return Protection(name=name, state=ProtectionState.MISSING, reason=_TIER, remedy=remedy)
        return told(name, is_enforced=is_enforced, what=what, otherwise=otherwise, remedy=remedy)


_VARIABLES = (
    "set `Minimum role to use pipeline variables` to Maintainer or higher. What Assent decides by "
    "is read from GitLab, not from variables, but other commands of the job read them"
)


def _of(branches: Sequence[ProtectedBranch], name: str) -> list[ProtectedBranch]:
    """Every protection of a branch: each pattern that fits counts, and the widest one wins."""
    return [branch for branch in branches if fnmatchcase(name, branch.name.replace("[", "[[]"))]


def _lets(levels: Sequence[AccessLevel], *, to: int | None = None) -> bool:
    """Whether a level lets anybody through; with `to`, somebody of that role or a lesser one."""
    return any(
        level.access_level is not None
        and level.access_level > 0
        and (to is None or level.access_level <= to)
        for level in levels
    )


def _unknown_variable(name: str, remedy: str, answered: list[Variable] | None) -> Protection:
    if answered is None:
        return _unreadable(name, remedy)
    reason = "it is no variable of this project; it may be one of a group above"
    return Protection(name=name, state=ProtectionState.UNKNOWN, reason=reason, remedy=remedy)


def _unreadable(name: str, remedy: str) -> Protection:
    return Protection(
        name=name,
        state=ProtectionState.UNKNOWN,
        reason="this token cannot read it (it needs the role Maintainer)",
        remedy=remedy,
    )
