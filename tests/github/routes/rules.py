"""Rulesets and branch protection."""

from __future__ import annotations

from tests.github.accounts import ROLES
from tests.github.routing import Call, RefusedError, answers, found
from tests.github.shapes import repositories
from tests.standin.listening import Answer


def _need_plan(call: Call) -> None:
    if not call.repository.has_rules:
        said = "Upgrade to GitHub Pro or make this repository public to enable this feature."
        raise RefusedError(403, said)


@answers("repos/get-branch-rules", "metadata")
def of_branch(call: Call) -> Answer:
    """What holds for a branch, also for one that does not exist yet."""
    _need_plan(call)
    return call.page(
        call.repository.rules_of(call.in_path["branch"]),
        lambda one: repositories.branch_rule(call.repository, *one),
    )


@answers("repos/get-repo-rulesets", "metadata")
def rulesets(call: Call) -> Answer:
    _need_plan(call)
    return call.page(
        call.repository.rulesets,
        lambda one: repositories.ruleset(call.where, call.repository, one, whole=False),
    )


@answers("repos/get-repo-ruleset", "metadata")
def ruleset(call: Call) -> Answer:
    """Who may bypass it is shown only to those who may change it."""
    _need_plan(call)
    wanted = call.number("ruleset_id")
    one = found(next((each for each in call.repository.rulesets if each.id == wanted), None))
    shown = repositories.ruleset(call.where, call.repository, one, whole=True)
    role = call.repository.built_in_role(call.account)
    is_admin = call.token.kind == "installation" or ROLES.index(role) == ROLES.index("admin")
    if is_admin and call.token.may("administration", "write"):
        shown["bypass_actors"] = one.bypass
    return Answer(shown)


@answers("repos/get-branch-protection", "administration")
def protection(call: Call) -> Answer:
    _need_plan(call)
    name = call.in_path["branch"]
    if name not in call.repository.protections:
        raise RefusedError(404, "Branch not protected")
    url = call.where.repo(call.repository, f"/branches/{name}/protection")
    kept = dict(call.repository.protections[name])
    kept["enforce_admins"] = {"url": f"{url}/enforce_admins", **kept["enforce_admins"]}
    return Answer({"url": url, **kept})
