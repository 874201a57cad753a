"""What GitHub enforces here, as far as a token can read it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.ports import Protection, ProtectionState
from tests.forges.github.conftest import Scene
from tests.github.runs import Machine, MachineGroup

ENFORCED, MISSING, UNKNOWN = (
    ProtectionState.ENFORCED,
    ProtectionState.MISSING,
    ProtectionState.UNKNOWN,
)
REVIEWS = "main: reviews are required"
DISMISSAL = "main: new commits dismiss approvals"
CHECK = "main: assent/churn must pass"
LEDGER = "assent/churn: the ledger cannot be deleted or rewritten"


def protections(
    scene: Scene, *, admin: bool = False, environment: str = "production"
) -> dict[str, Protection]:
    token = scene.token
    if admin:
        root = scene.github.login("root") or scene.github.user("root", role="admin")
        token = scene.github.classic_token(root, "repo")
    found = scene.forge(token=token).guards.protections(
        models=["churn"], environments=[environment]
    )
    assert len({guard.name for guard in found}) == len(found)
    for guard in found:
        assert guard.reason
        assert guard.remedy or guard.state is not MISSING
    return {guard.name: guard for guard in found}


def states(scene: Scene, *, admin: bool = False) -> dict[str, ProtectionState]:
    return {name: guard.state for name, guard in protections(scene, admin=admin).items()}


def test_a_new_repository_has_nothing(scene: Scene) -> None:
    found = states(scene, admin=True)
    names = [REVIEWS, DISMISSAL, CHECK, LEDGER, "production: reviewers are asked"]
    assert [found[name] for name in names] == [MISSING] * 5
    assert scene.server.writes == []


def test_rulesets_are_read_with_any_token(scene: Scene) -> None:
    repository = scene.github.repository
    repository.add_ruleset(
        "main",
        "~DEFAULT_BRANCH",
        rules=[
            {
                "type": "pull_request",
                "parameters": {
                    "required_approving_review_count": 1,
                    "dismiss_stale_reviews_on_push": True,
                    "require_code_owner_review": False,
                    "require_last_push_approval": False,
                    "required_review_thread_resolution": False,
                },
            },
            {
                "type": "required_status_checks",
                "parameters": {
                    "required_status_checks": [{"context": "assent/churn"}],
                    "strict_required_status_checks_policy": False,
                },
            },
        ],
    )
    repository.add_ruleset(
        "ledger",
        "refs/heads/assent/**",
        rules=[{"type": "deletion"}, {"type": "non_fast_forward"}],
    )
    found = states(scene)
    assert [found[name] for name in (REVIEWS, DISMISSAL, CHECK, LEDGER)] == [ENFORCED] * 4


def test_half_a_ruleset_is_none(scene: Scene) -> None:
    rules = [{"type": "deletion"}]
    scene.github.repository.add_ruleset("ledger", "refs/heads/assent/**", rules=rules)
    found = protections(scene)[LEDGER]
    assert found.state is MISSING
    assert found.reason == "anybody who may push can rewrite it"


def test_classic_protection_needs_an_administrator(scene: Scene) -> None:
    scene.github.repository.protect(
        "main",
        required_pull_request_reviews={
            "url": "https://api.github.com/x",
            "dismiss_stale_reviews": True,
            "require_code_owner_reviews": False,
            "required_approving_review_count": 2,
        },
        required_status_checks={
            "url": "https://api.github.com/x",
            "contexts_url": "https://api.github.com/x",
            "strict": False,
            "contexts": ["assent/churn"],
            "checks": [],
        },
    )
    weak, strong = states(scene), states(scene, admin=True)
    assert [weak[name] for name in (REVIEWS, DISMISSAL)] == [UNKNOWN, UNKNOWN]
    assert [strong[name] for name in (REVIEWS, DISMISSAL, CHECK)] == [ENFORCED] * 3


def test_a_free_plan_says_what_it_lacks(scene: Scene) -> None:
    scene.github.repository.plan = "free"
    found = protections(scene)
    for name in (REVIEWS, LEDGER):
        assert found[name].state is MISSING
        assert "plan" in found[name].reason
        assert "Assent" in found[name].remedy or "assent" in found[name].remedy


def test_an_environment_is_looked_at_from_all_sides(scene: Scene) -> None:
    scene.github.protect_environment(
        "production",
        scene.bob,
        prevents_self_review=True,
        branch_policy="custom",
        patterns=[("branch", "main")],
    )
    found = protections(scene)
    mine = {name: one.state for name, one in found.items() if name.startswith("production: ")}
    assert mine == {
        "production: reviewers are asked": ENFORCED,
        "production: nobody lets their own deployment go on": ENFORCED,
        "production: only chosen branches deploy": ENFORCED,
        "production: administrators cannot go past it": MISSING,
    }


@pytest.mark.threat(19)
def test_which_branches_deploy_is_looked_at(scene: Scene) -> None:
    name = "production: only chosen branches deploy"

    def said(**environment: Any) -> tuple[ProtectionState, str]:
        scene.github.repository.environments.clear()
        scene.github.protect_environment("production", scene.bob, **environment)
        found = protections(scene)[name]
        return found.state, found.reason

    assert said() == (MISSING, "a workflow of any branch may use its secrets")
    assert said(branch_policy="protected") == (ENFORCED, "protected branches alone may")
    custom: dict[str, Any] = {"branch_policy": "custom"}
    assert said(**custom, patterns=[("branch", "main")]) == (ENFORCED, "main alone may")
    for other in (("branch", "*"), ("tag", "main"), ("branch", "feature/*")):
        state, reason = said(**custom, patterns=[("branch", "main"), other])
        assert (state, repr(other[1]) in reason) == (MISSING, True)
    scene.faults.fail("GET", "*/deployment-branch-policies", 403)
    assert said(**custom)[0] is UNKNOWN


def test_administrators_who_cannot_go_past_it_are_seen(scene: Scene) -> None:
    name = "production: administrators cannot go past it"
    scene.github.protect_environment("production", scene.bob, lets_admins_bypass=False)
    assert protections(scene)[name].state is ENFORCED
    body = msgspec.json.encode({"name": "production"})
    forge = scene.forge()
    forge.branch()
    scene.faults.answer("GET", "*/environments/production", body)
    found = forge.guards.protections(models=[], environments=["production"])
    assert {one.name: one.state for one in found}[name] is UNKNOWN


def test_what_cannot_be_read_is_unknown(scene: Scene) -> None:
    scene.faults.fail("GET", "*/environments/production", 403)
    scene.faults.fail("GET", "*/rules/branches/*", 403, times=2)
    found = states(scene)
    assert found["production: reviewers are asked"] is UNKNOWN
    assert found[LEDGER] is UNKNOWN


def test_the_shared_account_of_all_workflows_is_named(scene: Scene) -> None:
    name = "account: nobody else can record what reviewers were shown"
    found = protections(scene)[name]
    assert found.state is MISSING
    assert "GitHub App" in found.remedy
    assert states(scene, admin=True)[name] is ENFORCED


def test_a_token_that_may_only_read_is_told(scene: Scene) -> None:
    name = "token: may write to the repository"
    reader = scene.github.user("reader", role="read")
    token = scene.github.classic_token(reader, "repo")
    found = scene.forge(token=token).guards.protections(models=[], environments=[])
    assert {one.name: one.state for one in found}[name] is MISSING


OWN = "runners: no pull request can use a machine of this repository"
GROUPS = "runners: the organization's machines run chosen workflows only"


@pytest.mark.threat(47)
def test_whose_code_runs_on_machines_of_ones_own(scene: Scene) -> None:
    repository = scene.github.repository
    assert states(scene)[OWN] is UNKNOWN, "the token of a job cannot know"
    assert states(scene, admin=True)[OWN] is ENFORCED
    repository.machines.append(Machine(1, "big"))
    for is_private, whose in (
        (False, "that anybody opens"),
        (True, "of whoever may open one here"),
    ):
        repository.is_private = is_private
        found = protections(scene, admin=True)[OWN]
        assert found.state is MISSING
        assert whose in found.reason
        assert "'big'; 1 of them stay after a job" in found.reason
        assert ".github/workflows/FILE@refs/heads/main" in found.remedy
    repository.machines[0].is_ephemeral = True
    found = protections(scene, admin=True)[OWN]
    assert (found.state, "stay" in found.reason) == (MISSING, False)


@pytest.mark.threat(47)
@pytest.mark.parametrize(
    ("workflows", "state"),
    [
        (None, MISSING),
        ([], ENFORCED),
        (["acme/churn/.github/workflows/assent-review.yml@refs/heads/main"], ENFORCED),
        (["acme/churn/.github/workflows/assent-review.yml@main"], ENFORCED),
        (["acme/churn/.github/workflows/assent-review.yml@" + "a" * 40], ENFORCED),
        (["acme/churn/.github/workflows/assent-review.yml@refs/heads/topic"], MISSING),
        (["acme/churn/.github/workflows/assent-review.yml@refs/pull/7/merge"], MISSING),
    ],
)
def test_which_workflows_may_use_the_machines_of_the_organization(
    scene: Scene, workflows: list[str] | None, state: ProtectionState
) -> None:
    scene.github.repository.is_private = True
    group = MachineGroup(3, "store", workflows=workflows)
    scene.github.machine_groups.append(group)
    assert states(scene, admin=True)[GROUPS] is UNKNOWN, "it is no owner's token"
    root = scene.github.login("root")
    assert root is not None
    scene.token = scene.github.classic_token(root, "repo", "admin:org")
    assert states(scene)[GROUPS] is ENFORCED, "it has no machines"
    group.machines.append(Machine(4, "store-1"))
    found = protections(scene)[GROUPS]
    assert found.state is state
    assert ("'store'" in found.reason) is (state is MISSING)
    scene.github.repository.is_private = False
    assert states(scene)[GROUPS] is ENFORCED, "a public repository cannot use it"
    group.is_for_public = True
    assert states(scene)[GROUPS] is state


def test_groups_that_were_not_looked_at_are_not_called_limited(scene: Scene) -> None:
    assert states(scene, admin=True)[GROUPS] is UNKNOWN, "it is no owner's token"
    root = scene.github.login("root")
    assert root is not None
    scene.token = scene.github.classic_token(root, "repo", "admin:org")
    scene.github.machine_groups += [MachineGroup(one, f"g{one}") for one in range(100)]
    assert states(scene)[GROUPS] is ENFORCED
    scene.github.machine_groups.append(MachineGroup(100, "last"))
    found = protections(scene)[GROUPS]
    assert (found.state, found.reason) == (UNKNOWN, "only the first 100 groups were looked at")


def test_all_machines_are_counted(scene: Scene) -> None:
    scene.github.repository.machines += [Machine(one, f"m{one}") for one in range(120)]
    found = protections(scene, admin=True)[OWN]
    assert "'m0', 'm1', 'm2' and 117 more; at least 100 of them stay" in found.reason
