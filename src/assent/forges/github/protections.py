"""What GitHub enforces in a repository, as far as a token can read it; for `doctor --forge`.

Nothing here is needed for a decision: Assent judges approvals itself. These are the locks on the
doors beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from assent.forges.github import machines
from assent.forges.github.api import RefusedError
from assent.forges.github.repository import ACTIONS_ACCOUNT, RemoteRepository
from assent.forges.github.schemas import (
    Branch,
    BranchPatterns,
    BranchPolicy,
    BranchProtection,
    EnvironmentFacts,
    RequiredChecks,
    RequiredReviews,
    Rule,
    RuleParameters,
)
from assent.forges.remote.comments import context
from assent.forges.remote.protections import STILL, told
from assent.ports import Protection, ProtectionState

_SHOWN = 3
_PLAN = "this repository's plan does not have it; a public repository or a paid plan does"


class _Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What protects a branch: the rules of rulesets and of classic protection. `is_complete`:
    this token could read all of it.
    """

    rules: tuple[Rule, ...] = ()
    reviews: RequiredReviews | None = None
    checks: RequiredChecks | None = None
    is_complete: bool = True
    is_of_plan: bool = False

    def having(self, kind: str) -> list[RuleParameters]:
        return [rule.parameters or RuleParameters() for rule in self.rules if rule.type == kind]

    def state(self, *, is_enforced: bool) -> ProtectionState:
        if is_enforced:
            return ProtectionState.ENFORCED
        return ProtectionState.MISSING if self.is_complete else ProtectionState.UNKNOWN


class Protections:
    """The protections of one repository."""

    def __init__(self, remote: RemoteRepository) -> None:
        self._remote = remote

    def protections(
        self, *, models: Sequence[str], environments: Sequence[str], has_ledgers: bool = True
    ) -> tuple[Protection, ...]:
        """See `Guards.protections`: every guard, those of the default branch first."""
        guards = [self._token(), self._account()]
        guards += self._default_branch(models)
        guards += [self._ledger(model) for model in models if has_ledgers]
        guards += machines.protections(self._remote)
        for environment in environments:
            guards += self._environment(environment)
        return tuple(guards)

    def _token(self) -> Protection:
        name = "token: may write to the repository"
        permissions = self._remote.facts.permissions
        if permissions is None:
            reason = "GitHub does not say what this token may do"
            return Protection(name=name, state=ProtectionState.UNKNOWN, reason=reason)
        if permissions.push:
            return Protection(name=name, state=ProtectionState.ENFORCED, reason="it may push")
        return Protection(
            name=name,
            state=ProtectionState.MISSING,
            reason="its account may only read",
            remedy="give the trusted job `contents: write`, `pull-requests: write`, "
            "`statuses: write` and `deployments: write`",
        )

    def _account(self) -> Protection:
        """Whether the record of what was shown can be written by other workflows."""
        name = "account: nobody else can record what reviewers were shown"
        login = self._remote.own.login
        if login != ACTIONS_ACCOUNT:
            return Protection(
                name=name, state=ProtectionState.ENFORCED, reason=f"it is written as {login}"
            )
        return Protection(
            name=name,
            state=ProtectionState.MISSING,
            reason=f"it is written as {login}, and so can any workflow of this repository that has "
            "`statuses: write`; those of forks cannot",
            remedy="where not everybody who may push is trusted, give the trusted job the token "
            "of a GitHub App of your own, and set ASSENT_ACCOUNT to its login",
        )

    # branches

    def _default_branch(self, models: Sequence[str]) -> Iterator[Protection]:
        branch = self._remote.facts.default_branch
        rules = self._read_rules(branch)
        pulls = rules.having("pull_request")
        count = max([pull.required_approving_review_count for pull in pulls], default=0)
        if rules.reviews is not None:
            count = max(count, rules.reviews.required_approving_review_count)
        yield self._guard(
            f"{branch}: reviews are required",
            rules,
            is_enforced=count > 0,
            what=f"{count} to merge",
            remedy=f"require a pull request with an approval before merging to {branch}. {STILL}",
        )
        dismisses = any(pull.dismiss_stale_reviews_on_push for pull in pulls)
        dismisses = dismisses or (rules.reviews is not None and rules.reviews.dismiss_stale_reviews)
        yield self._guard(
            f"{branch}: new commits dismiss approvals",
            rules,
            is_enforced=dismisses,
            what="GitHub dismisses them",
            remedy="dismiss stale approvals when new commits are pushed. Assent does not count "
            "an approval of other commits in any case",
        )
        checks = {
            c.context
            for parameters in rules.having("required_status_checks")
            for c in parameters.required_status_checks
        }
        checks |= set(rules.checks.contexts) if rules.checks is not None else set()
        for model in models:
            yield self._guard(
                f"{branch}: {context(model)} must pass",
                rules,
                is_enforced=context(model) in checks,
                what="it is a required status check",
                remedy=f"add {context(model)} to the required status checks of {branch}. {STILL}",
            )

    def _ledger(self, model: str) -> Protection:
        branch = f"assent/{model}"
        rules = self._read_rules(branch, with_protection=False)
        kinds = {rule.type for rule in rules.rules}
        missing = sorted({"deletion", "non_fast_forward"} - kinds)
        open_ = " and ".join(_OPEN[kind] for kind in missing)
        return self._guard(
            f"{branch}: the ledger cannot be deleted or rewritten",
            rules,
            is_enforced=not missing,
            what="a ruleset forbids both",
            otherwise=f"anybody who may push can {open_} it",
            remedy="add a ruleset for the branches `assent/*` that restricts deletions and blocks "
            "force pushes. `assent verify` finds a ledger that was rewritten",
        )

    def _guard(
        self,
        name: str,
        rules: _Rules,
        *,
        is_enforced: bool,
        what: str,
        remedy: str,
        otherwise: str = "no rule says so",
    ) -> Protection:
        state = rules.state(is_enforced=is_enforced)
        match state:
            case ProtectionState.ENFORCED:
                return Protection(name=name, state=state, reason=what)
            case ProtectionState.UNKNOWN:
                reason = "no ruleset says so, and this token cannot read branch protection"
                return Protection(name=name, state=state, reason=reason, remedy=remedy)
            case ProtectionState.MISSING:
                reason = _PLAN if rules.is_of_plan else otherwise
                return Protection(name=name, state=state, reason=reason, remedy=remedy)

    def _read_rules(self, branch: str, *, with_protection: bool = True) -> _Rules:
        remote = self._remote
        doing = f"reading the rules of the branch {branch}"
        rules: tuple[Rule, ...] = ()
        is_complete, is_of_plan = True, False
        try:
            rules = tuple(
                remote.api.pages(remote.path("rules", "branches", branch), Rule, doing=doing)
            )
        except RefusedError as error:
            is_complete, is_of_plan = error.is_of_plan, error.is_of_plan
        if not with_protection:
            return _Rules(rules=rules, is_complete=is_complete, is_of_plan=is_of_plan)
        shown = self._read_branch(branch)
        if shown is not None and not shown.protected:
            return _Rules(rules=rules, is_complete=is_complete, is_of_plan=is_of_plan)
        protection, is_readable, is_of_other_plan = self._read_protection(branch)
        checks = protection.required_status_checks if protection is not None else None
        if checks is None and shown is not None and shown.protection is not None:
            checks = shown.protection.required_status_checks
        return _Rules(
            rules=rules,
            reviews=None if protection is None else protection.required_pull_request_reviews,
            checks=checks,
            is_complete=is_complete and is_readable,
            is_of_plan=is_of_plan or is_of_other_plan,
        )

    def _read_branch(self, branch: str) -> Branch | None:
        doing = f"reading the branch {branch}"
        try:
            return self._remote.api.find(self._remote.path("branches", branch), Branch, doing=doing)
        except RefusedError:
            return None

    def _read_protection(self, branch: str) -> tuple[BranchProtection | None, bool, bool]:
        """Classic protection, whether it could be read, and whether the plan has none."""
        try:
            protection = self._remote.api.find(
                self._remote.path("branches", branch, "protection"),
                BranchProtection,
                doing=f"reading the protection of {branch}",
            )
        except RefusedError as error:
            return None, error.is_of_plan, error.is_of_plan
        return protection, True, False

    # environments

    def _environment(self, name: str) -> Iterator[Protection]:
        doing = f"reading the environment {name!r}"
        path = self._remote.path("environments", name)
        try:
            facts = self._remote.api.find(path, EnvironmentFacts, doing=doing)
        except RefusedError as error:
            yield self._unreadable(name, error)
            return
        if facts is None:
            yield Protection(
                name=f"{name}: reviewers are asked",
                state=ProtectionState.MISSING,
                reason="there is no environment of this name, or the token cannot see it",
                remedy=_ENVIRONMENT_REMEDY,
            )
            return
        rules = [rule for rule in facts.protection_rules if rule.type == "required_reviewers"]
        reviewers = sum(len(rule.reviewers or ()) for rule in rules)
        yield told(
            f"{name}: reviewers are asked",
            is_enforced=reviewers > 0,
            what="somebody must let a deployment go on",
            otherwise="deployments go on at once",
            remedy=_ENVIRONMENT_REMEDY,
        )
        yield told(
            f"{name}: nobody lets their own deployment go on",
            is_enforced=any(rule.prevent_self_review for rule in rules),
            what="GitHub prevents self-review",
            otherwise="whoever starts a deployment may be its reviewer",
            remedy="tick `prevent self-review`. Assent does not count such an approval anyway",
        )
        yield self._deploying(name, facts.deployment_branch_policy)
        yield self._bypass(name, facts)

    def _deploying(self, name: str, policy: BranchPolicy | None) -> Protection:
        """Which branches may deploy, and so use what is kept in the environment."""
        branch = self._remote.facts.default_branch
        title = f"{name}: only chosen branches deploy"
        remedy = (
            f"limit it to {branch}. Assent itself refuses to run elsewhere, but a workflow there "
            "need not run Assent"
        )
        if policy is None:
            reason = "a workflow of any branch may use its secrets"
            return Protection(
                name=title, state=ProtectionState.MISSING, reason=reason, remedy=remedy
            )
        if not policy.custom_branch_policies:
            reason = "protected branches alone may"
            return Protection(name=title, state=ProtectionState.ENFORCED, reason=reason)
        try:
            patterns = self._remote.api.get(
                self._remote.path("environments", name, "deployment-branch-policies"),
                BranchPatterns,
                doing=f"reading which branches deploy to {name!r}",
                parameters={"per_page": "100"},
            )
        except RefusedError as error:
            state, reason = ProtectionState.UNKNOWN, f"which ones cannot be read: {error.problem}"
            return Protection(name=title, state=state, reason=reason, remedy=remedy)
        others = [
            pattern
            for pattern in patterns.branch_policies
            if (pattern.type, pattern.name) != ("branch", branch)
        ]
        if others:
            names = ", ".join(f"{pattern.type} {pattern.name!r}" for pattern in others[:_SHOWN])
            reason = f"others than {branch} may as well: {names}"
            return Protection(
                name=title, state=ProtectionState.MISSING, reason=reason, remedy=remedy
            )
        return Protection(name=title, state=ProtectionState.ENFORCED, reason=f"{branch} alone may")

    def _bypass(self, name: str, facts: EnvironmentFacts) -> Protection:
        title = f"{name}: administrators cannot go past it"
        if facts.can_admins_bypass is None:
            reason = "GitHub does not say"
            return Protection(
                name=title, state=ProtectionState.UNKNOWN, reason=reason, remedy=_BYPASS_REMEDY
            )
        return told(
            title,
            is_enforced=not facts.can_admins_bypass,
            what="they cannot",
            otherwise="they can start a deployment that nobody has let go on",
            remedy=_BYPASS_REMEDY,
        )

    def _unreadable(self, name: str, error: RefusedError) -> Protection:
        return Protection(
            name=f"{name}: reviewers are asked",
            state=ProtectionState.MISSING if error.is_of_plan else ProtectionState.UNKNOWN,
            reason=_PLAN if error.is_of_plan else error.problem,
            remedy=_ENVIRONMENT_REMEDY,
        )


_OPEN = {"deletion": "delete", "non_fast_forward": "rewrite"}
_ENVIRONMENT_REMEDY = (
    "add an environment of this name with required reviewers (a public repository, or a paid "
    "plan). Without it the approvals that the policy asks for are still needed"
)
_BYPASS_REMEDY = (
    "do not allow administrators to bypass its protection. Assent records a deployment that "
    "nobody has let go on as bypassed"
)
